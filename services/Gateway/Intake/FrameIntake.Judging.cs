using System.Buffers;
using System.Runtime.InteropServices;
using LeanPipe.Gateway.Decoding;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Intake;

/// <summary>From a frame to a record or a reject, whether it has just come or was kept.</summary>
sealed partial class FrameIntake
{
    /// <summary>Validates frames that were kept, as of the time they were received; the scratch then has what they became.</summary>
    /// <exception cref="Contracts.LeanPipeException"><c>gateway.frames_broken</c></exception>
    public void Judge(KeptFrames frames, IntakeScratch scratch)
    {
        if (_format != _stream.Format) Use(_stream.Format);
        _isKept = true;
        Begin(scratch, frames.ReceivedAt);
        try
        {
            foreach (var frame in frames)
            {
                if (frame.Fault == KeptFault.None)
                {
                    JudgeFrame(frame.Bytes, (int)frame.WireBytes);
                    continue;
                }
                var code = frame.Fault switch { KeptFault.TooLarge => RejectCode.FrameTooLarge, KeptFault.BadLength => RejectCode.BadLength, _ => RejectCode.BadHeader };
                _verdict.Fail(code, code == RejectCode.FrameTooLarge ? _format.Definition.Limits.MaxFrameBytes : 0);
                Reject(frame.Bytes, frame.WireBytes, frame.IsTruncated);
            }
        }
        finally
        {
            End();
        }
    }

    /// <param name="lineAt">Where the frame and the LF behind it stand in the buffer; -1 when they do not.</param>
    void JudgeFrame(ReadOnlySpan<byte> frame, int consumed, int lineAt = -1)
    {
        if (_decoder is not null) Decode(frame, consumed);
        else if (!_format.Validator.Accepts(frame, _verdict) || !IsInTime()) Reject(frame, consumed);
        else if (_verdict.MustRewrite) Rewrite(frame, consumed);
        else if (lineAt >= 0) Record(isRewritten: false, lineAt, consumed, consumed);
        else
        {
            var length = frame.Length;
            // In a segment LF ends a record. Within one it can only be white space, for a string of JSON holds no control characters.
            var start = _rewritten.WrittenCount;
            frame.Replace(_rewritten.GetSpan(length), (byte)'\n', (byte)' ');
            _rewritten.Advance(length);
            _rewritten.Write("\n"u8);
            Record(isRewritten: true, start, length + 1, consumed);
        }
    }

    void Decode(ReadOnlySpan<byte> frame, int consumed)
    {
        // What may have to be rewritten is decoded beside the lines, so that lines stay neighbours.
        var target = _format.Rewriter is null ? _rewritten : _decoded;
        if (target == _decoded) _decoded.ResetWrittenCount();
        var start = target.WrittenCount;
        var isDecoded = _decoder!.TryDecode(frame, _now, target, _verdict);
        if (!isDecoded || !_format.Validator.Accepts(target.WrittenSpan[start..], _verdict) || !IsInTime())
        {
            // The half-made line stays in the buffer, but no run names it.
            if (isDecoded) _verdict.Offset = _decoder.OffsetInFrame(_verdict);
            Reject(frame, consumed);
            return;
        }
        if (_verdict.MustRewrite)
        {
            Rewrite(_decoded.WrittenSpan, consumed);
            return;
        }
        if (target == _decoded)
        {
            start = _rewritten.WrittenCount;
            _rewritten.Write(_decoded.WrittenSpan);
        }
        _rewritten.Write("\n"u8);
        Record(isRewritten: true, start, _rewritten.WrittenCount - start, consumed);
    }

    /// <summary>The record as its schema has it: defaults and stamps written, aliases replaced, unknown fields in their column.</summary>
    void Rewrite(ReadOnlySpan<byte> record, int consumed)
    {
        var start = _rewritten.WrittenCount;
        _format.Rewriter!.Write(record, _stamps, _verdict, _rewritten);
        _rewritten.Write("\n"u8);
        Record(isRewritten: true, start, _rewritten.WrittenCount - start, consumed);
    }

    bool IsInTime()
    {
        var ticks = _verdict.EventTicks;
        var code = ticks > _newestTicks ? RejectCode.TooFarAhead
            : ticks < _oldestTicks ? RejectCode.TooFarBehind
            : IsOpen(ticks) ? RejectCode.None : RejectCode.TooManyWindows;
        if (code == RejectCode.None) return true;
        _verdict.Fail(code, 0);
        return _verdict.In(_format.Definition.EventTime);
    }

    bool IsOpen(long ticks)
    {
        if ((ulong)(ticks - _openWindow) < (ulong)_windowLength) return true;
        var window = ticks - ticks % _windowLength;
        if (!_stream.Windows.TryOpen(window)) return false;
        _openWindow = window;
        return true;
    }

    void Record(bool isRewritten, int offset, int length, int wireBytes)
    {
        var ticks = _verdict.EventTicks;
        if (_runs.Count > 0)
        {
            ref var last = ref CollectionsMarshal.AsSpan(_runs)[^1];
            if (last.Code == RejectCode.None && last.IsRewritten == isRewritten && last.Offset + last.Length == offset && ticks >= last.WindowTicks && ticks < last.WindowTicks + _windowLength && last.WindowMinutes == _windowMinutes)
            {
                last.Length += length;
                last.Rows++;
                last.WireBytes += wireBytes;
                last.MaxEventTicks = Math.Max(last.MaxEventTicks, ticks);
                return;
            }
        }
        _runs.Add(new() { IsRewritten = isRewritten, Offset = offset, Length = length, Rows = 1, WireBytes = wireBytes, WindowTicks = ticks - ticks % _windowLength, WindowMinutes = _windowMinutes, MaxEventTicks = ticks });
    }

    void Reject(ReadOnlySpan<byte> frame, long wireBytes, bool isTruncated = false)
    {
        if (_keeps)
        {
            var kept = _verdict.Code == RejectCode.FrameTooLarge ? frame[..Math.Min(frame.Length, _options.RejectKeepsBytes)] : frame;
            var fault = _verdict.Code switch { RejectCode.FrameTooLarge => KeptFault.TooLarge, RejectCode.BadLength => KeptFault.BadLength, _ => KeptFault.BadHeader };
            Keep(fault, kept, wireBytes, isTruncated || kept.Length < frame.Length);
            return;
        }
        var start = _rewritten.WrittenCount;
        var raw = frame[..Math.Min(frame.Length, _options.RejectKeepsBytes)];
        RejectLine.Write(
            _rewritten, _verdict.Code, _verdict.Field(frame), _verdict.Offset, _connection, _peer, _client, _now, raw, isTruncated || raw.Length < frame.Length, wireBytes, _isKept);
        _runs.Add(new()
        {
            Code = _verdict.Code,
            IsRewritten = true,
            Offset = start,
            Length = _rewritten.WrittenCount - start,
            Rows = 1,
            WireBytes = wireBytes,
            WindowTicks = _arrival.Ticks,
            WindowMinutes = _arrival.Minutes,
        });
    }
}
