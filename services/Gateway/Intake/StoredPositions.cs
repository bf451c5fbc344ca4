namespace LeanPipe.Gateway.Intake;

/// <summary>How far into the log a stream's lines are in the lake, for acknowledgements that wait for that. Shared by all connections of the stream.</summary>
sealed class StoredPositions
{
    readonly Lock _sync = new();
    readonly PriorityQueue<TaskCompletionSource, long> _waiting = new();
    long _upTo;
    long _wanted;

    /// <summary>Called when somebody waits for lines that no rule would cut yet.</summary>
    public Action? Asked { get; set; }

    /// <summary>Lines before this position are to be cut, however young and few.</summary>
    public long Wanted => Interlocked.Read(ref _wanted);

    /// <summary>Ends when every line of the stream before the position is in an object that is recorded as stored.</summary>
    public Task WhenAsync(long position)
    {
        lock (_sync)
        {
            if (position <= _upTo) return Task.CompletedTask;
            var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(waiting, position);
            return waiting.Task;
        }
    }

    /// <param name="upTo">Of the first line of the stream that is not stored; the end of the log when all are.</param>
    public void Advance(long upTo)
    {
        lock (_sync)
        {
            _upTo = Math.Max(_upTo, upTo);
            while (_waiting.TryPeek(out var waiting, out var position) && position <= _upTo)
            {
                _waiting.Dequeue();
                waiting.SetResult();
            }
        }
    }

    public void Want(long position)
    {
        lock (_sync)
        {
            if (position <= _wanted) return;
            Interlocked.Exchange(ref _wanted, position);
        }
        Asked?.Invoke();
    }
}
