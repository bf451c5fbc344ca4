using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>A published table at one version, as its log says. Nothing changes it; open again for a newer version.</summary>
/// <remarks>Reads Delta reader version 1: the newest checkpoint and the commits behind it. A table that asks for more is refused by name rather than read wrongly.</remarks>
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

    /// <summary>Rows by the window that they were published for; the empty text for rows of several windows or of other writers.</summary>
    public IReadOnlyDictionary<string, long> RowsByWindow =>
        new SortedDictionary<string, long>(Files.GroupBy(f => f.Window ?? "").ToDictionary(g => g.Key, g => g.Sum(f => f.Rows)), StringComparer.Ordinal);

    /// <summary>The revision of a window that the table's rows of it were made from; null when the pipeline has published none (or only appends).</summary>
    public int? PublishedRevision(PipelineName pipeline, WindowId window) =>
        Transactions.GetValueOrDefault($"leanpipe/{pipeline}/{window}") is { } txn ? PublishOrigin.RevisionOf(txn.Version) : null;

    /// <summary>The commit of a run's rows; null when there was none, or when the log does not tell of it any more.</summary>
    public DeltaTransaction? CommittedBy(RunPlan plan) => Transactions.GetValueOrDefault(PublishOrigin.Of(plan).RunApp);

    /// <summary>Whether nothing that was made of a newer revision of the plan's window, or was planned later over the same one, with whatever parameters, has taken the place of the run's rows.</summary>
    public bool HoldsWindowOf(RunPlan plan, DateTimeOffset now)
    {
        var origin = PublishOrigin.Of(plan);
        return Transactions.GetValueOrDefault(origin.WindowApp) is not { } newest || !PublishOrigin.IsNewer(newest.Version, origin.Order, now);
    }

    /// <summary>The newest committed number per application id.</summary>
    public IReadOnlyDictionary<string, DeltaTransaction> Transactions => state.Transactions;

    public int MinReaderVersion => state.Protocol.MinReaderVersion;

    public int MinWriterVersion => state.Protocol.MinWriterVersion;

    internal DeltaState State => state;

    /// <summary>The newest checkpoint at or before this version; null when the log has none.</summary>
    internal long? CheckpointVersion { get; private init; }

    /// <summary>The table at its newest or at a given version; null when there is no such table or version.</summary>
    /// <exception cref="LakeException"><c>lake.corrupt_log</c>, <c>lake.unsupported_table</c>, <c>lake.version_gone</c> (cleaned up by its retention), or the store failed.</exception>
    public static async Task<DeltaTable?> OpenAsync(IObjectStore store, TableName name, CancellationToken cancellationToken, long? version = null)
    {
        var listing = await LogListing.ReadAsync(store, name, cancellationToken);
        if (listing.Latest is not { } latest || version > latest || version < 0) return null;
        return await ReadAsync(store, listing, null, version ?? latest, cancellationToken);
    }

    /// <summary>The version that was the newest one at an instant; null when there was no table yet.</summary>
    /// <exception cref="LakeException">As <see cref="OpenAsync"/>.</exception>
    public static async Task<DeltaTable?> OpenAtAsync(IObjectStore store, TableName name, DateTimeOffset instant, CancellationToken cancellationToken)
    {
        var listing = await LogListing.ReadAsync(store, name, cancellationToken);
        if (await LogTime.VersionAtAsync(store, listing, instant, cancellationToken) is not { } version)
            return listing.Latest is null || listing.Commits.ContainsKey(0) ? null : throw Gone(listing, $"the version of {instant.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}");
        return await ReadAsync(store, listing, null, version, cancellationToken);
    }

    /// <summary>The newest version, reading only what was committed since this one.</summary>
    internal async Task<DeltaTable> RefreshAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        var listing = await LogListing.ReadAsync(store, Name, cancellationToken);
        var latest = listing.Latest ?? throw DeltaLog.Corrupt(Name, $"it had version {Version} and is empty now", "Nothing may delete a log's newest objects.");
        return latest <= Version ? this : await ReadAsync(store, listing, this, latest, cancellationToken);
    }

    /// <summary>This table and the commit that was just made upon it, without reading it back.</summary>
    internal DeltaTable After(IReadOnlyList<DeltaAction> commit)
    {
        var building = new DeltaStateBuilder(Name, state);
        building.Apply(Version + 1, commit);
        return new(Name, building.Build()) { CheckpointVersion = CheckpointVersion };
    }

    internal static DeltaTable First(TableName name, IReadOnlyList<DeltaAction> commit)
    {
        var building = new DeltaStateBuilder(name);
        building.Apply(0, commit);
        return new(name, building.Build());
    }

    static async Task<DeltaTable> ReadAsync(IObjectStore store, LogListing listing, DeltaTable? known, long last, CancellationToken cancellationToken)
    {
        var checkpoint = listing.CheckpointFor(last);
        var building = known is null ? new DeltaStateBuilder(listing.Table) : new DeltaStateBuilder(listing.Table, known.state);
        var first = known is null ? 0 : known.Version + 1;
        if (checkpoint is not null && first <= checkpoint.Version)
        {
            building = new(listing.Table);
            building.Apply(checkpoint.Version, await Checkpoint.ReadAsync(store, listing.Table, checkpoint, cancellationToken));
            // The checkpoint's own commit again, which changes nothing but says when it was made.
            first = listing.Commits.ContainsKey(checkpoint.Version) ? checkpoint.Version : checkpoint.Version + 1;
        }
        if (listing.FirstMissing(last) is not null && first <= last) throw Gone(listing, $"version {last}");
        var commits = await DeltaLog.ReadAsync(store, listing.Table, first, last, cancellationToken);
        for (var index = 0; index < commits.Count; index++) building.Apply(first + index, commits[index]);
        return new(listing.Table, building.Build()) { CheckpointVersion = checkpoint?.Version };
    }

    static LakeException Gone(LogListing listing, string what) => new(
        "lake.version_gone", $"Table '{listing.Table}' has no log of {what} any more: old versions are cleaned up by their retention. The oldest that can be read is version {listing.Earliest}.");
}

/// <param name="Path">Relative to the table's folder, decoded.</param>
/// <param name="Key">Relative to the lake's root.</param>
/// <param name="Rows"><c>numRecords</c> of the statistics; 0 when they are missing.</param>
/// <param name="Stats">JSON: numRecords, minValues, maxValues, nullCount.</param>
/// <param name="Sha256">Null when another writer added the file.</param>
public sealed record DeltaFile(string Path, string Key, long Bytes, long Rows, DateTimeOffset ModifiedAt, string? Stats, string? Sha256)
{
    /// <summary>The action as the log holds it, for a checkpoint to repeat.</summary>
    internal DeltaAdd Source { get; init; } = null!;

    /// <summary>The window that the rows were published for; null when they are of several, or when another writer added the file.</summary>
    public string? Window { get; init; }

    /// <summary>See <see cref="DeltaAdd.RankTag"/>.</summary>
    internal string? Rank { get; init; }
}

/// <param name="CommittedIn">The table version whose commit carries it, or that of the checkpoint that it was read from, when that is later.</param>
public sealed record DeltaTransaction(string AppId, long Version, long CommittedIn)
{
    /// <summary>Milliseconds since the epoch; null when its writer did not say.</summary>
    internal long? LastUpdated { get; init; }
}
