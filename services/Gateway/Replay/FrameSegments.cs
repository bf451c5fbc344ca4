using LeanPipe.Contracts;
using LeanPipe.Gateway.Intake;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>Validates the frames that are kept of a stream, in one pass over all of them, and writes what they become for the windows that are to be made of frames. Memory is needed for one segment of frames and what it becomes.</summary>
sealed class FrameSegments(IObjectStore store, StreamName stream, FrameReplay replay, KeptLogs logs, RemadeSegments segments, ReplayReport report)
{
    readonly Dictionary<(string Log, WindowId Window), List<RemadeSegment>> _made = [];

    /// <summary>What the frames of a log became in a window.</summary>
    public IReadOnlyList<RemadeSegment> Of(string log, WindowId window) => _made.GetValueOrDefault((log, window)) ?? [];

    public IEnumerable<WindowId> Windows => _made.Keys.Select(k => k.Window).Distinct();

    /// <param name="isWanted">Whether a log's part of a window is made of its frames.</param>
    public async Task RunAsync(Func<string, WindowId, bool> isWanted, Action<ReplayProgress>? progress, CancellationToken stop)
    {
        if (logs.Names.Count == 0) return;
        var keys = new List<string>();
        await foreach (var item in store.ListAsync(LakeLayout.FramesOf(stream), stop))
            if (logs.Knows(item.Key)) keys.Add(item.Key);
        foreach (var key in keys)
        {
            if (await store.GetAsync(key, stop) is not { } content) continue;
            var remade = new Remade();
            for (var rest = content.Span; !rest.IsEmpty;)
            {
                replay.Judge(KeptFrames.Read(rest, out var length), remade);
                rest = rest[length..];
            }
            report.Segments++;
            report.Frames += remade.Frames;
            foreach (var (code, count) in remade.Rejected) report.Rejected[code] = report.Rejected.GetValueOrDefault(code) + count;
            await KeepAsync(key, remade, isWanted, stop);
            progress?.Invoke(new(report.Segments, keys.Count, report.Frames, report.Passed));
        }
    }

    async Task KeepAsync(string key, Remade remade, Func<string, WindowId, bool> isWanted, CancellationToken stop)
    {
        var log = KeptLogs.OriginOf(key)!.Value.Log;
        foreach (var (window, (lines, rows)) in remade.Windows)
        {
            if (!isWanted(log, window))
            {
                report.Elsewhere += rows;
                continue;
            }
            report.Passed += rows;
            if (!_made.TryGetValue((log, window), out var made)) _made.Add((log, window), made = []);
            made.Add(await segments.WriteAsync(key, window, lines.WrittenMemory, rows, stop));
        }
    }
}
