using System.Collections.Concurrent;
using System.Text.Json.Serialization.Metadata;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Housekeeping;

/// <summary>What a pass reads. A document that is cut or garbage is noted and reads as one that is not there, so that it stops nothing but what hangs on it.</summary>
/// <remarks>
/// Whoever decides that something goes asks for what proves it (a record, a proof, a newer manifest), so a document that reads as missing keeps things. Where it is the other way round, and documents
/// protect what they name, one that cannot be read may name anything: <see cref="HidesNames"/>.
/// </remarks>
sealed class PassDocuments(IObjectStore store)
{
    readonly ConcurrentDictionary<string, string> damaged = new(StringComparer.Ordinal);
    volatile bool hidesNames;

    /// <summary>Whether a document could not be read whose names must not be touched.</summary>
    public bool HidesNames => hidesNames;

    /// <summary>What is wrong, and where, each once.</summary>
    public IEnumerable<string> Problems
    {
        get
        {
            foreach (var (_, problem) in damaged.OrderBy(d => d.Key, StringComparer.Ordinal)) yield return problem;
            if (hidesNames) yield return "Documents that keep others by naming them cannot be read. Until they are mended or gone nothing is removed by the rules raw, rejected, replay, run, attempt and table_file.";
        }
    }

    public bool IsDamaged(string key) => damaged.ContainsKey(key);

    /// <returns>Null when there is none, or none that can be read.</returns>
    public async ValueTask<T?> GetAsync<T>(string key, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await store.GetJsonAsync(key, type, cancellationToken);
        }
        catch (LakeException e) when (e.Code is "lake.corrupt" or "lake.bad_key")
        {
            damaged.TryAdd(key, e.Message);
            return null;
        }
    }

    /// <summary>The keys that a document names; of one that is damaged, those before the fault.</summary>
    public async ValueTask<IReadOnlyCollection<string>> NamesAsync(string key, CancellationToken cancellationToken)
    {
        if (await FindAsync(key, cancellationToken) is not { } bytes) return [];
        var names = NamesOf.Document(bytes, out var fault);
        // Lines are for readers; what they name stands in a document, too.
        if (fault is not null && !key.EndsWith(".ndjson", StringComparison.Ordinal))
        {
            hidesNames = true;
            damaged.TryAdd(key, $"Object '{key}' of {store.Root} ({bytes.Length} bytes) is no document: {fault} Something else than LeanPipe wrote or damaged it. Restore it, or remove it when what it names can be made again.");
        }
        return names;
    }

    async ValueTask<ReadOnlyMemory<byte>?> FindAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAsync(key, cancellationToken);
        }
        catch (LakeException e) when (e.Code == "lake.bad_key")
        {
            // A text of a user that begins like a key.
            return null;
        }
    }

    /// <returns>Null when there is no such table, or none that can be read.</returns>
    public async ValueTask<DeltaTable?> TableAsync(TableName table, CancellationToken cancellationToken)
    {
        try
        {
            return await DeltaTable.OpenAsync(store, table, cancellationToken);
        }
        catch (LakeException e) when (!e.IsTransient)
        {
            damaged.TryAdd(LakeLayout.TableLog(table), LeftAlone(table, e));
            return null;
        }
    }

    /// <summary>One damaged table must not keep the rest of the lake from being tidied; it is left alone and named.</summary>
    public async Task GuardAsync(TableName table, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (LeanPipeException e) when (!e.IsTransient)
        {
            damaged.TryAdd(LakeLayout.TableLog(table), LeftAlone(table, e));
        }
    }

    static string LeftAlone(TableName table, LeanPipeException e) => $"Table '{table}' was left alone: {e.Message}";
}
