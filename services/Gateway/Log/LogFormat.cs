using System.Buffers.Binary;

namespace LeanPipe.Gateway.Log;

/// <summary>The bytes of a log file (docs/specs/log.md): a file header, then batches. All numbers are little-endian.</summary>
/// <remarks>
/// A position counts bytes since the log began, headers included, over all files: it never repeats within a log. A batch is the unit of write and fsync; it holds whole entries
/// and never spans files.
/// </remarks>
static class LogFormat
{
    // file header   0 magic u64 · 8 position of this byte u64 · 16 log id u64 · 24 version u32 · 28 CRC-32C of bytes 0 to 27 u32
    public const int FileHeaderBytes = 32;

    // batch header  0 magic u32 · 4 CRC-32C of bytes 8 to the end u32 · 8 position of this header u64 · 16 payload bytes u32 · 20 entries u32
    public const int BatchHeaderBytes = 24;

    // entry header  0 body bytes u32 · 4 kind u8 · 5 zero u24
    public const int EntryHeaderBytes = 8;

    public const string FileExtension = ".wal";

    /// <summary>The batch that ends a full file.</summary>
    public const int ContinuedBatchBytes = BatchHeaderBytes + EntryHeaderBytes + 8;

    const ulong FileMagic = 0x314C_4157_5045_414C; // "LAEPWAL1"
    const uint BatchMagic = 0x4843_5442; // "BTCH"
    const uint Version = 1;

    /// <summary>Names sort as positions do.</summary>
    public static string FileName(long position) => $"{position:D20}{FileExtension}";

    public static void WriteFileHeader(Span<byte> target, long position, ulong logId)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, FileMagic);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], position);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], logId);
        BinaryPrimitives.WriteUInt32LittleEndian(target[24..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(target[28..], Crc32C.Compute(target[..28]));
    }

    public static bool TryReadFileHeader(ReadOnlySpan<byte> header, out long position, out ulong logId)
    {
        (position, logId) = (0, 0);
        if (header.Length < FileHeaderBytes || BinaryPrimitives.ReadUInt64LittleEndian(header) != FileMagic) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[28..]) != Crc32C.Compute(header[..28])) return false;
        position = BinaryPrimitives.ReadInt64LittleEndian(header[8..]);
        logId = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(header[24..]) == Version;
    }

    /// <summary>Finishes a batch whose payload stands behind the place of its header.</summary>
    public static void WriteBatchHeader(Span<byte> batch, long position, int entries)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(batch, BatchMagic);
        BinaryPrimitives.WriteInt64LittleEndian(batch[8..], position);
        BinaryPrimitives.WriteInt32LittleEndian(batch[16..], batch.Length - BatchHeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(batch[20..], entries);
        BinaryPrimitives.WriteUInt32LittleEndian(batch[4..], Crc32C.Compute(batch[8..]));
    }

    /// <summary>The payload of a batch header that stands at <paramref name="position"/>; false when none begins here.</summary>
    public static bool TryReadBatchHeader(ReadOnlySpan<byte> header, long position, out int payloadBytes)
    {
        payloadBytes = 0;
        if (header.Length < BatchHeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(header) != BatchMagic) return false;
        if (BinaryPrimitives.ReadInt64LittleEndian(header[8..]) != position) return false;
        payloadBytes = BinaryPrimitives.ReadInt32LittleEndian(header[16..]);
        return payloadBytes >= 0;
    }

    public static uint CrcOf(ReadOnlySpan<byte> batchHeader) => BinaryPrimitives.ReadUInt32LittleEndian(batchHeader[4..]);

    /// <summary>The batch at <paramref name="position"/> that says which file comes next.</summary>
    public static byte[] ContinuedBatch(long position, long next)
    {
        var batch = new LogBatch(new byte[ContinuedBatchBytes]);
        BinaryPrimitives.WriteInt64LittleEndian(batch.Add(EntryKind.Continued, 8), next);
        WriteBatchHeader(batch.Buffer, position, batch.Entries);
        return batch.Buffer;
    }

    /// <summary>Where a batch could begin, at or after an offset; -1 when nowhere.</summary>
    public static int NextMagic(ReadOnlySpan<byte> bytes, int from)
    {
        Span<byte> magic = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, BatchMagic);
        var found = bytes[from..].IndexOf(magic);
        return found < 0 ? -1 : from + found;
    }
}
