using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LeanPipe.Gateway.Log;

/// <summary>Frames as they came. 0 stream u16 · 2 window minutes u16 · 4 frames u32 · 8 window start ticks i64 · 16 received i64 · 24 blank u32 · 28 connection u64 · 36 block</summary>
/// <param name="WindowTicks">Of the time they were received.</param>
/// <param name="Received">Bytes of the connection that framing has finished with, by the connection's own count.</param>
/// <param name="Blank">Of these, bytes of empty frames and CSV headers.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct FramesEntry(int Stream, int WindowMinutes, int Frames, long WindowTicks, long Received, int Blank, long Connection)
{
    public const int HeadBytes = 36;

    public void Write(Span<byte> body)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(body, (ushort)Stream);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], (ushort)WindowMinutes);
        BinaryPrimitives.WriteInt32LittleEndian(body[4..], Frames);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], WindowTicks);
        BinaryPrimitives.WriteInt64LittleEndian(body[16..], Received);
        BinaryPrimitives.WriteInt32LittleEndian(body[24..], Blank);
        BinaryPrimitives.WriteInt64LittleEndian(body[28..], Connection);
    }

    public static FramesEntry Read(ReadOnlySpan<byte> body) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(body), BinaryPrimitives.ReadUInt16LittleEndian(body[2..]), BinaryPrimitives.ReadInt32LittleEndian(body[4..]),
        BinaryPrimitives.ReadInt64LittleEndian(body[8..]), BinaryPrimitives.ReadInt64LittleEndian(body[16..]), BinaryPrimitives.ReadInt32LittleEndian(body[24..]),
        BinaryPrimitives.ReadInt64LittleEndian(body[28..]));
}

/// <summary>Frames are validated. 0 stream u16 · 2 zero u16 · 4 up to i64</summary>
/// <param name="UpTo">Every block of the stream's frames that begins before this position is.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct JudgedEntry(int Stream, long UpTo)
{
    public const int Bytes = 12;

    public void Write(Span<byte> body)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(body, (ushort)Stream);
        BinaryPrimitives.WriteInt64LittleEndian(body[4..], UpTo);
    }

    public static JudgedEntry Read(ReadOnlySpan<byte> body) => new(BinaryPrimitives.ReadUInt16LittleEndian(body), BinaryPrimitives.ReadInt64LittleEndian(body[4..]));
}
