using System.Data.Common;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.StepRunner;

/// <summary>Looks at a running task once a second: reports DuckDB's progress and stops the task when its scratch grows over the limit or its time is up.</summary>
internal sealed class Watch : IAsyncDisposable
{
    readonly CancellationTokenSource _stop;
    readonly Scratch _scratch;
    readonly TaskLimits _limits;
    readonly Progress _progress;
    readonly TimeProvider _time;
    readonly long _started;
    readonly ITimer _timer;
    readonly Lock _session = new();
    DuckDbSession? _observed;

    public Watch(Scratch scratch, TaskLimits limits, Progress progress, TimeProvider time, CancellationToken signal)
    {
        (_scratch, _limits, _progress, _time, _started) = (scratch, limits, progress, time, time.GetTimestamp());
        _stop = CancellationTokenSource.CreateLinkedTokenSource(signal);
        _timer = time.CreateTimer(_ => Look(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    /// <summary>Ends the task: a signal, or <see cref="Reason"/>.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Why the watch stopped the task; null when it did not.</summary>
    public TaskError? Reason { get; private set; }

    /// <summary>Set while DuckDB computes: only then its progress is the task's.</summary>
    public DuckDbSession? Observed
    {
        set
        {
            lock (_session) _observed = value;
        }
    }

    /// <summary>Waits for a look that is under way: after it, scratch may go.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        _stop.Dispose();
    }

    void Look()
    {
        // The lock keeps the session from being closed under this look.
        lock (_session)
        {
            if (_stop.IsCancellationRequested) return;
            if (Percentage() is { } percentage) _progress.Report("sql", percentage / 100);
            if (_time.GetElapsedTime(_started) >= _limits.Timeout)
                Stop(new("task.timeout", $"The task ran for {_limits.Timeout}, its limit, and was stopped. Split it, simplify its SQL, or raise limits.timeout.", Transient: false));
            else if (_scratch.Bytes() is var bytes && bytes > _limits.ScratchBytes)
                Stop(new("task.scratch_full", $"The task's scratch holds {bytes} bytes, its limit is {_limits.ScratchBytes}: inputs, spill and chunks together. Split the task, or raise limits.scratch_bytes.", Transient: false));
        }
    }

    double? Percentage()
    {
        try
        {
            return _observed?.Progress().Percentage;
        }
        catch (Exception e) when (e is DbException or LeanPipeException)
        {
            // A query at its memory limit leaves none for looking at it.
            return null;
        }
    }

    void Stop(TaskError reason)
    {
        Reason = reason;
        _stop.Cancel();
    }
}
