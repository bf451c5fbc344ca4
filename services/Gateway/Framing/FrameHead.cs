using System.Buffers.Binary;

namespace LeanPipe.Gateway.Framing;

/// <summary>The lengths that stand before frames. Pure; every method says how many bytes the head has and how many follow it.</summary>
static class FrameHead
{
    /// <summary>A length fits 32 bits in every framing, so a varint has five bytes at most.</summary>
    const int LongestVarint = 5;

    const int LongestDecimal = 10;

    public static FrameFault Prefix(ReadOnlySpan<byte> buffer, int headBytes, bool isBigEndian, bool includesHead, out int head, out long length)
    {
        (head, length) = (headBytes, 0);
        if (buffer.Length < headBytes) return FrameFault.Incomplete;
        length = headBytes switch
        {
            1 => buffer[0],
            2 => isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(buffer) : BinaryPrimitives.ReadUInt16LittleEndian(buffer),
            _ => isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(buffer) : BinaryPrimitives.ReadUInt32LittleEndian(buffer),
        };
        if (includesHead) length -= headBytes;
        return length < 0 ? FrameFault.BadLength : FrameFault.None;
    }

    /// <summary>Unsigned LEB128, low groups first; an overlong form is taken when it has at most five bytes.</summary>
    public static FrameFault Varint(ReadOnlySpan<byte> buffer, out int head, out long length)
    {
        (head, length) = (0, 0);
        while (head < buffer.Length && head < LongestVarint)
        {
            var part = buffer[head];
            length |= (long)(part & 0x7F) << (7 * head);
            head++;
            if (part < 0x80) return length > uint.MaxValue ? FrameFault.BadLength : FrameFault.None;
        }
        return head == LongestVarint ? FrameFault.BadLength : FrameFault.Incomplete;
    }

    /// <summary>RFC 6587: <c>NONZERO-DIGIT *DIGIT SP</c>.</summary>
    public static FrameFault Decimal(ReadOnlySpan<byte> buffer, out int head, out long length)
    {
        (head, length) = (0, 0);
        while (head < buffer.Length)
        {
            var next = buffer[head];
            head++;
            if (next == ' ' && head > 1) return length > uint.MaxValue ? FrameFault.BadLength : FrameFault.None;
            if (next is < (byte)'0' or > (byte)'9' || head > LongestDecimal || (next == '0' && head == 1)) return FrameFault.BadLength;
            length = length * 10 + (next - '0');
        }
        return FrameFault.Incomplete;
    }
}
