using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Housekeeping;

/// <param name="Deleted">False for a dry run, and for what was left for the next pass.</param>
public sealed record HousekeepingReport(string Pass, bool Deleted, IReadOnlyList<Removal> Removals, IReadOnlyList<TableCompacted> Compactions, IReadOnlyList<string> Problems);

/// <param name="Version">Null in a dry run.</param>
public sealed record TableCompacted(TableName Table, int FilesBefore, long? Version);

public sealed record HousekeepingOptions
{
    /// <summary>Say what would go and change nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>A pass removes at most so many objects, so that what it holds in memory is bounded; the next one goes on.</summary>
    public int MaxRemovals { get; init; } = 100_000;

    /// <summary>What compactions may use of this machine.</summary>
    public TableWork Work { get; init; } = new();
}

/// <summary>One pass of housekeeping over a lake. Any number may run, be cut short anywhere, and run again.</summary>
/// <remarks>
/// <para>The order is the guarantee; each step is durable before the next begins: proofs of what runs have read; compactions (commits of their own); then, of what shall go, decided from one
/// snapshot (<see cref="LakeSnapshot"/>): the audit log of a batch, the notes of windows that are retired, the copies in the cold storage, the deletions of the batch. So whatever is gone is in the
/// audit log, and a copy exists before its source goes.</para>
/// <para>Within the deletions documents go before what they name.</para>
/// </remarks>
public static class HousekeepingPass
{
    public const string AuditPrefix = "housekeeping/log/";

    const int BatchSize = 1000;

    /// <param name="pipelines">Every pipeline of the installation: a stream's raw segments wait for all that read it. Null: not known, so they stay.</param>
    /// <param name="cold">The store that <see cref="HousekeepingPolicy.ColdStorage"/> names; null when it names none.</param>
    public static async Task<HousekeepingReport> RunAsync(
        IObjectStore store, HousekeepingPolicy policy, IReadOnlyList<PipelineDefinition>? pipelines, IObjectStore? cold, HousekeepingOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (policy.ColdStorage is not null && cold is null) throw new LakeException("lake.bad_options", $"The cold storage {policy.ColdStorage} is not opened.");
        var now = time.GetUtcNow();
        var pass = $"{now.UtcDateTime:yyyyMMdd'T'HHmmssfff'Z'}-{Guid.NewGuid().ToString("N")[..8]}";
        var problems = new List<string>();
        var lake = await LakeSnapshot.ReadAsync(store, now, cancellationToken);
        var proofs = await ProveAsync(lake, options, cancellationToken);
        var compactions = await CompactAsync(store, policy, options, time, problems, cancellationToken);

        var raw = new RawSweep(lake, policy, RawSweep.Readers(pipelines));
        var retirements = await raw.FindAsync(
            async (key, token) => proofs.TryGetValue(key, out var found) ? found : await store.GetJsonAsync(key, HousekeepingJson.Default.RawProof, token), cancellationToken);
        var tables = new TableSweep(lake, policy);
        List<Removal> removals = [.. retirements.SelectMany(r => r.Segments), .. await raw.FindRejectedAsync(cancellationToken), .. await RunSweep.FindAsync(lake, policy, cancellationToken)];
        foreach (var table in await TablesAsync(store, cancellationToken))
            await Guarded(table, problems, async () => removals.AddRange(await tables.FindAsync(table, cancellationToken)));
        if (removals.Count > options.MaxRemovals) removals.RemoveRange(options.MaxRemovals, removals.Count - options.MaxRemovals);
        if (options.DryRun) return new(pass, false, removals, compactions, problems);

        var number = 0;
        foreach (var batch in removals.Chunk(BatchSize))
            await RemoveAsync(store, cold, batch, retirements, $"{AuditPrefix}{pass}-{(++number).ToString("D5", CultureInfo.InvariantCulture)}.ndjson", now, cancellationToken);
        if (policy.TableVersions is not null) await store.PutJsonAsync(TableSweep.SeenKey, tables.Seen, HousekeepingJson.Default.UnnamedFiles, cancellationToken);
        return new(pass, true, removals, compactions, problems);
    }

    /// <summary>The windows of a stream whose raw segments were deleted or moved on purpose, by window.</summary>
    public static async Task<IReadOnlyDictionary<string, RetiredWindow>> RetiredAsync(IObjectStore store, StreamName stream, CancellationToken cancellationToken)
    {
        var retired = new SortedDictionary<string, RetiredWindow>(StringComparer.Ordinal);
        await foreach (var item in store.ListAsync($"housekeeping/retired/{stream}/", cancellationToken))
            if (await store.GetJsonAsync(item.Key, HousekeepingJson.Default.RetiredWindow, cancellationToken) is { } window) retired[window.Window] = window;
        return retired;
    }

