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

    /// <summary>A person says that the installation stood still for so long, and that the clock did not leap: see docs/specs/housekeeping.md, "The clock".</summary>
    public bool ClockIsRight { get; init; }

    /// <summary>A pass removes at most so many objects, so that what it holds in memory is bounded; the next one goes on.</summary>
    public int MaxRemovals { get; init; } = 100_000;

    /// <summary>What compactions may use of this machine.</summary>
    public TableWork Work { get; init; } = new();
}

/// <summary>One pass of housekeeping over a lake. Any number may run, be cut short anywhere, and run again.</summary>
/// <remarks>
/// <para>The order is the guarantee; each step is durable before the next begins: proofs of what runs have read; compactions (commits of their own); then, of what shall go, decided from one
/// snapshot (<see cref="LakeSnapshot"/>): the audit log of a batch, the notes of windows that are retired, the copies in the cold storage, the deletions of the batch; at last the folders that they left empty. So whatever is gone is in the
/// audit log, and a copy exists before its source goes.</para>
/// <para>Within the deletions documents go before what they name (records of replays after it, see <see cref="ReplaySweep"/>). Before the first object of an ended run goes, the run gets <see cref="LakeLayout.RunSweep"/>, and only then are the orchestrator's
/// marks looked at again: a run that is asked for again by then is left alone. The orchestrator makes the mark first and looks for that object then, and waits until it is gone. So of a pass and a
/// retry of one run, one always sees the other.</para>
/// </remarks>
public static class HousekeepingPass
{
    public const string AuditPrefix = "housekeeping/log/";

    /// <summary>An empty folder that this pass has not emptied may be one that somebody has just made.</summary>
    static readonly TimeSpan FoldersAreLeft = TimeSpan.FromDays(1);

    /// <param name="pipelines">Every pipeline of the installation: a stream's raw segments wait for all that read it. Null: not known, so they stay.</param>
    /// <param name="cold">The store that <see cref="HousekeepingPolicy.ColdStorage"/> names; null when it names none.</param>
    public static async Task<HousekeepingReport> RunAsync(
        IObjectStore store, HousekeepingPolicy policy, IReadOnlyList<PipelineDefinition>? pipelines, IObjectStore? cold, HousekeepingOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (policy.ColdStorage is not null && cold is null) throw new LakeException("lake.bad_options", $"The cold storage {policy.ColdStorage} is not opened.");
        if (policy.ColdClass is not null && store.Root.Scheme != "s3") throw new LakeException("lake.bad_options", $"cold_class is '{policy.ColdClass}', but {store.Root} is no S3 bucket and has no storage classes. Write cold_storage instead.");
        var now = time.GetUtcNow();
        var pass = $"{now.UtcDateTime:yyyyMMdd'T'HHmmssfff'Z'}-{Guid.NewGuid().ToString("N")[..8]}";
        var lake = await LakeSnapshot.ReadAsync(store, policy.Runs, now, cancellationToken);
        var proofs = await ProveAsync(lake, options, cancellationToken);
        var compactions = await CompactAsync(lake, policy, options, time, cancellationToken);
        if (!options.ClockIsRight && await PassClock.DoubtAsync(lake, cancellationToken) is { } doubt) return new(pass, !options.DryRun, [], compactions, [doubt, .. lake.Documents.Problems]);

        var raw = new RawSweep(lake, policy, RawSweep.Readers(pipelines));
        var retirements = await raw.FindAsync(
            async (key, token) => proofs.TryGetValue(key, out var found) ? found : await lake.Documents.GetAsync(key, HousekeepingJson.Default.RawProof, token), cancellationToken);
        var tables = new TableSweep(lake, policy);
        List<Removal> removals = [.. retirements.SelectMany(r => r.Segments), .. await raw.FindRejectedAsync(cancellationToken), .. await raw.FindFramesAsync(cancellationToken), .. await new ReplaySweep(lake, policy).FindAsync(cancellationToken), .. await RunSweep.FindAsync(lake, policy, cancellationToken)];
        foreach (var table in await TablesAsync(store, cancellationToken))
            await lake.Documents.GuardAsync(table, async () => removals.AddRange(await tables.FindAsync(table, cancellationToken)));
        if (removals.Count > options.MaxRemovals) removals.RemoveRange(options.MaxRemovals, removals.Count - options.MaxRemovals);
        if (options.DryRun) return new(pass, false, removals, compactions, [.. lake.Documents.Problems]);

        var removed = await new RemovalBatches(lake, cold, retirements, pass).RemoveAsync(removals, cancellationToken);
        if (policy.TableVersions is not null) await store.PutJsonAsync(TableSweep.SeenKey, tables.Seen, HousekeepingJson.Default.UnnamedFiles, cancellationToken);
        await PassClock.NoteAsync(lake, cancellationToken);
        EmptyFolders.RemoveAround(store.Root, removed.Where(r => r.StorageClass is null).Select(r => r.Key));
        EmptyFolders.RemoveOlder(store.Root, now - FoldersAreLeft);
        return new(pass, true, removed, compactions, [.. lake.Documents.Problems]);
    }

    /// <summary>The windows of a stream whose raw segments were deleted or moved on purpose, by window.</summary>
    /// <param name="only">Reads the notes of these alone; null reads all.</param>
    public static async Task<IReadOnlyDictionary<string, RetiredWindow>> RetiredAsync(IObjectStore store, StreamName stream, CancellationToken cancellationToken, IReadOnlySet<string>? only = null)
    {
        var retired = new SortedDictionary<string, RetiredWindow>(StringComparer.Ordinal);
        var prefix = RawSweep.RetiredKey(stream.Value, "")[..^".json".Length];
        await foreach (var item in store.ListAsync(prefix, cancellationToken))
        {
            if (only?.Contains(item.Key[prefix.Length..^".json".Length]) is false) continue;
            if (await store.GetJsonAsync(item.Key, HousekeepingJson.Default.RetiredWindow, cancellationToken) is { } window) retired[window.Window] = window;
        }
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
                if (JsonSerializer.Deserialize(line, HousekeepingJson.Default.RemovalRecord) is { StorageClass: null } removed && removed.Key.StartsWith(prefix, StringComparison.Ordinal)) yield return (removed.Key, removed.Bytes);
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

    static async Task<IReadOnlyList<TableCompacted>> CompactAsync(LakeSnapshot lake, HousekeepingPolicy policy, HousekeepingOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var store = lake.Store;
        var compacted = new List<TableCompacted>();
        if (policy.CompactToBytes is not { } target) return compacted;
        var how = new CompactionOptions { TargetBytes = target }.Within(options.Work);
        foreach (var table in await TablesAsync(store, cancellationToken))
        {
            await lake.Documents.GuardAsync(table, async () =>
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

    static async Task<IReadOnlyList<TableName>> TablesAsync(IObjectStore store, CancellationToken cancellationToken) =>
        await store.ListFoldersAsync(LakeLayout.Tables, cancellationToken).Where(f => Name.IsValid(f[..^1])).Select(f => new TableName(f[..^1])).ToListAsync(cancellationToken);
}
