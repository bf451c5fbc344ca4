using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Intake;

/// <summary>Writes one block of <see cref="KeptFrames"/> into an empty buffer.</summary>
static class KeptFramesWriter
{
    public static void Begin(ArrayBufferWriter<byte> target, long connection, string peer, string? client, DateTimeOffset receivedAt)
    {
        var head = target.GetSpan(KeptFrames.HeadBytes)[..KeptFrames.HeadBytes];
        head.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(head, KeptFrames.Magic);
        BinaryPrimitives.WriteInt64LittleEndian(head[16..], connection);
        BinaryPrimitives.WriteInt64LittleEndian(head[24..], receivedAt.UtcTicks);
        BinaryPrimitives.WriteUInt16LittleEndian(head[32..], (ushort)Encoding.UTF8.GetByteCount(peer));
        if (client is not null) BinaryPrimitives.WriteUInt16LittleEndian(head[34..], (ushort)(Encoding.UTF8.GetByteCount(client) + 1));
        target.Advance(KeptFrames.HeadBytes);
        Encoding.UTF8.GetBytes(peer, target);
        if (client is not null) Encoding.UTF8.GetBytes(client, target);
    }

    /// <param name="wireBytes">Of the frame on the wire, framing included.</param>
    public static void Add(ArrayBufferWriter<byte> target, KeptFault fault, ReadOnlySpan<byte> frame, long wireBytes, bool isTruncated)
    {
        var head = target.GetSpan(KeptFrames.FrameHeadBytes + sizeof(long));
        head[0] = (byte)fault;
        head[1] = isTruncated ? KeptFrames.Truncated : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(head[2..], isTruncated ? (ushort)0 : (ushort)(wireBytes - frame.Length));
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], frame.Length);
        if (isTruncated) BinaryPrimitives.WriteInt64LittleEndian(head[KeptFrames.FrameHeadBytes..], wireBytes);
        target.Advance(isTruncated ? KeptFrames.FrameHeadBytes + sizeof(long) : KeptFrames.FrameHeadBytes);
        target.Write(frame);
    }

    public static void End(ArrayBufferWriter<byte> target, int frames)
    {
        var block = MemoryMarshal.AsMemory(target.WrittenMemory).Span;
        BinaryPrimitives.WriteInt32LittleEndian(block[8..], block.Length);
        BinaryPrimitives.WriteInt32LittleEndian(block[12..], frames);
        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], Crc32C.Compute(block[8..]));
    }
}
