using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Serialization;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Log;

/// <summary>The window of the gateway's clock in which bytes arrived. An older gateway's entries have none.</summary>
/// <param name="Ticks">Of its start.</param>
/// <param name="Minutes">Its length.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct Arrival(long Ticks, int Minutes)
{
    [JsonIgnore]
    public bool IsUnknown => Minutes == 0;

    [JsonIgnore]
    public WindowId Window => WindowId.Of(new DateTimeOffset(Ticks, TimeSpan.Zero), new(TimeSpan.FromMinutes(Minutes)));
}

/// <summary>Bytes that framing has finished with. 0 stream u16 · 2 minutes of the window of arrival u16 · 4 received u32 · 8 blank u32 · 12 connection u64 · 20 start of the window of arrival i64; older entries end before it</summary>
/// <param name="Received">By the connection's own count of bytes, which is independent of the frames' lengths.</param>
/// <param name="Blank">Of these, bytes of empty lines and CSV headers: framing without a frame.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct ReadEntry(int Stream, int Received, int Blank, long Connection, Arrival Arrival)
{
    public const int Bytes = 28;
    const int BytesWithoutArrival = 20;

    public void Write(Span<byte> body)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(body, (ushort)Stream);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], (ushort)Arrival.Minutes);
        BinaryPrimitives.WriteInt32LittleEndian(body[4..], Received);
        BinaryPrimitives.WriteInt32LittleEndian(body[8..], Blank);
        BinaryPrimitives.WriteInt64LittleEndian(body[12..], Connection);
        BinaryPrimitives.WriteInt64LittleEndian(body[20..], Arrival.Ticks);
    }

    public static ReadEntry Read(ReadOnlySpan<byte> body) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(body), BinaryPrimitives.ReadInt32LittleEndian(body[4..]), BinaryPrimitives.ReadInt32LittleEndian(body[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(body[12..]), body.Length == BytesWithoutArrival ? default : new(BinaryPrimitives.ReadInt64LittleEndian(body[20..]), BinaryPrimitives.ReadUInt16LittleEndian(body[2..])));
}

/// <summary>
/// Lines of records. 0 stream u16 · 2 window minutes u16 · 4 rows u32 · 8 window start ticks i64 · 16 newest event time ticks i64 · 24 connection u64 · 32 wire bytes u32 · 36 lines
/// </summary>
/// <param name="WireBytes">Of the frames on the wire, delimiters included.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct RecordsEntry(int Stream, int WindowMinutes, int Rows, long WindowTicks, long MaxEventTicks, long Connection, int WireBytes)
{
    public const int HeadBytes = 36;

    public void Write(Span<byte> body)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(body, (ushort)Stream);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], (ushort)WindowMinutes);
        BinaryPrimitives.WriteInt32LittleEndian(body[4..], Rows);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], WindowTicks);
        BinaryPrimitives.WriteInt64LittleEndian(body[16..], MaxEventTicks);
        BinaryPrimitives.WriteInt64LittleEndian(body[24..], Connection);
        BinaryPrimitives.WriteInt32LittleEndian(body[32..], WireBytes);
    }

    public static RecordsEntry Read(ReadOnlySpan<byte> body) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(body), BinaryPrimitives.ReadUInt16LittleEndian(body[2..]), BinaryPrimitives.ReadInt32LittleEndian(body[4..]),
        BinaryPrimitives.ReadInt64LittleEndian(body[8..]), BinaryPrimitives.ReadInt64LittleEndian(body[16..]), BinaryPrimitives.ReadInt64LittleEndian(body[24..]),
        BinaryPrimitives.ReadInt32LittleEndian(body[32..]));
}

/// <summary>A rejected frame. 0 stream u16 · 2 window minutes u16 · 4 code's length u32 · 8 window start ticks i64 · 16 connection u64 · 24 wire bytes i64 · 32 code · line</summary>
/// <param name="WindowTicks">Of the time it was received.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct RejectEntry(int Stream, int WindowMinutes, int CodeLength, long WindowTicks, long Connection, long WireBytes)
{
    public const int HeadBytes = 32;

    public void Write(Span<byte> body)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(body, (ushort)Stream);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], (ushort)WindowMinutes);
        BinaryPrimitives.WriteInt32LittleEndian(body[4..], CodeLength);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], WindowTicks);
        BinaryPrimitives.WriteInt64LittleEndian(body[16..], Connection);
        BinaryPrimitives.WriteInt64LittleEndian(body[24..], WireBytes);
    }

    public static RejectEntry Read(ReadOnlySpan<byte> body) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(body), BinaryPrimitives.ReadUInt16LittleEndian(body[2..]), BinaryPrimitives.ReadInt32LittleEndian(body[4..]),
        BinaryPrimitives.ReadInt64LittleEndian(body[8..]), BinaryPrimitives.ReadInt64LittleEndian(body[16..]), BinaryPrimitives.ReadInt64LittleEndian(body[24..]));

    public string Code(ReadOnlySpan<byte> body) => string.Intern(Encoding.ASCII.GetString(body.Slice(HeadBytes, CodeLength)));
}

/// <summary>A connection began, or ended. 0 stream u16 · 2 minutes of the window of arrival u16 · 4 connection u64 · 12 received i64 · 20 partial i64 · 28 start of the window of arrival i64; all behind the connection is zero when it began, and older entries end before the window.</summary>
/// <param name="Received">By the connection's own count, what no Read entry has said.</param>
/// <param name="Partial">Bytes behind the last whole frame.</param>
/// <param name="Arrival">Of when it ended.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct ConnectionEntry(int Stream, long Connection, long Received, long Partial, Arrival Arrival = default)
{
    public const int Bytes = 36;
    const int BytesWithoutArrival = 28;

    public void Write(Span<byte> body)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(body, (ushort)Stream);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], (ushort)Arrival.Minutes);
        BinaryPrimitives.WriteInt64LittleEndian(body[4..], Connection);
        BinaryPrimitives.WriteInt64LittleEndian(body[12..], Received);
        BinaryPrimitives.WriteInt64LittleEndian(body[20..], Partial);
        BinaryPrimitives.WriteInt64LittleEndian(body[28..], Arrival.Ticks);
    }

    public static ConnectionEntry Read(ReadOnlySpan<byte> body) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(body), BinaryPrimitives.ReadInt64LittleEndian(body[4..]), BinaryPrimitives.ReadInt64LittleEndian(body[12..]),
        BinaryPrimitives.ReadInt64LittleEndian(body[20..]), body.Length == BytesWithoutArrival ? default : new(BinaryPrimitives.ReadInt64LittleEndian(body[28..]), BinaryPrimitives.ReadUInt16LittleEndian(body[2..])));
}
