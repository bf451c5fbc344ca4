using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>Makes what replays have declared a new revision of each window, and tells the sidecar.</summary>
/// <remarks>
/// The order is the guarantee: records of replays; then, per window, a manifest by put-if-absent that lists the newest one's segments and those that are missing in it; then the event; then the mark that it was told. It looks at
/// all records of the stream, so what an earlier replay left undone is done by the next one. Who loses a revision to a gateway builds on that.
/// </remarks>
sealed class ReplaySeals(IObjectStore store, StreamName stream, ReplayReport report, TimeProvider time)
{
    public async Task RunAsync(IReadOnlyDictionary<WindowId, long> unwritten, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, CancellationToken stop)
    {
        var declared = await DeclaredAsync(stop);
        foreach (var window in declared.Keys.Union(unwritten.Keys).Order())
        {
            var newest = await SealAsync(window, declared.GetValueOrDefault(window) ?? [], unwritten.GetValueOrDefault(window), stop);
            if (newest is { Reason: "replay" } && !report.DryRun) await TellAsync(newest, publish, stop);
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
            var before = await NewestAsync(window, stop);
            var missing = new List<(ReplayRecord Record, ObjectRef Segment)>();
            foreach (var segment in declared.Where(d => before?.Segments.Any(s => s.Key == d.Segment.Key) != true))
                // What housekeeping took with its window does not come back.
                if (await store.SizeAsync(segment.Segment.Key, stop) is not null) missing.Add(segment);
            var rows = missing.Sum(m => m.Segment.Rows) + unwritten;
            var revision = (before?.Revision ?? 0) + 1;
            if (rows > 0 && report.DryRun) report.Windows.Add(new(window, revision, rows));
            if (missing.Count == 0 || report.DryRun) return before;

            var schema = missing.Select(m => (m.Record.Schema, m.Record.Columns)).Aggregate(WindowManifest.Newer);
            if (before is not null) schema = WindowManifest.Newer((before.Schema, before.Columns), schema);
            var manifest = new WindowManifest
            {
                Stream = stream,
                Window = window,
                Revision = revision,
                SealedAt = time.GetUtcNow(),
                Reason = "replay",
                Schema = schema.Schema,
                Columns = schema.Columns,
                Segments = [.. (before?.Segments ?? []).Concat(missing.Select(m => m.Segment))],
            };
            if (!await store.PutJsonIfAbsentAsync(LakeLayout.WindowManifest(stream, window, revision), manifest, ContractsJson.Default.WindowManifest, stop)) continue;
            report.Windows.Add(new(window, revision, rows));
            return manifest;
        }
    }

    async Task<WindowManifest?> NewestAsync(WindowId window, CancellationToken stop)
    {
        string? newest = null;
        await foreach (var item in store.ListAsync(LakeLayout.WindowRevisions(stream, window), stop)) newest = item.Key;
        return newest is null ? null : await store.GetJsonAsync(newest, ContractsJson.Default.WindowManifest, stop);
    }

    async Task TellAsync(WindowManifest manifest, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, CancellationToken stop)
    {
        var mark = LakeLayout.ReplayTold(stream, manifest.Window, manifest.Revision);
        if (await store.SizeAsync(mark, stop) is not null) return;
        if (publish is null)
        {
            report.Unpublished++;
            return;
        }
        var told = new WindowSealed(stream, manifest.Window, manifest.Revision, LakeLayout.WindowManifest(stream, manifest.Window, manifest.Revision));
        var json = JsonSerializer.SerializeToUtf8Bytes(told, ContractsJson.Default.WindowSealed);
        await publish(json, stop);
        await store.PutAsync(mark, json, stop);
    }
}
