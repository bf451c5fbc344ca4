using System.Buffers.Binary;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Log;

/// <summary>What reading a log folder found.</summary>
/// <param name="CutBytes">Bytes of a torn last batch that were taken away; no acknowledgement had been given for any of them.</param>
/// <param name="Damages">What is lost and was not a torn tail; the state holds all the rest.</param>
/// <param name="Next">Where a file that is put behind all others begins.</param>
sealed record RecoveredLog(List<LogFile> Files, ulong LogId, long CutBytes, IReadOnlyList<LogDamage> Damages, long Next);

/// <summary>Reads a log back: every whole batch is applied to the state, a torn tail is cut, anything else that is wrong is told.</summary>
/// <remarks>
/// Batches are written one after another, each fsynced before the next, so a crash leaves at most one broken batch, the last. A broken one with a whole one behind it, or in any file but
/// the newest, or a missing file, is damage: data that was acknowledged may be in it. Reading goes on behind it, for whoever decides to go on without it.
/// </remarks>
sealed class LogRecovery(string folder, GatewayState state, int chunkBytes)
{
    readonly List<LogFile> _files = [];
    readonly List<LogDamage> _damages = [];
    ulong? _logId;
    long _cut;

    /// <summary>Whether the newest batch read says that another file follows.</summary>
    bool _isContinued;

    /// <exception cref="LogException">The files are not of one log, or overlap.</exception>
    public RecoveredLog Read()
    {
        try
        {
            var paths = Directory.GetFiles(folder, "*" + LogFormat.FileExtension).Order(StringComparer.Ordinal).ToList();
            for (var i = 0; i < paths.Count; i++) ReadFile(paths[i], i + 1 < paths.Count ? PositionIn(paths[i + 1]) : null);
        }
        catch
        {
            _files.ForEach(f => f.Dispose());
            throw;
        }

        if (_files.Count == 0) return new(_files, 0, _cut, _damages, 0);
        if (_files[0].Position > state.Beginning)
            Lose(state.Beginning, _files[0].Position - state.Beginning, LogFormat.FileName(state.Beginning), "where files are missing before the first");
        var next = _files[^1].End;
        if (_isContinued)
        {
            Lose(next, LogDamage.UnknownBytes, LogFormat.FileName(next), "where the newest file is missing");
            next += LogDamage.UnknownBytes;
        }
        return new(_files, _logId ?? 0, _cut, _damages, next);
    }

    void ReadFile(string path, long? nextPosition)
    {
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            var reader = new LogReader(handle, chunkBytes);
            var position = PositionIn(path);
            var isHeaderWhole = reader.TryReadHeader(out var written, out var id) && written == position;
            if (nextPosition is null && !_isContinued && !HoldsAny(reader, isHeaderWhole, position))
            {
                // A crash while the file was made: nothing had been put into it yet.
                _cut += reader.Length;
                handle.Dispose();
                File.Delete(path);
                return;
            }
            CheckPlace(path, position, isHeaderWhole ? id : null);
            if (!isHeaderWhole) Lose(position, LogFormat.FileHeaderBytes, Path.GetFileName(path), "where a file's header is broken");
            var length = ReadBatches(reader, path, position, nextPosition);
            var file = new LogFile(path, position, length, handle) { IsDamaged = _damages.Exists(d => d.File == Path.GetFileName(path)) };
            _files.Add(file);
            if (length == reader.Length) return;
            _cut += reader.Length - length;
            file.Trim();
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>A file is made with its first batch; without it, and with none behind it, its making was torn.</summary>
    static bool HoldsAny(LogReader reader, bool isHeaderWhole, long position) =>
        (isHeaderWhole && reader.IsBatch(LogFormat.FileHeaderBytes, position + LogFormat.FileHeaderBytes, out _)) || reader.NextBatch(0, position) >= 0;

    void CheckPlace(string path, long position, ulong? id)
    {
        if (id is not null && id != (_logId ??= id))
            throw new LogException("gateway.log_mixed", $"The log file '{path}' belongs to another log ({id:x16}, expected {_logId:x16}). Give every gateway a folder of its own.");
        if (_files.Count == 0) return;
        var end = _files[^1].End;
        if (position < end)
            throw new LogException("gateway.log_mixed", $"The log file '{path}' begins at position {position}, expected {end} or more: it overlaps the file before it. Something else wrote here; restore the folder.");

        // A crash between the making of a file and the last batch of the one before leaves that batch out.
        var isUnsaid = !_isContinued && position == end + LogFormat.ContinuedBatchBytes;
        if (position > end && !isUnsaid) Lose(end, position - end, LogFormat.FileName(end), "where a file is missing or was cut");
        _isContinued = false;
    }

    /// <returns>Bytes of the file up to the end of its last whole batch, or all of them when it is damaged behind that.</returns>
    long ReadBatches(LogReader reader, string path, long position, long? nextPosition)
    {
        long offset = LogFormat.FileHeaderBytes;
        while (offset < reader.Length)
        {
            if (reader.IsBatch(offset, position + offset, out var bytes))
            {
                Apply(state, reader.Payload(offset, bytes), position + offset + LogFormat.BatchHeaderBytes);
                offset += LogFormat.BatchHeaderBytes + bytes;
                _isContinued = bytes == LogFormat.ContinuedBatchBytes - LogFormat.BatchHeaderBytes && (EntryKind)reader.Payload(offset - LogFormat.BatchHeaderBytes - bytes, bytes)[4] == EntryKind.Continued;
                continue;
            }
            var next = reader.NextBatch(offset + 1, position);
            if (next < 0)
            {
                // The last batch of all, or of a file whose successor had just been made: torn. Nothing in it had been acknowledged.
                var isUnsaid = nextPosition == position + offset + LogFormat.ContinuedBatchBytes && reader.Length - offset <= LogFormat.ContinuedBatchBytes;
                if (nextPosition is null || isUnsaid) return offset;
                next = reader.Length;
            }
            Lose(position + offset, next - offset, Path.GetFileName(path), "where batches are broken");
            offset = next;
        }
        return reader.Length;
    }

    void Lose(long position, long bytes, string file, string what)
    {
        _damages.Add(new(position, bytes, file, what));
        lock (state.Sync) state.Doubt(position + bytes);
    }

    static long PositionIn(string path) => long.TryParse(Path.GetFileNameWithoutExtension(path), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var position)
        ? position
        : throw new LogException("gateway.log_mixed", $"'{path}' is no file of a log: expected 20 digits before {LogFormat.FileExtension}. Move it away.");

    /// <summary>Applies every entry of a batch's payload.</summary>
    public static void Apply(GatewayState state, ReadOnlySpan<byte> payload, long position)
    {
        lock (state.Sync)
        {
            while (!payload.IsEmpty)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(payload);
                state.Apply((EntryKind)payload[4], payload.Slice(LogFormat.EntryHeaderBytes, length), position + LogFormat.EntryHeaderBytes);
                payload = payload[(LogFormat.EntryHeaderBytes + length)..];
                position += LogFormat.EntryHeaderBytes + length;
            }
            state.End = position;
        }
    }
}
