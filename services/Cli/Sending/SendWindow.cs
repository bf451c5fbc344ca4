namespace LeanPipe.Cli.Sending;

/// <summary>How far each connection may send ahead of what is acknowledged, so that memory stays bounded and, in step, no connection runs away from the others.</summary>
/// <param name="inStep">Count from the slowest unfinished connection rather than from the connection itself.</param>
sealed class SendWindow(int connections, int frames, bool inStep)
{
    readonly Lock _lock = new();
    readonly long[] _sent = new long[connections];
    readonly long[] _acked = new long[connections];
    TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Sets where a connection begins when an earlier process sent its first frames.</summary>
    public void Begin(int connection, long acked)
    {
        lock (_lock) _sent[connection] = _acked[connection] = acked;
    }

    /// <summary>Takes the right to send one more frame.</summary>
    /// <param name="moved">When there is none: complete when it is worth trying again.</param>
    public bool TryTake(int connection, out Task moved)
    {
        lock (_lock)
        {
            var from = inStep ? _acked.Min() : _acked[connection];
            moved = _moved.Task;
            if (_sent[connection] - from >= frames) return false;
            _sent[connection]++;
            return true;
        }
    }

    public void Acknowledge(int connection, long acked)
    {
        TaskCompletionSource moved;
        lock (_lock)
        {
            _acked[connection] = acked;
            (moved, _moved) = (_moved, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        moved.SetResult();
    }

    /// <summary>A connection with nothing left to send holds up nobody.</summary>
    public void Finish(int connection) => Acknowledge(connection, long.MaxValue);
}
