using LeanPipe.Contracts;
using LeanPipe.Gateway.Replay;
using LeanPipe.Lake;

namespace LeanPipe.Gateway;

/// <summary>Validates rejected frames of a stream again, by a version of its document, and makes what passes a new revision of each window that it belongs to.</summary>
/// <remarks>
/// It needs no gateway and may run beside one. It may be stopped at any point and run again, by the same version or another: a frame becomes a record once. The gateway's ledger stays as it is, for the frame was rejected; the
/// replay's own records say which rejects are records now, and <c>leanpipe audit</c> adds them.
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
        await new ReplaySeals(store, stream.Name, report, time).RunAsync(replay.Unwritten, publish, stop);
        return report;
    }
}
