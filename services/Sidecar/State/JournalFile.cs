using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using LeanPipe.Contracts;

namespace LeanPipe.Sidecar.State;

/// <summary>The bytes of a journal file.</summary>
/// <remarks>
/// <code>
/// 0   8  "LPSJRNL" and the format's version byte (1)
/// 8   8  length in bytes of the snapshot that the file begins with, little-endian
/// 16  4  CRC-32C over the 16 bytes before it, little-endian
/// 20     frames, one behind the other:
///        0  4  magic "LPJF"
///        4  4  length of the payload in bytes, little-endian
///        8  4  CRC-32C over the length field and the payload, little-endian
///        12    payload: a serialized <see cref="Batch"/>
/// </code>
/// A frame is written only after the frame before it is on the disk. So a broken frame with a whole one anywhere behind it is
/// damage, not a crash, and is refused; a broken frame with nothing whole behind it is the write that a crash interrupted,
/// was never acknowledged, and is cut. The snapshot was whole before the file got its name, so nothing in it is ever cut.
/// </remarks>
static class JournalFile
{
    public const int HeaderBytes = 20;
    public const int FramePrefixBytes = 12;

    const int CheckedHeaderBytes = 16;

    static ReadOnlySpan<byte> Version => "LPSJRNL\u0001"u8;

    public static ReadOnlySpan<byte> FrameMagic => "LPJF"u8;

    public static byte[] Header(long snapshotBytes)
    {
        var header = new byte[HeaderBytes];
        Version.CopyTo(header);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(Version.Length), snapshotBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(CheckedHeaderBytes), ~Crc(uint.MaxValue, header.AsSpan(0, CheckedHeaderBytes)));
        return header;
    }

    public static byte[] Frame(Batch batch)
    {
        var length = batch.CalculateSize();
        var frame = new byte[FramePrefixBytes + length];
        FrameMagic.CopyTo(frame);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(4), length);
        batch.WriteTo(frame.AsSpan(FramePrefixBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), ~Crc(Crc(uint.MaxValue, frame.AsSpan(4, 4)), frame.AsSpan(FramePrefixBytes)));
        return frame;
    }

    /// <summary>What the header of a file announces; null when the file does not begin with one.</summary>
    public static long? SnapshotBytes(ReadOnlySpan<byte> header) =>
        header.Length == HeaderBytes && header.StartsWith(Version) && BinaryPrimitives.ReadUInt32LittleEndian(header[CheckedHeaderBytes..]) == ~Crc(uint.MaxValue, header[..CheckedHeaderBytes])
            ? BinaryPrimitives.ReadInt64LittleEndian(header[Version.Length..])
            : null;

    /// <summary>One frame that stands alone. False when it is broken.</summary>
    /// <exception cref="LeanPipeException">sidecar.journal_damaged</exception>
    public static bool ReplayFrame(ReadOnlySpan<byte> frame, string path, Action<Transaction> apply)
    {
        if (!TryFrame(frame, out var payload))
            return false;
        Apply(payload, path, at: 0, apply);
        return true;
    }

    public static void Apply(ReadOnlySpan<byte> payload, string path, long at, Action<Transaction> apply)
    {
        Batch batch;
        try
        {
            batch = Batch.Parser.ParseFrom(payload);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Damaged(path, at, "the checksum is right, but the content is not a batch of version 1", e);
        }

        foreach (var transaction in batch.Transactions)
            apply(transaction);
    }

    /// <summary>The length that a frame's prefix announces; null when none begins there, or fewer bytes follow.</summary>
    /// <param name="available">Bytes from the frame's beginning on.</param>
    public static int? PayloadBytes(ReadOnlySpan<byte> prefix, long available)
    {
        if (prefix.Length < FramePrefixBytes || !prefix.StartsWith(FrameMagic))
            return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(prefix[4..]);
        return length >= 0 && length <= available - FramePrefixBytes ? length : null;
    }

    static bool TryFrame(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (PayloadBytes(bytes, bytes.Length) is not { } length)
            return false;

        payload = bytes.Slice(FramePrefixBytes, length);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) == ~Crc(Crc(uint.MaxValue, bytes.Slice(4, 4)), payload);
    }

    /// <summary>CRC-32C goes on from <paramref name="crc"/>, which begins as all ones and is inverted at the end.</summary>
    public static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return crc;
    }

    public static LeanPipeException Damaged(string path, long at, string found, Exception? inner = null) => new(
        "sidecar.journal_damaged",
        $"The sidecar's journal '{path}' is damaged at byte {at}: {found}. Nothing was changed. Restore the file from a copy, or move it away "
        + "to start with no workflow instances and no undelivered messages.",
        inner: inner);
}
