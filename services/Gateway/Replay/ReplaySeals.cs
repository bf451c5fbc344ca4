using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>Makes what replays of rejects have declared a new revision of each window, and tells the sidecar.</summary>
/// <remarks>
/// The order is the guarantee: records of replays; then, per window, a manifest by put-if-absent that lists the newest one's segments and those that are missing in it; then the event; then the mark that it was told. It looks at
/// all records of the stream, so what an earlier replay left undone is done by the next one. Who loses a revision to a gateway builds on that. What a replay of the whole window was made from is not missing.
/// </remarks>
sealed class ReplaySeals(IObjectStore store, StreamName stream, WindowRevisions revisions, ReplayReport report)
{
    public async Task RunAsync(IReadOnlyDictionary<WindowId, long> unwritten, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, CancellationToken stop)
    {
        var declared = await DeclaredAsync(stop);
        foreach (var window in declared.Keys.Union(unwritten.Keys).Order())
        {
            var newest = await SealAsync(window, declared.GetValueOrDefault(window) ?? [], unwritten.GetValueOrDefault(window), stop);
            if (newest is not null && !report.DryRun) await revisions.TellAsync(newest, publish, report, stop);
        }
    }

    async Task<SortedDictionary<WindowId, List<(ReplayRecord Record, ObjectRef Segment)>>> DeclaredAsync(CancellationToken stop)
    {
        var declared = new SortedDictionary<WindowId, List<(ReplayRecord, ObjectRef)>>();
        await foreach (var item in store.ListAsync(LakeLayout.Replays(stream), stop))
        {
            if (await store.GetJsonAsync(item.Key, ContractsJson.Default.ReplayRecord, stop) is not { } record) continue;
            foreach (var segment in record.Segments)
            {
                if (!declared.TryGetValue(segment.Window, out var segments)) declared.Add(segment.Window, segments = []);
                segments.Add((record with { Lines = [] }, segment.Object));
            }
        }
        return declared;
    }

    /// <returns>The newest manifest of the window, this one or another; null when there is none.</returns>
    async Task<WindowManifest?> SealAsync(WindowId window, List<(ReplayRecord Record, ObjectRef Segment)> declared, long unwritten, CancellationToken stop)
    {
        while (true)
        {
            // The manifest first: whatever it does not list because a replay of the window took its place is in a record that is there by then.
            var before = await revisions.NewestAsync(window, stop);
            var (remade, _, _) = await revisions.ReplaysAsync(window, stop);
            var known = (before?.Segments ?? []).Concat(remade?.Sources ?? []).Select(s => s.Key).ToHashSet();
            var missing = new List<(ReplayRecord Record, ObjectRef Segment)>();
            foreach (var segment in declared.Where(d => !known.Contains(d.Segment.Key)))
                // What housekeeping took with its window does not come back.
                if (await store.SizeAsync(segment.Segment.Key, stop) is not null) missing.Add(segment);
            var rows = missing.Sum(m => m.Segment.Rows) + unwritten;
            if (rows > 0 && report.DryRun) report.Windows.Add(new(window, (before?.Revision ?? 0) + 1, rows));
            if (missing.Count == 0 || report.DryRun) return before;

            var schema = missing.Select(m => (m.Record.Schema, m.Record.Columns)).Aggregate(WindowManifest.Newer);
            if (before is not null) schema = WindowManifest.Newer((before.Schema, before.Columns), schema);
            if (await revisions.TryAddAsync(window, before, schema, [.. (before?.Segments ?? []).Concat(missing.Select(m => m.Segment))], stop) is not { } manifest) continue;
            report.Windows.Add(new(window, manifest.Revision, rows));
            return manifest;
        }
    }
}
