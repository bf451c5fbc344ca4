using Microsoft.Win32.SafeHandles;

namespace LeanPipe.Gateway.Log;

/// <summary>Looks at one file of the log, with memory for one whole batch at most.</summary>
sealed class LogReader(SafeFileHandle handle, int chunkBytes)
{
    readonly byte[] _chunk = new byte[Math.Max(chunkBytes, LogFormat.BatchHeaderBytes)];
    byte[] _payload = [];

    public long Length { get; } = RandomAccess.GetLength(handle);

    public bool TryReadHeader(out long position, out ulong logId)
    {
        Span<byte> header = stackalloc byte[LogFormat.FileHeaderBytes];
        return LogFormat.TryReadFileHeader(header[..Read(header, 0)], out position, out logId);
    }

    /// <summary>Whether a whole batch stands at an offset. Its length is not trusted with memory before its checksum is.</summary>
    /// <param name="position">Of the byte at the offset.</param>
    public bool IsBatch(long offset, long position, out int payloadBytes)
    {
        Span<byte> header = stackalloc byte[LogFormat.BatchHeaderBytes];
        if (!LogFormat.TryReadBatchHeader(header[..Read(header, offset)], position, out payloadBytes)) return false;
        var at = offset + LogFormat.BatchHeaderBytes;
        if (payloadBytes > Length - at) return false;
        var crc = Crc32C.Append(Crc32C.Begin, header[8..]);
        for (long left = payloadBytes; left > 0;)
        {
            var read = Read(_chunk.AsSpan(0, (int)Math.Min(left, _chunk.Length)), at);
            if (read == 0) return false;
            crc = Crc32C.Append(crc, _chunk.AsSpan(0, read));
            at += read;
            left -= read;
        }
        return ~crc == LogFormat.CrcOf(header);
    }

    /// <summary>The payload of a batch that <see cref="IsBatch"/> has found whole. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Payload(long offset, int bytes)
    {
        if (_payload.Length < bytes) _payload = GC.AllocateUninitializedArray<byte>(bytes);
        var payload = _payload.AsSpan(0, bytes);
        return payload[..Read(payload, offset + LogFormat.BatchHeaderBytes)];
    }

    /// <summary>The offset of the first whole batch at or after one; -1 when there is none.</summary>
    /// <param name="filePosition">Of the file's first byte.</param>
    public long NextBatch(long from, long filePosition)
    {
        while (from < Length)
        {
            var read = Read(_chunk, from);
            var found = LogFormat.NextMagic(_chunk.AsSpan(0, read), 0);
            if (found < 0)
            {
                // The magic may lie across two chunks.
                if (from + read >= Length) return -1;
                from += read - 3;
                continue;
            }
            if (IsBatch(from + found, filePosition + from + found, out _)) return from + found;
            from += found + 1;
        }
        return -1;
    }

    int Read(Span<byte> target, long offset)
    {
        var total = 0;
        while (total < target.Length && RandomAccess.Read(handle, target[total..], offset + total) is > 0 and var read) total += read;
        return total;
    }
}
