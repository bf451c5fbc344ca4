using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Log;

/// <summary>One sequential log for all streams and connections, with one committer.</summary>
/// <remarks>
/// The order is the guarantee: entries into the open batch, the batch into the newest file, fsync, the entries into the state, and only then <see cref="LogBatch.Durable"/>, which is what
/// acknowledgements, uploads and everything else outside the log wait for. One fsync serves everybody who appended meanwhile. One batch is in flight at a time, so a crash tears at most the last.
/// </remarks>
sealed class WriteAheadLog : IDisposable
{
    const int KeptBufferBytes = 8 * 1024 * 1024;
    const int DiskFullErrno = 28;
    const int QuotaErrno = 122;

    static readonly TimeSpan DiskFullPause = TimeSpan.FromMilliseconds(200);

    readonly GatewayOptions _options;
    readonly GatewayState _state;
    readonly GatewayHealth _health;
    readonly ILogger _logger;
    readonly FileStream _folderLock;
    readonly List<LogFile> _files;
    readonly Thread _committer;
    readonly Lock _filesSync = new();

    /// <summary>The file that batches go to. The committer's own: the list of files changes under it when others are removed.</summary>
    LogFile _newest;

    /// <summary>Guards the open batch, and wakes the committer.</summary>
    readonly object _sync = new();

    LogBatch _open;
    byte[]? _spare;
    bool _stopping;
    Exception? _failure;
    long _lastDiskCheck;

    /// <summary>Written since the disk was looked at, so that a fast log does not get past its reserve between two looks.</summary>
    long _uncheckedBytes;
    bool _isRollFailing;

    WriteAheadLog(GatewayOptions options, GatewayState state, GatewayHealth health, ILogger logger, FileStream folderLock, List<LogFile> files, ulong logId)
    {
        (_options, _state, _health, _logger, _folderLock, _files, LogId) = (options, state, health, logger, folderLock, files, logId);
        _newest = files[^1];
        _open = new(new byte[options.Buffers.BatchBytes]);
        _committer = new(Commit) { IsBackground = true, Name = "log committer" };
    }

    /// <summary>Random, from when the log was begun: it tells apart what two logs of one gateway id have written at the same position.</summary>
    public ulong LogId { get; }

    /// <summary>Whether a part of what was read back is lost, so that what was cut and stored before is not known for sure.</summary>
    public bool HasDamage { get; private init; }

    /// <summary>Called on the committer's thread after each batch is in the state.</summary>
    public Action? Committed { get; set; }

    /// <summary>Called on the committer's thread after each commit with the time since its first entry.</summary>
    public Action<TimeSpan>? Timed { get; set; }

    /// <summary>Called once when the log can no longer be written.</summary>
    public Action<Exception>? Failed { get; set; }

    /// <summary>Called between the fsync and everything that waits for it; tests copy the disk here.</summary>
    internal Action? Synced { get; set; }

    /// <summary>Called while the list of files is being changed and must not be looked at without its lock; tests write a batch here.</summary>
    internal Action? Removing { get; set; }

    public BufferSizes Buffers => _options.Buffers;

    public long Bytes
    {
        get
        {
            lock (_filesSync) return _files.Sum(f => f.Length);
        }
    }

    /// <summary>What the log has to hold before anything of it can go: its files, and what frames in it become that are not validated yet.</summary>
    long OwedBytes
    {
        get
        {
            lock (_state.Sync) return Bytes + _state.BecomesBytes;
        }
    }

    public long End
    {
        get
        {
            lock (_filesSync) return _files[^1].End;
        }
    }

