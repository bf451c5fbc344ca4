using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Intake;

/// <summary>The short way of lines of JSON: what the quick walk accepts where it stands, with LF behind it, needs no frame to be found first.</summary>
/// <remarks>It leads to where the long way leads. What the walk is not sure about is framed and judged there, one frame, and the short way begins anew behind it.</remarks>
sealed partial class FrameIntake
{
    /// <summary>After so many frames in a row that the walk was not sure about, the rest of the portion goes the long way: lines that end with CR LF, say, would all be walked twice.</summary>
    const int MostMisses = 2;

    /// <returns>Whether there was a line to take.</returns>
    bool TakeLines(ReadOnlySpan<byte> buffer, ref int at)
    {
        if (_format.Lines is not { } record || _keeps || _isSkipping || _isHeaderNext || _isHeaderBad) return false;
        var begin = at;
        var most = _format.Definition.Limits.MaxFrameBytes;
        while (at < buffer.Length && _format == _stream.Format)
        {
            var end = QuickWalk.LineEnd(buffer, at, record, out var ticks);
            if (end < 0 || end - at > most) break;
            var consumed = end + 1 - at;
            Frames++;
            _verdict.Accept(ticks);
            if (IsInTime()) Record(isRewritten: false, at, consumed, consumed);
            else Reject(buffer[at..end], consumed);
            at = end + 1;
        }
        if (at == begin) return false;
        _scanned = 0;
        return true;
    }
}
