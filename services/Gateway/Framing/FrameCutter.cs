using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Framing;

/// <summary>A stream's framing, compiled. Immutable; one switch per frame, and what looks at single bytes is vectorised.</summary>
sealed class FrameCutter
{
    const byte Lf = (byte)'\n';

    readonly Kind _kind;
    readonly int _max;
    readonly byte _delimiter = Lf;
    readonly int _bytes;
    readonly bool _isBigEndian;
    readonly bool _includesHead;

    public FrameCutter(FramingDefinition definition, int maxFrameBytes)
    {
        _max = maxFrameBytes;
        switch (definition)
        {
            case NewlineFramingDefinition:
                _kind = Kind.Newline;
                break;
            case DelimiterFramingDefinition d:
                (_kind, _delimiter) = (Kind.Delimiter, d.Delimiter);
                break;
            case FixedFramingDefinition f when f.Bytes > 0 && f.Bytes <= maxFrameBytes:
                (_kind, _bytes) = (Kind.Fixed, f.Bytes);
                break;
            case LengthPrefixFramingDefinition { Bytes: 1 or 2 or 4 } p:
                (_kind, _bytes, _isBigEndian, _includesHead) = (Kind.Prefix, p.Bytes, p.BigEndian, p.IncludesHeader);
                break;
            case VarintFramingDefinition:
                _kind = Kind.Varint;
                break;
            case OctetCountingFramingDefinition:
                _kind = Kind.Octets;
                break;
            default:
                throw new LeanPipeException(
                    "gateway.bad_framing", $"The framing {definition} is not usable. Expected newline, a delimiter, a length of 1, 2 or 4 bytes, varint, octet counting, or a fixed size of 1 to max_frame bytes.");
        }
    }

    /// <summary>Reads the frame at the beginning of <paramref name="buffer"/>.</summary>
    /// <param name="scanned">Bytes at the beginning that an earlier call has found no delimiter in, so that a slow sender costs no second look.</param>
    public FrameFault TryRead(ReadOnlySpan<byte> buffer, int scanned, out FoundFrame frame)
    {
        int head;
        long length;
        FrameFault fault;
        switch (_kind)
        {
            case Kind.Newline:
                fault = NewlineFraming.TryRead(buffer, _max, scanned, out var line, out var consumed);
                frame = new(0, line, consumed, FoundFrame.Unknown);
                return fault;
            case Kind.Delimiter:
                return Delimited(buffer, scanned, out frame);
            case Kind.Fixed:
                (head, length, fault) = (0, _bytes, FrameFault.None);
                break;
            case Kind.Prefix:
                fault = FrameHead.Prefix(buffer, _bytes, _isBigEndian, _includesHead, out head, out length);
                break;
            case Kind.Varint:
                fault = FrameHead.Varint(buffer, out head, out length);
                break;
            default:
                fault = FrameHead.Decimal(buffer, out head, out length);
                break;
        }
        frame = default;
        if (fault != FrameFault.None) return fault;

        var isWhole = buffer.Length - head >= length;
        if (length <= _max && !isWhole) return FrameFault.Incomplete;
        frame = new(head, (int)Math.Min(length, buffer.Length - head), isWhole ? head + (int)length : 0, length);
        return length > _max ? FrameFault.TooLarge : FrameFault.None;
    }

    /// <summary>Ends an oversized frame without holding it.</summary>
    /// <param name="left">Bytes that its head announced and that are not skipped yet; <see cref="FoundFrame.Unknown"/> to skip to its delimiter.</param>
    /// <param name="skipped">Bytes that belong to it, delimiter included.</param>
    /// <param name="payload">Of these, bytes of the frame itself; a CR before LF counts as one.</param>
    /// <returns>Whether the frame ends in the buffer.</returns>
    public bool TrySkip(ReadOnlySpan<byte> buffer, long left, out int skipped, out int payload)
    {
        if (left != FoundFrame.Unknown)
        {
            payload = skipped = (int)Math.Min(left, buffer.Length);
            return skipped == left;
        }
        payload = buffer.IndexOf(_delimiter);
        skipped = payload + 1;
        if (payload >= 0) return true;
        payload = skipped = buffer.Length;
        return false;
    }

    /// <summary>The beginning of a frame that was skipped, less the CR that turned out to belong to its delimiter.</summary>
    public ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> whole) => _kind == Kind.Newline && whole is [.., (byte)'\r'] ? whole[..^1] : whole;

    FrameFault Delimited(ReadOnlySpan<byte> buffer, int scanned, out FoundFrame frame)
    {
        var end = buffer[scanned..].IndexOf(_delimiter);
        if (end < 0)
        {
            frame = new(0, buffer.Length, 0, FoundFrame.Unknown);
            return buffer.Length > _max ? FrameFault.TooLarge : FrameFault.Incomplete;
        }
        end += scanned;
        frame = new(0, end, end + 1, FoundFrame.Unknown);
        return end > _max ? FrameFault.TooLarge : FrameFault.None;
    }

    enum Kind
    {
        Newline,
        Delimiter,
        Fixed,
        Prefix,
        Varint,
        Octets,
    }
}
