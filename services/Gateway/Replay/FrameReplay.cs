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
    (FrameIntake Intake, long Connection, string Peer, string? Client)? _last;

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
        KeptFramesWriter.Begin(_block, frame.Connection, frame.Peer, frame.Client, frame.ReceivedAt);
        KeptFramesWriter.Add(_block, KeptFault.None, frame.Raw, frame.Raw.Length, isTruncated: false);
        KeptFramesWriter.End(_block, 1);
        if (frame.Raw.Length > _stream.Definition.Limits.MaxFrameBytes)
        {
            window = default;
            line = default;
            return RejectCode.FrameTooLarge.Text();
        }
        IntakeOf(frame.Connection, frame.Peer, frame.Client).Judge(KeptFrames.Read(_block.WrittenSpan, out _), _scratch);
        var run = _scratch.Runs[0];
        window = WindowOf(run);
        line = _scratch.Rewritten.WrittenSpan.Slice(run.Offset, run.Length);
        return run.Code == RejectCode.None ? null : run.Code.Text();
    }

    /// <summary>Adds what the frames of a block become.</summary>
    /// <exception cref="LeanPipeException"><c>gateway.frames_broken</c></exception>
    public void Judge(KeptFrames block, Remade target)
    {
        IntakeOf(block.Connection, block.Peer, block.Client).Judge(block, _scratch);
        foreach (var run in _scratch.Runs)
        {
            if (run.Code == RejectCode.None) target.Add(WindowOf(run), _scratch.Rewritten.WrittenSpan.Slice(run.Offset, run.Length), run.Rows);
            else target.Reject(run.Code.Text());
        }
    }

    WindowId WindowOf(Run run) => WindowId.Of(new(run.WindowTicks, TimeSpan.Zero), _stream.Definition.Window);

    FrameIntake IntakeOf(long connection, string peer, string? client)
    {
        if (_last is { } last && last.Connection == connection && last.Peer == peer && last.Client == client) return last.Intake;
        var intake = new FrameIntake(_stream, Unused, _time, connection, peer, client);
        _last = (intake, connection, peer, client);
        return intake;
    }
}
