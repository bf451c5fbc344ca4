using System.Collections.Concurrent;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Brings a task to its commit, or to a failure that another attempt would not change.</summary>
/// <remarks>
/// Durable order: started.json of the attempt, [its chunks and outcome.json, by the step runner], commit.json, the cache's entry. Whatever dies in between, the repeated call goes on
/// from what the lake holds: a commit ends it at once; a successful outcome without commit is committed, not run again; an attempt without outcome was lost, and
/// another one is launched under the next number. Attempts are counted per execution of the activity, however often it is delivered: a task that takes this
/// service down with it ends after <see cref="OrchestratorOptions.MaxLostAttempts"/> all the same, while a run that somebody starts again gets new attempts.
/// </remarks>
sealed class TaskRunner(IObjectStore store, ILauncher launcher, StepSheets sheets, TaskCache cache, MemoryLadder ladder, OrchestratorOptions options, RunProgress progress, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<TaskRunner> log)
    : IDisposable
{
    // A sidecar that reconnects delivers an activity again while the first delivery still runs here: both wait for the one attempt.
    readonly Dictionary<string, Task<Reply>> _running = [];

    // Tasks that wait for a slot while their run has failed need not run any more. Lost in a restart without harm: they run then.
    readonly ConcurrentDictionary<RunId, Failure> _failed = new();

    // Ends the attempts of a run that somebody cancelled.
    readonly ConcurrentDictionary<RunId, CancellationTokenSource> _stops = new();

    readonly TaskPlaces _places = new(options.MaxConcurrentTasks);

    public async Task<Reply> RunAsync(RunId run, StepName step, TaskId task, string execution)
    {
        var key = LakeLayout.Task(run, step, task);
        Task<Reply>? running;
        lock (_running)
        {
            if (!_running.TryGetValue(key, out running)) _running[key] = running = Task.Run(() => BringToCommitAsync(run, step, task, execution));
        }
        try
        {
            return await running;
        }
        finally
        {
            lock (_running)
            {
                if (_running.TryGetValue(key, out var current) && current == running) _running.Remove(key);
            }
        }
    }

    /// <summary>A run begins, begins again, or has ended: that a task of it failed counts no more.</summary>
    public void Forget(RunId run)
    {
        _failed.TryRemove(run, out _);
        _stops.TryRemove(run, out _);
        sheets.Forget(run);
    }

    /// <summary>Ends what runs of it here, and starts nothing more of it.</summary>
    public void Stop(RunId run, Failure failure)
    {
        // In this order: an attempt that begins meanwhile takes its token first and then looks here.
        _failed[run] = failure;
        if (_stops.TryGetValue(run, out var stop)) stop.Cancel();
    }

    /// <summary>Tasks that have a slot here, and those that wait for one or for their next attempt.</summary>
    public (int Running, int Waiting) Load
    {
        get
        {
            lock (_running)
            {
                var running = options.MaxConcurrentTasks - _places.Free;
                return (running, Math.Max(0, _running.Count - running));
            }
        }
    }

    public void Dispose() => _places.Dispose();

    async Task<Reply> BringToCommitAsync(RunId run, StepName step, TaskId task, string execution)
    {
        var attempts = new AttemptLog(store, run, step, task);
        if (await attempts.CommitAsync(CancellationToken.None) is not null) return new();
        await store.ThrowIfCancelledAsync(run, CancellationToken.None);
        var found = await sheets.RequireAsync(run, step, task, CancellationToken.None);
        var spec = found.Spec;

        var (last, used, lost, outOfMemory) = (0, 0, 0, 0);
        foreach (var (number, start, written) in await attempts.ReadAsync(CancellationToken.None))
        {
            last = number;
            var outcome = written;
            var attempt = new TaskAttempt(run, step, task, number, spec.Limits, Connection: spec.Load?.Connection, Document: found.Document);
            if (outcome is null && await launcher.AttachAsync(attempt) is not null) outcome = await attempts.OutcomeAsync(number, CancellationToken.None);
            if (outcome is { Error: null }) return await CommitAsync(attempts, spec, attempt, outcome);
            if (start.Execution != execution) continue;
            if (outcome?.Error is { } memory && MemoryLadder.IsOutOfMemory(memory, null) && ladder.After(spec, outOfMemory + 1) is not null) outOfMemory++;
            else if (outcome?.Error is { Transient: false } error) return Failed(spec, number, error.Code, error.Message);
            else if (outcome is null) lost++;
            else used++;
        }
        if (last == 0 && await ReuseAsync(attempts, found)) return new();
        return lost < options.MaxLostAttempts
            ? await AttemptAsync(attempts, found, execution, last, used, outOfMemory)
            : Failed(spec, last, "task.lost", $"{lost} attempts ended without a trace, together with this service. Start the run again under its id to try more.");
    }

    /// <summary>Of a wide step only a sample was looked up when it was planned.</summary>
    async Task<bool> ReuseAsync(AttemptLog attempts, SheetTask found)
    {
        if (found.Of <= StepWriter.LookedUpAtOnce || await cache.FindAsync(found.Spec, CancellationToken.None) is not { } equal) return false;
        await cache.MarkAsync(found.Spec.Run, found.Spec.Step, [equal], CancellationToken.None);
        if (!await cache.IsStillThereAsync(found.Spec, equal, CancellationToken.None)) return false;
        await attempts.CommitAsync(new TaskCommit(0, equal), CancellationToken.None);
        return true;
    }

    async Task<Reply> AttemptAsync(AttemptLog attempts, SheetTask found, string execution, int last, int used, int outOfMemory)
    {
        var spec = found.Spec;
        var stop = _stops.GetOrAdd(spec.Run, _ => new()).Token;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, lifetime.ApplicationStopping);
        var most = spec.MaxAttempts ?? options.MaxTaskAttempts;
        var rung = ladder.After(spec, outOfMemory) ?? new(spec.Limits, 1);
        TaskError? before = null;
        try
        {
            while (true)
            {
                if (used > 0) await Task.Delay(options.PauseAfter(used), time, ending.Token);
                used++;
                var places = ladder.Places(rung.Limits);
                await _places.TakeAsync(places, ending.Token);
                TaskError? error;
                try
                {
                    if (_failed.TryGetValue(spec.Run, out var failure)) return new(failure);
                    last = await attempts.StartAsync(last + 1, new(execution, time.GetUtcNow()), CancellationToken.None);
                    error = await LaunchAsync(
                        attempts, spec,
                        new(spec.Run, spec.Step, spec.Task, last, rung.Limits, rung.Limits.MemoryBytes != spec.Limits.MemoryBytes, spec.Load?.Connection, spec.Inputs.Sum(i => i.Objects.Sum(o => o.Bytes)), rung.Slices, found.Document),
                        stop);
                }
                finally
                {
                    _places.Release(places);
                }
                if (error is null) return new();
                stop.ThrowIfCancellationRequested();
                var more = MemoryLadder.IsOutOfMemory(error, before) ? ladder.After(spec, outOfMemory + 1) : null;
                before = error;
                if (more is { } next)
                {
                    // What the engine itself says is no crash: it does not count.
                    (rung, outOfMemory, used) = (next, outOfMemory + 1, error.Transient ? used : used - 1);
                    if (used < most) continue;
                }
                if (!error.Transient) return Failed(spec, last, error.Code, error.Message);
                if (used >= most) return Failed(spec, last, error.Code, $"{error.Message} (The last of {used} attempts; start the run again under its id to try more.)");
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && _failed.TryGetValue(spec.Run, out var failure))
        {
            return new(failure);
        }
    }

    /// <returns>Null when the task is committed.</returns>
    async Task<TaskError?> LaunchAsync(AttemptLog attempts, TaskSpec spec, TaskAttempt attempt, CancellationToken stop)
    {
        var watch = new AttemptProgress(attempt, progress, time, log);
        var end = await launcher.RunAsync(attempt, watch.Read, stop);
        var outcome = await attempts.OutcomeAsync(attempt.Attempt, CancellationToken.None);
        if (outcome is { Error: null })
        {
            await CommitAsync(attempts, spec, attempt, outcome);
            if (attempt.MoreMemory || attempt.Slices > 1) await ladder.RememberAsync(spec, attempt, CancellationToken.None);
            return null;
        }
        var error = outcome?.Error ?? end.Error ?? Crash(end, attempt.Timeout);
        log.AttemptFailed(attempt, error.Code, end.ExitCode, error.Transient);
        return error;
    }

    async Task<Reply> CommitAsync(AttemptLog attempts, TaskSpec spec, TaskAttempt attempt, TaskOutcome outcome)
    {
        if (await attempts.CommitAsync(attempt.Attempt, CancellationToken.None))
            await cache.AddAsync(spec, outcome, LakeLayout.Outcome(attempt.Run, attempt.Step, attempt.Task, attempt.Attempt), CancellationToken.None);
        progress.Report(new TaskFinished(
            attempt.Run, attempt.Step, attempt.Task, attempt.Attempt, outcome.RowsIn, outcome.RowsOut, TimeSpan.FromMilliseconds(outcome.Timings.TotalMs), null));
        return new();
    }

    Reply Failed(TaskSpec spec, int attempt, string code, string message)
    {
        // The step runner's messages begin with the step, which a failure tells by itself.
        var prefix = $"Step '{spec.Step}': ";
        var failure = new Failure(code, message.StartsWith(prefix, StringComparison.Ordinal) ? message[prefix.Length..] : message, spec.Step, spec.Task.Index);
        _failed.TryAdd(spec.Run, failure);
        progress.Report(new TaskFinished(spec.Run, spec.Step, spec.Task, attempt, 0, 0, TimeSpan.Zero, failure.ToString()));
        return new(failure);
    }

    static TaskError Crash(LaunchEnd end, TimeSpan timeout) => end switch
    {
        { TimedOut: true } => new("task.timed_out", $"The task did not end within {timeout}. Give it less data, or a longer timeout.", Transient: false),
        { ExitCode: 137 } => new("task.killed", "The task was killed (exit code 137), most likely because the machine ran out of memory.", Transient: true),
        // The step runner refuses its command line or its task: the next attempt would read the same.
        { ExitCode: 2 } => new("task.refused", $"The step runner refused the task: {end.ErrorTail}", Transient: false),
        _ => new("task.crashed", $"The step runner ended with exit code {end.ExitCode} and left no outcome. {end.ErrorTail}".TrimEnd(), Transient: true),
    };
}
