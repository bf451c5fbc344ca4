using System.Buffers.Binary;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Intake;

/// <summary>What framing has found about a frame that is kept as it came. Numbers are the format.</summary>
enum KeptFault : byte
{
    None = 0,
    TooLarge = 1,
    BadLength = 2,

    /// <summary>Behind a CSV header that does not name the columns.</summary>
    BadHeader = 3,
}

/// <summary>One frame of a block.</summary>
/// <param name="bytes">Exactly as they came, without the framing's own.</param>
readonly ref struct KeptFrame(KeptFault fault, bool isTruncated, long wireBytes, ReadOnlySpan<byte> bytes)
{
    public KeptFault Fault { get; } = fault;

    /// <summary>Whether the frame was longer than what is kept of it.</summary>
    public bool IsTruncated { get; } = isTruncated;

    /// <summary>Of the frame on the wire, framing included.</summary>
    public long WireBytes { get; } = wireBytes;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;
}

/// <summary>Frames of one connection that were read at one time, as they came: the unit that a log entry and a segment of frames hold (docs/specs/lake.md, Segments of frames).</summary>
/// <remarks>0 magic "LFRM" · 4 CRC-32C of all behind it u32 · 8 bytes of the block u32 · 12 frames u32 · 16 connection i64 · 24 received ticks i64 · 32 peer's length u16 · 34 client's length + 1 u16, 0 without one · 36 zero u32 · 40 peer · client · frames</remarks>
readonly ref struct KeptFrames
{
    public const int HeadBytes = 40;
    public const int FrameHeadBytes = 8;
    public const uint Magic = 0x4D52464C;
    public const byte Truncated = 1;

    readonly ReadOnlySpan<byte> _block;
    readonly int _frames;

    KeptFrames(ReadOnlySpan<byte> block, int frames)
    {
        (_frames, Connection) = (frames, BinaryPrimitives.ReadInt64LittleEndian(block[16..]));
        ReceivedAt = new(BinaryPrimitives.ReadInt64LittleEndian(block[24..]), TimeSpan.Zero);
        int peer = BinaryPrimitives.ReadUInt16LittleEndian(block[32..]), client = BinaryPrimitives.ReadUInt16LittleEndian(block[34..]);
        Peer = Encoding.UTF8.GetString(block.Slice(HeadBytes, peer));
        Client = client == 0 ? null : Encoding.UTF8.GetString(block.Slice(HeadBytes + peer, client - 1));
        _block = block[(HeadBytes + peer + Math.Max(0, client - 1))..];
    }

    public long Connection { get; }

    public DateTimeOffset ReceivedAt { get; }

    public string Peer { get; }

    /// <summary>The name in the client's certificate; null when it showed none.</summary>
    public string? Client { get; }

    /// <summary>Reads the block at the beginning of the bytes.</summary>
    /// <param name="length">Bytes of the block.</param>
    /// <exception cref="LeanPipeException"><c>gateway.frames_broken</c></exception>
    public static KeptFrames Read(ReadOnlySpan<byte> bytes, out int length)
    {
        length = LengthOf(bytes);
        if (Crc32C.Compute(bytes[8..length]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..])) throw Broken();
        return new(bytes[..length], BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]));
    }

    /// <summary>Frames in a whole segment.</summary>
    /// <exception cref="LeanPipeException"><c>gateway.frames_broken</c></exception>
    public static int CountFrames(ReadOnlySpan<byte> segment)
    {
        var count = 0;
        for (; !segment.IsEmpty; segment = segment[LengthOf(segment)..]) count += BinaryPrimitives.ReadInt32LittleEndian(segment[12..]);
        return count;
    }

    public Enumerator GetEnumerator() => new(_block, _frames);

    static int LengthOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeadBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic) throw Broken();
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        return length >= HeadBytes && length <= bytes.Length ? length : throw Broken();
    }

    static LeanPipeException Broken() => new("gateway.frames_broken", "A block of kept frames is broken: its length or its checksum is not what was written. Restore the object, or the log, that it stands in.");

    public ref struct Enumerator(ReadOnlySpan<byte> rest, int frames)
    {
        ReadOnlySpan<byte> _rest = rest;
        int _left = frames;

        public KeptFrame Current { get; private set; }

        public bool MoveNext()
        {
            if (_left == 0) return false;
            _left--;
            var isTruncated = _rest[1] == Truncated;
            var bytes = BinaryPrimitives.ReadInt32LittleEndian(_rest[4..]);
            var head = isTruncated ? FrameHeadBytes + sizeof(long) : FrameHeadBytes;
            var wireBytes = isTruncated ? BinaryPrimitives.ReadInt64LittleEndian(_rest[FrameHeadBytes..]) : bytes + BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]);
            Current = new((KeptFault)_rest[0], isTruncated, wireBytes, _rest.Slice(head, bytes));
            _rest = _rest[(head + bytes)..];
            return true;
        }
    }
}