    /// <summary>Reads the log back into the state, or begins one, and starts the committer.</summary>
    /// <exception cref="LogException">The folder is in use, or what it holds is damaged.</exception>
    public static WriteAheadLog Open(GatewayOptions options, GatewayState state, GatewayHealth health, ILogger logger)
    {
        Directory.CreateDirectory(options.LogDirectory);
        var folderLock = LockFolder(options.LogDirectory);
        try
        {
            var (files, logId, cut, damages, next) = new LogRecovery(options.LogDirectory, state, options.Buffers.RecoveryChunkBytes).Read();
            var quarantine = new Quarantine(options.LogDirectory);
            try
            {
                if (cut > 0) logger.LogTornTailCut(cut);
                var isBegun = files.Count > 0;
                if (!isBegun) logId = (ulong)Random.Shared.NextInt64();
                if (damages.Count > 0) AcceptDamage(options, quarantine, damages, logger);
                lock (state.Sync) state.Settle();

                // Nothing is put behind a file that has lost something.
                if (!isBegun || damages.Count > 0) files.Add(LogFile.Create(options.LogDirectory, next, logId, CheckpointBatch(state, next)));
            }
            catch
            {
                files.ForEach(f => f.Dispose());
                throw;
            }
            if (damages.Count > 0 || quarantine.HoldsFiles)
                health.Raise("log_damaged", $"A part of the log in '{options.LogDirectory}' was lost, and going on without it was accepted. Look at 'damage.json' and the folder 'quarantine' there, and remove both.");
            logger.LogRecovered(options.LogDirectory, files.Count, files.Sum(f => f.Length), state.NextConnection);
            var log = new WriteAheadLog(options, state, health, logger, folderLock, files, logId) { HasDamage = damages.Count > 0 };
            log._committer.Start();
            return log;
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>Adds entries to the open batch in one go; <paramref name="write"/> must be quick, for every connection waits for it.</summary>
    public LogBatch Append<T>(T what, Action<LogBatch, T> write) where T : allows ref struct
    {
        lock (_sync)
        {
            if (_failure is not null || _stopping) throw new LogException("gateway.log_closed", "The log takes nothing more: it has failed or is shutting down.", _failure);
            var before = _open.Length;
            if (before == LogFormat.BatchHeaderBytes) _open.Begun = Stopwatch.GetTimestamp();
            write(_open, what);
            var wake = before == LogFormat.BatchHeaderBytes || (before < _options.CommitAtBytes && _open.Length >= _options.CommitAtBytes);
            if (wake) Monitor.Pulse(_sync);
            return _open;
        }
    }

    /// <summary>Adds one JSON entry and returns when it is durable and in the state.</summary>
    public Task AppendAsync<T>(EntryKind kind, T document, JsonTypeInfo<T> type)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(document, type);
        return Append((kind, body), static (batch, e) => batch.Add(e.kind, e.body)).Durable;
    }

    public void Read(Span<byte> target, long position) => FileOf(position).Read(target, position);

    /// <summary>The end of the file that holds a position.</summary>
    public long FileEndOf(long position) => FileOf(position).End;

    /// <summary>Removes the files that hold nothing from <paramref name="needed"/> on; that is a position of the log and never "all", for meanwhile more may have been appended. That they may be missing is durable before the first is gone.</summary>
    public async Task TruncateAsync(long needed)
    {
        List<LogFile> done;
        long beginning;
        lock (_filesSync)
        {
            done = [.. _files.Take(_files.Count - 1).TakeWhile(f => f.End <= needed)];
            if (done.Count == 0) return;
            beginning = _files[done.Count].Position;
        }
        await AppendAsync(EntryKind.Truncated, new(beginning), LogJson.Default.TruncatedEntry);
        lock (_filesSync)
        {
            LogFile[] left = [.. _files.Skip(done.Count)];
            _files.Clear();
            Removing?.Invoke();
            _files.AddRange(left);
        }
        foreach (var file in done)
        {
            if (file.IsDamaged) file.MoveTo(new(_options.LogDirectory));
            else file.Delete();
        }
        CheckRoom();
    }

    /// <summary>Stops reading while the log or its disk is too full, and lets it go on when there is room again.</summary>
    public void CheckRoom()
    {
        var bytes = OwedBytes;
        _health.SetStopped("log_full", bytes <= _options.MaxLogBytes ? null
            : $"The log has {bytes} bytes, with what its frames become, more than max_log_bytes {_options.MaxLogBytes}; reading stops until the store has taken some.");
        _health.SetStopped("disk_low", !(FreeBytes() is { } free && free < _options.MinFreeDiskBytes) ? null
            : $"The log's disk has {free} bytes left, less than {_options.MinFreeDiskBytes}; reading stops until there is room.");
        _lastDiskCheck = Stopwatch.GetTimestamp();
        Interlocked.Exchange(ref _uncheckedBytes, 0);
    }

    /// <summary>Null when the file system does not say; a full disk then shows when a write fails.</summary>
    long? FreeBytes()
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(_options.LogDirectory)).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Writes what is open and ends. Nothing may append any more.</summary>
    public void Dispose()
    {
        lock (_sync)
        {
            _stopping = true;
            Monitor.Pulse(_sync);
        }
        _committer.Join();
        lock (_filesSync) _files.ForEach(f => f.Dispose());
        _folderLock.Dispose();
    }

    LogFile FileOf(long position)
    {
        lock (_filesSync) return _files.FindLast(f => f.Position <= position)!;
    }

    void Commit()
    {
        long last = 0;
        while (Next(last) is { } batch)
        {
            try
            {
                Write(batch);
            }
            catch (Exception e)
            {
                Fail(batch, e);
                return;
            }
            last = Stopwatch.GetTimestamp();
            batch.Complete();
            Timed?.Invoke(Stopwatch.GetElapsedTime(batch.Begun, last));
            _spare = batch.Buffer.Length <= KeptBufferBytes ? batch.Buffer : null;
            Committed?.Invoke();
        }
    }

