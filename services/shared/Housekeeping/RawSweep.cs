using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <param name="Window">Written before the first of its segments goes.</param>
sealed record Retirement(RetiredWindow Window, IReadOnlyList<Removal> Segments);

/// <summary>Raw segments of windows that every pipeline has read, and rejected records, once they are old enough.</summary>
/// <remarks>
/// Only segments that the newest manifest of a window names are looked at: what no manifest names yet is the gateway's. They go when the manifest is older than the retention, every
/// pipeline that reads the stream has a proof for this very revision, and each segment is there with the manifest's size.
/// </remarks>
sealed class RawSweep(LakeSnapshot lake, HousekeepingPolicy policy, IReadOnlyDictionary<string, IReadOnlyList<string>> readers)
{
    const string Retired = "housekeeping/retired/";

    public static string RetiredKey(string stream, string window) => $"{Retired}{stream}/{window}.json";

    /// <param name="pipelines">Every pipeline of the installation; null when they are not known, and then no raw segment goes.</param>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Readers(IReadOnlyList<PipelineDefinition>? pipelines) =>
        (from pipeline in pipelines ?? []
         from stream in pipeline.Steps.SelectMany(s => s.Inputs.Values).OfType<StreamInput>().Select(i => i.Stream.Value).Concat(pipeline.TriggerSealed is { } sealedStream ? [sealedStream.Value] : []).Distinct()
         group pipeline.Name.Value by stream).ToDictionary(g => g.Key, g => (IReadOnlyList<string>)[.. g]);

    /// <param name="proofs">Those on disk and those that this pass has found.</param>
    public async Task<IReadOnlyList<Retirement>> FindAsync(Func<string, CancellationToken, Task<RawProof?>> proofs, CancellationToken cancellationToken)
    {
        if (policy.Raw is null) return [];
        var retirements = new List<Retirement>();
        foreach (var (stream, pipelines) in readers.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            var there = await lake.Store.ListAsync($"raw/{stream}/", cancellationToken).ToDictionaryAsync(o => o.Key, cancellationToken: cancellationToken);
            foreach (var (window, newest) in await NewestAsync(stream, cancellationToken))
            {
                if (!lake.IsOlder(newest.LastModified, policy.Raw)) continue;
                if (await lake.Documents.GetAsync(newest.Key, ContractsJson.Default.WindowManifest, cancellationToken) is not { } manifest || !lake.IsOlder(manifest.SealedAt, policy.Raw)) continue;
                var left = manifest.Segments.Where(s => there.TryGetValue(s.Key, out var listed) && !IsCold(listed)).ToList();
                if (left.Count == 0 || left.Exists(s => there[s.Key].Bytes != s.Bytes || lake.IsNamed(s.Key))) continue;
                if (await ReplacedAsync(manifest, cancellationToken) is not { } replaced) continue;
                left.AddRange(replaced.Where(s => there.TryGetValue(s.Key, out var listed) && listed.Bytes == s.Bytes && !IsCold(listed) && !lake.IsNamed(s.Key)));
                if (await RetireAsync(manifest, left, pipelines, proofs, cancellationToken) is { } retirement) retirements.Add(retirement);
            }
        }
        return retirements;
    }

    public async Task<IReadOnlyList<Removal>> FindRejectedAsync(CancellationToken cancellationToken)
    {
        if (policy.Rejected is not { } kept) return [];
        return await lake.Store.ListAsync("rejected/", cancellationToken).Where(o => lake.IsOlder(o.LastModified, kept) && !lake.IsNamed(o.Key) && !IsCold(o))
            .Select(o => new Removal("rejected", o.Key, o.Bytes, $"rejected on {o.LastModified:yyyy-MM-dd}, more than {kept.TotalDays:0.##} days ago", policy.ColdStorage) { StorageClass = policy.ColdClass }).ToListAsync(cancellationToken);
    }

    bool IsCold(ListedObject item) => policy.ColdClass is { } storageClass && item.StorageClass == storageClass;

