using LeanPipe.DaprWire;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>One app's workers, and what waits for them: an app without workers holds up no other.</summary>
sealed class Lane
{
    public List<WorkerStream> Workers { get; } = [];

    public Queue<(string InstanceId, Flight Flight)> Turns { get; } = new();

    public Queue<(string InstanceId, Flight Flight, HistoryEvent Scheduled)> Activities { get; } = new();

    /// <summary>The worker with the least to do that may take one more.</summary>
    public WorkerStream? Free(Func<WorkerStream, int> load, int limit) => Workers.Where(w => load(w) < limit).MinBy(load);
}
