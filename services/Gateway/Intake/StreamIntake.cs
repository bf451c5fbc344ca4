using LeanPipe.Contracts;
using LeanPipe.Gateway.Decoding;
using LeanPipe.Gateway.Framing;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Intake;

/// <summary>A stream as the running gateway knows it: its document, compiled, and what all its connections share.</summary>
sealed class StreamIntake
{
    readonly Lock _sync = new();
    readonly List<(LogBatch Batch, long Bytes)> _unsynced = [];
    long _lastActivity;

    public StreamIntake(StreamDefinition definition, int number, DateTimeOffset now)
    {
        (Definition, Number, _lastActivity) = (definition, number, now.UtcTicks);
        Columns = SegmentColumns.Of(definition);
        Validator = new(definition.Schema, definition.EventTime, canonicalTimestamps: definition.Decoder is CellDecoderDefinition, definition.Stamps);
        Rewriter = RecordRewriter.Of(definition);
        Cutter = new(definition.Framing, definition.Limits.MaxFrameBytes);
        Windows = new(definition.Limits.MaxOpenWindows);
        _ = NewDecoder();
    }

    public StreamDefinition Definition { get; }

    /// <summary>The stream's number in the log.</summary>
    public int Number { get; }

    public IReadOnlyList<SegmentColumn> Columns { get; }

    public FrameCutter Cutter { get; }

    public RecordValidator Validator { get; }

    public OpenWindows Windows { get; }

    public StoredPositions Stored { get; } = new();

    /// <summary>Null when what is accepted is always what the segment keeps.</summary>
    public RecordRewriter? Rewriter { get; }

    /// <summary>When a byte came last from any connection; when the gateway started, before the first.</summary>
    public DateTimeOffset LastActivity => new(Interlocked.Read(ref _lastActivity), TimeSpan.Zero);

    /// <summary>One for each connection; null when frames are records already.</summary>
    public CellDecoder? NewDecoder() => CellDecoder.Of(Definition);

    public void Touch(DateTimeOffset now) => Interlocked.Exchange(ref _lastActivity, now.UtcTicks);

    /// <summary>Bytes that are read and not on disk.</summary>
    public long UnsyncedBytes
    {
        get
        {
            lock (_sync) return _unsynced.Where(u => !u.Batch.Durable.IsCompleted).Sum(u => u.Bytes);
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