    /// <summary>Segments of frames of which a gateway's ledger says that all they became is in the store. A log that no ledger speaks of keeps its frames.</summary>
    public async Task<IReadOnlyList<Removal>> FindFramesAsync(CancellationToken cancellationToken)
    {
        if (policy.Frames is not { } kept) return [];
        var settled = new Dictionary<(string Stream, string Log), long>();
        await foreach (var item in lake.Store.ListAsync("ledger/", cancellationToken))
            if (await lake.Documents.GetAsync(item.Key, ContractsJson.Default.Ledger, cancellationToken) is { StoredFrames: { } stored } ledger) settled[(ledger.Stream.Value, $"{ledger.Gateway}-{stored.Log}")] = stored.SettledUpTo;
        return await lake.Store.ListAsync("frames/", cancellationToken)
            .Where(o => lake.IsOlder(o.LastModified, kept) && OriginOf(o.Key) is { } origin && settled.TryGetValue((origin.Stream, origin.Log), out var upTo) && origin.Position < upTo && !IsCold(o))
            .Select(o => new Removal("frames", o.Key, o.Bytes, $"stored on {o.LastModified:yyyy-MM-dd}, more than {kept.TotalDays:0.##} days ago, and all that it became is stored, too", policy.ColdStorage) { StorageClass = policy.ColdClass }).ToListAsync(cancellationToken);
    }

    /// <summary><c>frames/{stream}/…/{gateway}-{log}-{position}.frames</c></summary>
    static (string Stream, string Log, long Position)? OriginOf(string key)
    {
        var name = Path.GetFileNameWithoutExtension(key[(key.LastIndexOf('/') + 1)..]);
        var at = name.LastIndexOf('-');
        return at > 0 && long.TryParse(name.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? (key.Split('/')[1], name[..at], position) : null;
    }

    /// <summary>What the window's rows were made of by the replay that its manifest has: replays begin with it, and it goes with the window.</summary>
    /// <returns>Null when it is not known.</returns>
    async Task<IEnumerable<ObjectRef>?> ReplacedAsync(WindowManifest manifest, CancellationToken cancellationToken)
    {
        ListedObject? newest = null;
        await foreach (var item in lake.Store.ListAsync(LakeLayout.WindowReplaysOf(manifest.Stream, manifest.Window), cancellationToken)) newest = item;
        if (newest is not { } record) return [];
        if (await lake.Documents.GetAsync(record.Key, ContractsJson.Default.WindowReplay, cancellationToken) is not { } replay) return null;
        if (!replay.IsIn(manifest)) return [];
        return replay.Sources.ExceptBy(manifest.Segments.Select(s => s.Key), s => s.Key);
    }

    async Task<Retirement?> RetireAsync(
        WindowManifest manifest, List<ObjectRef> left, IReadOnlyList<string> pipelines, Func<string, CancellationToken, Task<RawProof?>> proofs, CancellationToken cancellationToken)
    {
        var (stream, window) = (manifest.Stream.Value, manifest.Window.Value);
        var expected = RawProofs.Fingerprint(manifest.Segments);
        var tables = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var pipeline in pipelines)
        {
            if (await proofs(RawProofs.Key(stream, window, manifest.Revision, pipeline), cancellationToken) is not { } proof || proof.Sha256 != expected || proof.Rows != manifest.Rows) return null;
            var record = RunId.IsValid(proof.Run) ? await lake.Documents.GetAsync(LakeLayout.RunRecord(new(proof.Run)), ContractsJson.Default.RunRecord, cancellationToken) : null;
            tables.UnionWith(record?.Published.Select(p => p.Table.Value) ?? []);
        }
        var why = $"window {window} was sealed on {manifest.SealedAt:yyyy-MM-dd}, and {string.Join(", ", pipelines)} read revision {manifest.Revision} with its {manifest.Rows} rows and published it";
        return new(
            new(stream, window, manifest.Revision, manifest.Rows, manifest.Bytes, manifest.Segments.Count, lake.Now, policy.ColdStorage) { Tables = [.. tables] },
            [.. left.Select(s => new Removal("raw", s.Key, s.Bytes, why, policy.ColdStorage) { Sha256 = s.Sha256, StorageClass = policy.ColdClass })]);
    }

    /// <summary>The newest manifest of each window: keys come in order.</summary>
    async Task<SortedDictionary<string, ListedObject>> NewestAsync(string stream, CancellationToken cancellationToken)
    {
        var newest = new SortedDictionary<string, ListedObject>(StringComparer.Ordinal);
        await foreach (var item in lake.Store.ListAsync(LakeLayout.Windows(new(stream)), cancellationToken))
            if (item.Key.Split('/') is [_, _, var window, _]) newest[window] = item;
        return newest;
    }
}