    /// <summary>The objects below a prefix that passes have taken on purpose, or were about to, with their sizes.</summary>
    public static async IAsyncEnumerable<(string Key, long Bytes)> TakenAsync(IObjectStore store, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in store.ListAsync(AuditPrefix, cancellationToken))
        {
            if (await store.OpenAsync(item.Key, 0, null, cancellationToken) is not { } stream) continue;
            using var lines = new StreamReader(stream);
            while (await lines.ReadLineAsync(cancellationToken) is { Length: > 0 } line)
                if (JsonSerializer.Deserialize(line, HousekeepingJson.Default.RemovalRecord) is { } removed && removed.Key.StartsWith(prefix, StringComparison.Ordinal)) yield return (removed.Key, removed.Bytes);
        }
    }

    static async Task<Dictionary<string, RawProof>> ProveAsync(LakeSnapshot lake, HousekeepingOptions options, CancellationToken cancellationToken)
    {
        // Whether raw segments are to go or not: a run's documents prove it only as long as they are kept.
        var proofs = new Dictionary<string, RawProof>();
        foreach (var (key, proof) in await new RawProofs(lake).FindAsync(cancellationToken))
        {
            proofs[key] = proof;
            if (!options.DryRun) await lake.Store.PutJsonIfAbsentAsync(key, proof, HousekeepingJson.Default.RawProof, cancellationToken);
        }
        return proofs;
    }

    static async Task<IReadOnlyList<TableCompacted>> CompactAsync(
        IObjectStore store, HousekeepingPolicy policy, HousekeepingOptions options, TimeProvider time, List<string> problems, CancellationToken cancellationToken)
    {
        var compacted = new List<TableCompacted>();
        if (policy.CompactToBytes is not { } target) return compacted;
        var how = new CompactionOptions { TargetBytes = target };
        foreach (var table in await TablesAsync(store, cancellationToken))
        {
            await Guarded(table, problems, async () =>
            {
                if (options.DryRun)
                {
                    var planned = await DeltaTable.OpenAsync(store, table, cancellationToken) is { } open ? TableCompaction.Plan(open, how, time.GetUtcNow()).Sum(g => g.Count) : 0;
                    if (planned > 0) compacted.Add(new(table, planned, null));
                }
                else if (await TableCompaction.RunAsync(store, table, how, options.Work, time, cancellationToken) is { Version: { } version } done)
                {
                    compacted.Add(new(table, done.FilesBefore, version));
                }
            });
        }
        return compacted;
    }

    // One damaged table must not keep the rest of the lake from being tidied; it is left alone and named.
    static async Task Guarded(TableName table, List<string> problems, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (LeanPipeException e) when (!e.IsTransient)
        {
            problems.Add($"Table '{table}' was left alone: {e.Message}");
        }
    }

    static async Task RemoveAsync(
        IObjectStore store, IObjectStore? cold, Removal[] batch, IReadOnlyList<Retirement> retirements, string audit, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var lines = new MemoryStream();
        foreach (var removal in batch)
        {
            JsonSerializer.Serialize(lines, new RemovalRecord(now, removal.Rule, removal.Key, removal.Bytes, removal.Why, removal.To), HousekeepingJson.Default.RemovalRecord);
            lines.WriteByte((byte)'\n');
        }
        await store.PutAsync(audit, lines.ToArray(), cancellationToken);
        var keys = batch.Select(r => r.Key).ToHashSet();
        foreach (var retired in retirements.Where(r => r.Segments.Any(s => keys.Contains(s.Key))).Select(r => r.Window))
            await store.PutJsonAsync(RawSweep.RetiredKey(retired.Stream, retired.Window), retired, HousekeepingJson.Default.RetiredWindow, cancellationToken);
        foreach (var removal in batch)
        {
            if (removal.To is not null) await new ColdStore(store, cold!).CopyAsync(removal, cancellationToken);
            await store.DeleteAsync(removal.Key, cancellationToken);
        }
    }

    static async Task<IReadOnlyList<TableName>> TablesAsync(IObjectStore store, CancellationToken cancellationToken) =>
        await store.ListFoldersAsync(LakeLayout.Tables, cancellationToken).Where(f => Name.IsValid(f[..^1])).Select(f => new TableName(f[..^1])).ToListAsync(cancellationToken);
}
