using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <summary>What replays have made of windows and later replays took the place of: segments, their records, marks of events.</summary>
/// <remarks>
/// A window is looked at when its newest manifest is older than the retention. Then whoever still replays it, or reads an older revision of it, has done so for as long. A replay builds on the newest manifest and the two newest
/// records and names nothing else that earlier ones made, so what these do not name is never named again; runs that are kept name their inputs in their plans, and those stay. Segments go before the record that names them:
/// nobody reads that record, and a pass that is cut short finds the rest by it.
/// </remarks>
sealed class ReplaySweep(LakeSnapshot lake, HousekeepingPolicy policy)
{
    const string Rule = "replay";

    HashSet<string>? planned;

    public async Task<IReadOnlyList<Removal>> FindAsync(CancellationToken cancellationToken)
    {
        var removals = new List<Removal>();
        if (policy.Replays is null) return removals;
        await foreach (var folder in lake.Store.ListFoldersAsync(LakeLayout.ReplayedStreams, cancellationToken))
        {
            if (!Name.IsValid(folder[..^1])) continue;
            var stream = new StreamName(folder[..^1]);
            var records = await ByWindowAsync(LakeLayout.WindowReplays(stream), cancellationToken);
            var told = await ByWindowAsync(LakeLayout.ReplaysTold(stream), cancellationToken);
            foreach (var window in records.Keys.Union(told.Keys).Order(StringComparer.Ordinal).Select(WindowId.Parse))
            {
                if (await OldManifestAsync(stream, window, cancellationToken) is not { } newest) continue;
                await AddRecordsAsync(newest, records.GetValueOrDefault(window.Value) ?? [], removals, cancellationToken);
                removals.AddRange(from mark in told.GetValueOrDefault(window.Value) ?? []
                                  where string.CompareOrdinal(mark.Key, LakeLayout.ReplayTold(stream, window, newest.Revision)) < 0
                                  select new Removal(Rule, mark.Key, mark.Bytes, $"the event of a revision before {newest.Revision}"));
            }
        }
        return removals;
    }

    async Task AddRecordsAsync(WindowManifest newest, IReadOnlyList<ListedObject> records, List<Removal> removals, CancellationToken cancellationToken)
    {
        if (records.Count < 3) return;
        var named = newest.Segments.Select(s => s.Key).ToHashSet();
        foreach (var item in records.TakeLast(2))
        {
            if (await ReadAsync(item.Key, cancellationToken) is not { } kept) return;
            named.UnionWith(kept.Sources.Concat(kept.Segments.Select(s => s.Object)).Select(s => s.Key));
        }
        var taken = new HashSet<string>();
        foreach (var item in records.SkipLast(2))
        {
            if (await ReadAsync(item.Key, cancellationToken) is not { } record) continue;
            var why = $"a later replay took its place, at the latest in revision {newest.Revision} of {newest.SealedAt:yyyy-MM-dd}";
            var left = false;
            foreach (var segment in record.Segments.Select(s => s.Object).Where(s => LakeLayout.IsRemade(s.Key) && !named.Contains(s.Key)))
            {
                if ((await PlannedAsync(cancellationToken)).Contains(segment.Key) || lake.IsNamed(segment.Key)) left = true;
                else if (taken.Add(segment.Key) && await lake.Store.SizeAsync(segment.Key, cancellationToken) is { } bytes) removals.Add(new(Rule, segment.Key, bytes, why));
            }
            if (!left) removals.Add(new(Rule, item.Key, item.Bytes, why));
        }
    }

    ValueTask<WindowReplay?> ReadAsync(string key, CancellationToken cancellationToken) => lake.Documents.GetAsync(key, ContractsJson.Default.WindowReplay, cancellationToken);

    /// <summary>The newest manifest of a window; null when there is none, or it is younger than the retention.</summary>
    async Task<WindowManifest?> OldManifestAsync(StreamName stream, WindowId window, CancellationToken cancellationToken)
    {
        ListedObject? newest = null;
        await foreach (var item in lake.Store.ListAsync(LakeLayout.WindowRevisions(stream, window), cancellationToken)) newest = item;
        if (newest is not { } listed || !lake.IsOlder(listed.LastModified, policy.Replays)) return null;
        var manifest = await lake.Documents.GetAsync(listed.Key, ContractsJson.Default.WindowManifest, cancellationToken);
        return manifest is not null && lake.IsOlder(manifest.SealedAt, policy.Replays) ? manifest : null;
    }

    /// <summary>What the plans of runs name that may be asked for again.</summary>
    async Task<HashSet<string>> PlannedAsync(CancellationToken cancellationToken)
    {
        if (planned is not null) return planned;
        planned = [];
        foreach (var run in lake.Runs.Where(r => r.Record is not { } ended || !lake.IsOlder(ended.LastModified, policy.Runs)))
            planned.UnionWith(await lake.Documents.NamesAsync(LakeLayout.RunPlan(new(run.Run)), cancellationToken));
        return planned;
    }

    async Task<Dictionary<string, List<ListedObject>>> ByWindowAsync(string prefix, CancellationToken cancellationToken)
    {
        var windows = new Dictionary<string, List<ListedObject>>(StringComparer.Ordinal);
        await foreach (var item in lake.Store.ListAsync(prefix, cancellationToken))
        {
            if (item.Key.Split('/') is not [_, _, _, var window, _] || !WindowId.IsValid(window)) continue;
            if (!windows.TryGetValue(window, out var items)) windows.Add(window, items = []);
            items.Add(item);
        }
        return windows;
    }
}
