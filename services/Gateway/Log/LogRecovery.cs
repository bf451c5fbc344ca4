using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Log;

/// <summary>What reading a log folder found.</summary>
/// <param name="CutBytes">Bytes of a torn last batch that were taken away; no acknowledgement had been given for any of them.</param>
sealed record RecoveredLog(List<LogFile> Files, ulong LogId, long CutBytes);

/// <summary>Reads a log back: every whole batch is applied to the state, a torn tail is cut, anything else that is wrong is refused.</summary>
/// <remarks>
/// Batches are written one after another, each fsynced before the next, so a crash leaves at most one broken batch, the last. A broken one with a whole one behind it, or in any file but
/// the newest, or a missing file, is damage: data that was acknowledged may be in it, so the gateway does not start over it.
/// </remarks>
static class LogRecovery
{
    public static RecoveredLog Read(string folder, GatewayState state)
    {
        var files = new List<LogFile>();
        ulong? logId = null;
        long cut = 0;
        try
        {
            var paths = Directory.GetFiles(folder, "*" + LogFormat.FileExtension).Order(StringComparer.Ordinal).ToList();
            for (var i = 0; i < paths.Count; i++)
            {
                var isNewest = i == paths.Count - 1;
                var bytes = File.ReadAllBytes(paths[i]);
                var whole = ReadFile(paths[i], bytes, isNewest, files, ref logId, state);
                if (whole == 0)
                {
                    // A crash while the file was made: nothing had been put into it yet.
                    cut += bytes.Length;
                    File.Delete(paths[i]);
                    continue;
                }
                var handle = File.OpenHandle(paths[i], FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
                var file = new LogFile(paths[i], files.Count > 0 ? files[^1].End : PositionOf(bytes), whole, handle);
                files.Add(file);
                if (whole == bytes.Length) continue;
                cut += bytes.Length - whole;
                file.Trim();
            }
        }
        catch
        {
            files.ForEach(f => f.Dispose());
            throw;
        }

        if (files.Count > 0 && files[0].Position > state.Beginning)
        {
            var message = $"The log in '{folder}' begins at position {files[0].Position}, but bytes from {state.Beginning} on are still needed: a file is missing. Restore it, " +
                "or move the folder away to give up what it holds.";
            files.ForEach(f => f.Dispose());
            throw new LogException("gateway.log_file_missing", message);
        }
        return new(files, logId ?? 0, cut);
    }

    /// <returns>Bytes of the file that hold its header and whole batches; 0 when not even the first batch is whole.</returns>
    static int ReadFile(string path, byte[] bytes, bool isNewest, List<LogFile> before, ref ulong? logId, GatewayState state)
    {
        if (!LogFormat.TryReadFileHeader(bytes, out var position, out var id))
            return isNewest && !HoldsBatch(bytes, 0, null) ? 0 : throw Damaged(path, 0, "its header is broken");
        if (before.Count > 0 && position != before[^1].End)
            throw new LogException("gateway.log_file_missing", $"The log file '{path}' begins at position {position}, expected {before[^1].End}: a file before it is missing or was cut. Restore it.");
        if (id != (logId ??= id)) throw new LogException("gateway.log_mixed", $"The log file '{path}' belongs to another log ({id:x16}, expected {logId:x16}). Give every gateway a folder of its own.");

        var offset = LogFormat.FileHeaderBytes;
        var isFirst = true;
        while (offset < bytes.Length)
        {
            var rest = bytes.AsSpan(offset);
            if (!LogFormat.TryReadBatchHeader(rest, position + offset, out var payload) || payload > rest.Length - LogFormat.BatchHeaderBytes ||
                !LogFormat.IsWhole(rest[..(LogFormat.BatchHeaderBytes + payload)]))
            {
                if (!isNewest || HoldsBatch(bytes, offset + 1, position)) throw Damaged(path, offset, "a batch is broken and others follow it");
                break;
            }
            Apply(state, rest.Slice(LogFormat.BatchHeaderBytes, payload), position + offset + LogFormat.BatchHeaderBytes);
            offset += LogFormat.BatchHeaderBytes + payload;
            isFirst = false;
        }
        return isFirst ? 0 : offset;
    }

    /// <summary>Applies every entry of a batch's payload.</summary>
    public static void Apply(GatewayState state, ReadOnlySpan<byte> payload, long position)
    {
        lock (state.Sync)
        {
            while (!payload.IsEmpty)
            {
                var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(payload);
                state.Apply((EntryKind)payload[4], payload.Slice(LogFormat.EntryHeaderBytes, length), position + LogFormat.EntryHeaderBytes);
                payload = payload[(LogFormat.EntryHeaderBytes + length)..];
                position += LogFormat.EntryHeaderBytes + length;
            }
            state.End = position;
        }
    }

    /// <summary>Whether a whole batch stands anywhere from an offset on; with an unknown file position every candidate counts.</summary>
    static bool HoldsBatch(ReadOnlySpan<byte> bytes, int from, long? position)
    {
        for (var at = LogFormat.NextMagic(bytes, from); at >= 0; at = LogFormat.NextMagic(bytes, at + 1))
        {
            if (position is null) return true;
            if (LogFormat.TryReadBatchHeader(bytes[at..], position.Value + at, out var payload) && payload <= bytes.Length - at - LogFormat.BatchHeaderBytes &&
                LogFormat.IsWhole(bytes.Slice(at, LogFormat.BatchHeaderBytes + payload))) return true;
        }
        return false;
    }

    static long PositionOf(byte[] bytes) => LogFormat.TryReadFileHeader(bytes, out var position, out _) ? position : 0;

    static LogException Damaged(string path, long offset, string what) => new(
        "gateway.log_damaged", $"The log file '{path}' is damaged at byte {offset}: {what}. Acknowledged records may be in the damaged part. Restore the file from a copy of the disk; " +
        "to go on without it, move the log's folder away, and the peers' records in it with it.");
}
