using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>A published table at one version, as its log says. Nothing changes it; open again for a newer version.</summary>
/// <remarks>Reads Delta reader version 1 from JSON commits. A table that asks for more is refused by name rather than read wrongly.</remarks>
public sealed class DeltaTable
{
    readonly DeltaState state;

    internal DeltaTable(TableName name, DeltaState state)
    {
        Name = name;
        this.state = state;
        Files = [.. state.Files.Values.OrderBy(f => f.Key, StringComparer.Ordinal)];
    }

    public TableName Name { get; }

    public long Version => state.Version;

    /// <summary>When the version was committed, by the committer's clock.</summary>
    public DateTimeOffset CommittedAt => state.CommittedAt;

    /// <summary>Unique to the table's life: a table that is dropped and made anew has another one.</summary>
    public string Id => state.MetaData.Id;

    public IReadOnlyList<OutputColumn> Columns => state.Schema.Columns;

    /// <summary>The live files in order of their keys. A file that lacks a column reads as null there.</summary>
    public IReadOnlyList<DeltaFile> Files { get; }

    /// <summary>The live files as pinned inputs; SHA-256 is empty for a file that another writer added.</summary>
    public IReadOnlyList<ObjectRef> Objects => [.. Files.Select(f => new ObjectRef(f.Key, f.Bytes, f.Rows, f.Sha256 ?? ""))];

    public long Rows => Files.Sum(f => f.Rows);

    /// <summary>The newest committed number per application id.</summary>
    public IReadOnlyDictionary<string, DeltaTransaction> Transactions => state.Transactions;

    public int MinReaderVersion => state.Protocol.MinReaderVersion;

    public int MinWriterVersion => state.Protocol.MinWriterVersion;

    internal DeltaState State => state;

    /// <summary>The table at its newest or at a given version; null when there is no such table or version.</summary>
    /// <exception cref="LakeException"><c>lake.corrupt_log</c>, <c>lake.unsupported_table</c>, or the store failed.</exception>
    public static async Task<DeltaTable?> OpenAsync(IObjectStore store, TableName name, CancellationToken cancellationToken, long? version = null)
    {
        if (await DeltaLog.LatestAsync(store, name, cancellationToken) is not { } latest || version > latest) return null;
        return await ReadAsync(store, name, null, version ?? latest, cancellationToken);
    }

    /// <summary>The newest version, reading only what was committed since this one.</summary>
    internal async Task<DeltaTable> RefreshAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        var latest = await DeltaLog.LatestAsync(store, Name, cancellationToken)
            ?? throw DeltaLog.Corrupt(Name, $"it had version {Version} and is empty now", "Nothing may delete a log's objects.");
        return latest <= Version ? this : await ReadAsync(store, Name, this, latest, cancellationToken);
    }

    static async Task<DeltaTable> ReadAsync(IObjectStore store, TableName name, DeltaTable? known, long last, CancellationToken cancellationToken)
    {
        var first = known is null ? 0 : known.Version + 1;
        var commits = await DeltaLog.ReadAsync(store, name, first, last, cancellationToken);
        var building = known is null ? new DeltaStateBuilder(name) : new DeltaStateBuilder(name, known.state);
        for (var index = 0; index < commits.Count; index++) building.Apply(first + index, commits[index]);
        return new(name, building.Build());
    }
}

/// <param name="Path">Relative to the table's folder, decoded.</param>
/// <param name="Key">Relative to the lake's root.</param>
/// <param name="Rows"><c>numRecords</c> of the statistics; 0 when they are missing.</param>
/// <param name="Stats">JSON: numRecords, minValues, maxValues, nullCount.</param>
/// <param name="Sha256">Null when another writer added the file.</param>
public sealed record DeltaFile(string Path, string Key, long Bytes, long Rows, DateTimeOffset ModifiedAt, string? Stats, string? Sha256)
{
    /// <summary>The window that the rows were published for; null when they are of several, or when another writer added the file.</summary>
    public string? Window { get; init; }

    /// <summary>See <see cref="DeltaAdd.RankTag"/>.</summary>
    internal string? Rank { get; init; }
}

/// <param name="CommittedIn">The table version whose commit carries it.</param>
public sealed record DeltaTransaction(string AppId, long Version, long CommittedIn);