    /// <summary>The next batch to write; null when the log is being closed and everything is written.</summary>
    LogBatch? Next(long last)
    {
        lock (_sync)
        {
            while (_open.Entries == 0)
            {
                if (_stopping) return null;
                Monitor.Wait(_sync);
            }
            while (!_stopping && _open.Length < _options.CommitAtBytes)
            {
                var left = _options.MaxCommitDelay - Stopwatch.GetElapsedTime(last);
                if (last == 0 || left < TimeSpan.FromMilliseconds(1)) break;
                Monitor.Wait(_sync, left);
            }
            var batch = _open;
            _open = new(_spare ?? new byte[_options.Buffers.BatchBytes]);
            _spare = null;
            return batch;
        }
    }

    void Write(LogBatch batch)
    {
        var file = _newest;
        var bytes = batch.Buffer.AsSpan(0, batch.Length);
        LogFormat.WriteBatchHeader(bytes, file.End, batch.Entries);
        var payloadAt = file.End + LogFormat.BatchHeaderBytes;
        while (true)
        {
            try
            {
                file.Append(bytes);
                break;
            }
            catch (IOException e) when ((e.HResult & 0xFFFF) is DiskFullErrno or QuotaErrno && !_stopping)
            {
                // Nothing of it was acknowledged, and the same bytes go to the same place: trying again is safe.
                if (_health.Reasons.ContainsKey("disk_full") is false) _logger.LogDiskFull(e);
                _health.SetStopped("disk_full", "The log's disk is full; reading stops until there is room.");
                Thread.Sleep(DiskFullPause);
            }
        }
        _health.SetStopped("disk_full", null);
        LogRecovery.Apply(_state, bytes[LogFormat.BatchHeaderBytes..], payloadAt);
        batch.End = file.End;
        Synced?.Invoke();
        if (file.Length >= _options.LogFileBytes) Roll(file);
        if (OwedBytes > _options.MaxLogBytes || Interlocked.Add(ref _uncheckedBytes, bytes.Length) > _options.MinFreeDiskBytes / 4 || Stopwatch.GetElapsedTime(_lastDiskCheck) > TimeSpan.FromSeconds(1)) CheckRoom();
    }

    void Roll(LogFile full)
    {
        try
        {
            var position = full.End + LogFormat.ContinuedBatchBytes;
            var next = LogFile.Create(_options.LogDirectory, position, LogId, CheckpointBatch(_state, position));
            try
            {
                full.Append(LogFormat.ContinuedBatch(full.End, position));
            }
            catch
            {
                next.Delete();
                full.Trim();
                throw;
            }
            lock (_filesSync) _files.Add(next);
            _newest = next;
            lock (_state.Sync) _state.End = position;
            _isRollFailing = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is tried again with every commit, and said once.
            if (!_isRollFailing) _logger.LogNotRolled(e);
            _isRollFailing = true;
        }
    }

    void Fail(LogBatch batch, Exception reason)
    {
        // After a failed fsync the system may have dropped the pages: only a restart, which reads the disk, knows what is durable.
        _logger.LogFailed(reason);
        var failure = new LogException("gateway.log_failed", $"The log in '{_options.LogDirectory}' cannot be written: {reason.Message} Repair the disk and start the gateway again.", reason);
        _health.SetStopped("log_failed", failure.Message);
        lock (_sync)
        {
            _failure = failure;
            _open.Fail(failure);
        }
        batch.Fail(failure);
        Failed?.Invoke(reason);
    }

    static byte[] CheckpointBatch(GatewayState state, long filePosition)
    {
        byte[] body;
        lock (state.Sync) body = JsonSerializer.SerializeToUtf8Bytes(state.ToCheckpoint(), LogJson.Default.CheckpointEntry);
        var batch = new LogBatch(new byte[body.Length + 64]);
        batch.Add(EntryKind.Checkpoint, body);
        var bytes = batch.Buffer[..batch.Length];
        LogFormat.WriteBatchHeader(bytes, filePosition + LogFormat.FileHeaderBytes, batch.Entries);
        return bytes;
    }

    /// <exception cref="LogException"><c>gateway.log_damaged</c>, when nobody has said to go on.</exception>
    static void AcceptDamage(GatewayOptions options, Quarantine quarantine, IReadOnlyList<LogDamage> damages, ILogger logger)
    {
        var isNew = damages.ExceptBy(quarantine.Accepted.Select(d => (d.Position, d.Bytes)), d => (d.Position, d.Bytes)).Any();
        if (!isNew) return;
        var lost = string.Join("; ", damages);
        if (!options.AcceptLogDamage)
            throw new LogException(
                "gateway.log_damaged", $"The log in '{options.LogDirectory}' has lost something: {lost}. Acknowledged records may have been in it. Restore the files from a copy of the disk; or start the gateway " +
                "with --accept-log-damage: it goes on with all the rest and keeps the damaged files in 'quarantine'.");
        quarantine.Accept(damages);
        logger.LogDamageAccepted(options.LogDirectory, lost);
    }

    static FileStream LockFolder(string folder)
    {
        try
        {
            return new(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new LogException("gateway.log_in_use", $"The log in '{folder}' is in use by another gateway. Stop it, or give this one a folder of its own.", e);
        }
    }
}
