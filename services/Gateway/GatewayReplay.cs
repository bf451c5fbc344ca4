using LeanPipe.Contracts;
using LeanPipe.Gateway.Replay;
using LeanPipe.Lake;

namespace LeanPipe.Gateway;

/// <summary>Validates what a stream has brought again, by a version of its document: rejected frames, or whole windows. What it makes are new revisions.</summary>
/// <remarks>
/// It needs no gateway and may run beside one. It may be stopped at any point and run again, by the same version or another: a frame is a record once. The gateway's ledger stays as it is; the replay's own records say what
/// became of rejects and of windows, and <c>leanpipe audit</c> reads them.
/// </remarks>
public static class GatewayReplay
{
    /// <param name="publish">Hands the event of a sealed window to the sidecar; null leaves the events to the next replay.</param>
    /// <exception cref="LeanPipeException"><c>gateway.bad_schema</c>, <c>gateway.bad_framing</c>, <c>gateway.rejects_broken</c>, or the lake fails.</exception>
    public static async Task<ReplayReport> RejectedAsync(
        IObjectStore store, StreamDefinition stream, ReplayOptions options, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, Action<ReplayProgress>? progress, TimeProvider time, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(options);
        var report = new ReplayReport { Stream = stream.Name, Schema = stream.SchemaId, DryRun = options.DryRun };
        var segments = new List<string>();
        await foreach (var item in store.ListAsync(LakeLayout.RejectedOf(stream.Name), stop)) segments.Add(item.Key);
        var replay = new RejectedSegment(store, new(stream, time), stream, options, report, time);
        foreach (var segment in segments)
        {
            await replay.ReplayAsync(segment, stop);
            progress?.Invoke(new(report.Segments, segments.Count, report.Frames, report.Passed));
        }
        await new ReplaySeals(store, stream.Name, new(store, stream.Name, time), report).RunAsync(replay.Unwritten, publish, stop);
        return report;
    }

    /// <summary>Makes windows anew from the frames as they came, where a gateway has kept them, and else from their records.</summary>
    /// <param name="publish">Hands the event of a sealed window to the sidecar; null leaves the events to the next replay.</param>
    /// <exception cref="LeanPipeException"><c>gateway.bad_schema</c>, <c>gateway.bad_framing</c>, <c>gateway.frames_broken</c>, <c>gateway.replay_moves</c>, or the lake fails.</exception>
    public static async Task<ReplayReport> WindowsAsync(
        IObjectStore store, StreamDefinition stream, ReplayOptions options, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, Action<ReplayProgress>? progress, TimeProvider time, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(options);
        var report = new ReplayReport { Stream = stream.Name, Schema = stream.SchemaId, DryRun = options.DryRun };

        // The ledgers first: a manifest that is read later lists at least what they say.
        var logs = await KeptLogs.ReadAsync(store, stream.Name, stop);
        var replays = new WindowReplays(store, stream, new(store, stream.Name, time), new(stream, time), new(store, stream.Name, options.DryRun), logs, report, time);
        await replays.RunAsync(options.Windows, publish, progress, stop);
        return report;
    }
}
