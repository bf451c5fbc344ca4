using System.Threading.Channels;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>What happens to the runs of this process, live. For watching only: nothing is kept, and a repeated activity reports again.</summary>
public sealed class RunProgress
{
    // A watcher that does not read loses the oldest events, never holds up a run.
    const int Buffered = 10_000;

    readonly Lock _lock = new();
    readonly List<Channel<RunEvent>> _watchers = [];

    /// <summary>Every event from now on, until <paramref name="until"/> is cancelled; the reader is complete then.</summary>
    public ChannelReader<RunEvent> Subscribe(CancellationToken until)
    {
        var channel = Channel.CreateBounded<RunEvent>(new BoundedChannelOptions(Buffered) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_lock) _watchers.Add(channel);
        until.Register(() =>
        {
            lock (_lock) _watchers.Remove(channel);
            channel.Writer.TryComplete();
        });
        return channel.Reader;
    }

    internal void Report(RunEvent happened)
    {
        lock (_lock)
            foreach (var watcher in _watchers) watcher.Writer.TryWrite(happened);
    }
}

public abstract record RunEvent(RunId Run);

public sealed record RunPlanned(RunId Run, PipelineName Pipeline, WindowId Window, IReadOnlyList<StepName> Steps) : RunEvent(Run);

public sealed record StepStarted(RunId Run, StepName Step, int Tasks) : RunEvent(Run);

/// <param name="Phase">As the step runner names it: <c>fetch</c>, <c>sql</c>, <c>write</c>, <c>checks</c>, <c>upload</c>.</param>
/// <param name="Fraction">Of the phase, 0 to 1.</param>
public sealed record TaskProgressed(RunId Run, StepName Step, TaskId Task, int Attempt, string Phase, double Fraction) : RunEvent(Run);

/// <param name="Error">Null when the task is committed.</param>
public sealed record TaskFinished(RunId Run, StepName Step, TaskId Task, int Attempt, long RowsIn, long RowsOut, TimeSpan Elapsed, string? Error) : RunEvent(Run);

public sealed record StepCommitted(RunId Run, StepName Step, int Tasks, long RowsIn, long RowsOut) : RunEvent(Run);

public sealed record TableReplaced(RunId Run, PublishedTable Table) : RunEvent(Run);

/// <param name="Error">Null when the run completed.</param>
public sealed record RunEnded(RunId Run, RunStatus Status, string? Error) : RunEvent(Run);
