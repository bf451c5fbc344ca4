using LeanPipe.DaprWire;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>One app's workers, and what waits for them: an app without workers holds up no other.</summary>
sealed class Lane
{
    public List<WorkerStream> Workers { get; } = [];

    public WaitingLine<(string InstanceId, Flight Flight)> Turns { get; } = new();

    public WaitingLine<(string InstanceId, Flight Flight, HistoryEvent Scheduled)> Activities { get; } = new();

    /// <summary>The worker with the least to do that may take one more.</summary>
    public WorkerStream? Free(Func<WorkerStream, int> load, int limit) => Workers.Where(w => load(w) < limit).MinBy(load);
}

/// <summary>First in, first out. What was forgotten while it waited does not stay until a worker comes, which may be never.</summary>
sealed class WaitingLine<T>
{
    const int LeastSwept = 1024;

    Queue<T> _queue = new();
    int _sweepAt = LeastSwept;

    public int Count => _queue.Count;

    public void Enqueue(T item) => _queue.Enqueue(item);

    public T Dequeue() => _queue.Dequeue();

    /// <summary>Drops what is not live any more, whenever the line has doubled.</summary>
    public void Sweep(Func<T, bool> isLive)
    {
        if (_queue.Count <= _sweepAt)
            return;
        _queue = new Queue<T>(_queue.Where(isLive));
        _sweepAt = Math.Max(LeastSwept, 2 * _queue.Count);
    }
}
