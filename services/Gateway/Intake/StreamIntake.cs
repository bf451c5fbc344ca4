using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Intake;

/// <summary>A stream as the running gateway knows it: its document, compiled, and what all its connections share.</summary>
sealed class StreamIntake
{
    readonly Lock _sync = new();
    readonly List<(LogBatch Batch, long Bytes)> _unsynced = [];
    long _lastActivity;
    int _connections;
    TaskCompletionSource? _empty;
    CancellationTokenSource _withdrawn = new();
    volatile StreamFormat _format;

    public StreamIntake(StreamDefinition definition, int number, DateTimeOffset now)
        : this(new StreamFormat(definition), number, now)
    {
    }

    public StreamIntake(StreamFormat format, int number, DateTimeOffset now)
    {
        (Number, _lastActivity, _format) = (number, now.UtcTicks, format);
        Windows = new() { Cap = format.Definition.Limits.MaxOpenWindows };
    }

    /// <summary>The document in force. Connections look at it before each frame.</summary>
    public StreamFormat Format => _format;

    public StreamDefinition Definition => _format.Definition;

    /// <summary>The stream's number in the log.</summary>
    public int Number { get; }

    public IReadOnlyList<SegmentColumn> Columns => _format.Columns;

    public OpenWindows Windows { get; }

    public IntakeScratches Scratches { get; } = new();

    public StoredPositions Stored { get; } = new();

    /// <summary>When a byte came last from any connection; when the gateway started, before the first.</summary>
    public DateTimeOffset LastActivity => new(Interlocked.Read(ref _lastActivity), TimeSpan.Zero);

    /// <summary>Cancelled when the stream's document is gone: its connections are drained and nobody comes in.</summary>
    public CancellationToken Withdrawn
    {
        get
        {
            lock (_sync) return _withdrawn.Token;
        }
    }

    /// <summary>Puts another document in force, from the next frame of every connection on; a stream that was withdrawn is open again.</summary>
    public void Use(StreamFormat format)
    {
        _format = format;
        Windows.Cap = format.Definition.Limits.MaxOpenWindows;
        lock (_sync)
            if (_withdrawn.IsCancellationRequested) _withdrawn = new();
    }

    /// <summary>Ends when the last connection has.</summary>
    public async Task WithdrawAsync()
    {
        CancellationTokenSource withdrawn;
        Task empty;
        lock (_sync)
        {
            withdrawn = _withdrawn;
            empty = _connections == 0 ? Task.CompletedTask : (_empty ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
        await withdrawn.CancelAsync();
        await empty;
    }

    /// <returns>False when the stream is withdrawn.</returns>
    public bool TryEnter()
    {
        lock (_sync)
        {
            if (_withdrawn.IsCancellationRequested) return false;
            _connections++;
            return true;
        }
    }

    public void Leave()
    {
        lock (_sync)
        {
            if (--_connections > 0) return;
            _empty?.SetResult();
            _empty = null;
        }
    }

    public void Touch(DateTimeOffset now) => Interlocked.Exchange(ref _lastActivity, now.UtcTicks);

    /// <summary>Bytes that are read and not on disk.</summary>
    public long UnsyncedBytes
    {
        get
        {
            lock (_sync) return _unsynced.Where(u => !u.Batch.Durable.IsCompleted).Sum(u => u.Bytes);
        }
    }

    /// <summary>Ends when everything that has been appended so far is on disk.</summary>
    public Task Synced
    {
        get
        {
            lock (_sync) return _unsynced.Count == 0 ? Task.CompletedTask : _unsynced[^1].Batch.Durable;
        }
    }

    public void Appended(LogBatch batch, long bytes)
    {
        lock (_sync)
        {
            if (_unsynced.Count > 0 && _unsynced[^1].Batch == batch) _unsynced[^1] = (batch, _unsynced[^1].Bytes + bytes);
            else _unsynced.Add((batch, bytes));
        }
    }

    /// <summary>Returns when fewer than the stream's max_unsynced bytes are read and not on disk.</summary>
    public async ValueTask RoomAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task oldest;
            lock (_sync)
            {
                while (_unsynced.Count > 0 && _unsynced[0].Batch.Durable.IsCompleted) _unsynced.RemoveAt(0);
                long bytes = 0;
                foreach (var waiting in _unsynced) bytes += waiting.Bytes;
                if (bytes < Definition.Limits.MaxUnsyncedBytes) return;
                oldest = _unsynced[0].Batch.Durable;
            }
            await oldest.WaitAsync(cancellationToken);
        }
    }
}
