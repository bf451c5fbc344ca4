using System.Buffers;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Validation;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>Validates frames by a document, as a gateway would have at the time they were received. Not thread-safe.</summary>
sealed class FrameReplay
{
    /// <summary>The gateway's own limits of what it keeps do not matter here: what is rejected again stays where it is.</summary>
    static readonly GatewayOptions Unused = new() { Streams = [], Lake = new() { Root = "." }, LogDirectory = "." };

    readonly StreamIntake _stream;
    readonly TimeProvider _time;
    readonly IntakeScratch _scratch = new();
    readonly ArrayBufferWriter<byte> _block = new();
    (FrameIntake Intake, long Connection, string Peer)? _last;

    /// <exception cref="LeanPipeException"><c>gateway.bad_schema</c>, <c>gateway.bad_framing</c></exception>
    public FrameReplay(StreamDefinition definition, TimeProvider time)
    {
        // How many windows are open is a gateway's worry: here each is sealed as soon as it is done.
        _stream = new(definition with { Limits = definition.Limits with { MaxOpenWindows = int.MaxValue } }, 0, time.GetUtcNow());
        _time = time;
    }

    public IReadOnlyList<SegmentColumn> Columns => _stream.Columns;

    /// <summary>The reason the frame is rejected for; null when it is a record, which then stands in <paramref name="line"/>.</summary>
    /// <param name="line">Valid until the next call.</param>
    public string? Judge(RejectedFrame frame, out WindowId window, out ReadOnlySpan<byte> line)
    {
        _block.ResetWrittenCount();
        KeptFramesWriter.Begin(_block, frame.Connection, frame.Peer, client: null, frame.ReceivedAt);
        KeptFramesWriter.Add(_block, KeptFault.None, frame.Raw, frame.Raw.Length, isTruncated: false);
        KeptFramesWriter.End(_block, 1);
        if (frame.Raw.Length > _stream.Definition.Limits.MaxFrameBytes)
        {
            window = default;
            line = default;
            return RejectCode.FrameTooLarge.Text();
        }
        IntakeOf(frame).Judge(KeptFrames.Read(_block.WrittenSpan, out _), _scratch);
        var run = _scratch.Runs[0];
        window = WindowId.Of(new(run.WindowTicks, TimeSpan.Zero), _stream.Definition.Window);
        line = _scratch.Rewritten.WrittenSpan.Slice(run.Offset, run.Length);
        return run.Code == RejectCode.None ? null : run.Code.Text();
    }

    FrameIntake IntakeOf(RejectedFrame frame)
    {
        if (_last is { } last && last.Connection == frame.Connection && last.Peer == frame.Peer) return last.Intake;
        var intake = new FrameIntake(_stream, Unused, _time, frame.Connection, frame.Peer);
        _last = (intake, frame.Connection, frame.Peer);
        return intake;
    }
}
