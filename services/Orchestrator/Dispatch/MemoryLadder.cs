using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>What a task gets after it ran out of memory: twice as much, up to the most that a task may have. What worked is remembered for the step.</summary>
/// <remarks>The engine has spilled to disk by then. A task with more than its share of the machine takes the places of as many tasks as its memory comes to.</remarks>
sealed class MemoryLadder(IObjectStore store, OrchestratorOptions options, TimeProvider time, ILogger<MemoryLadder> log)
{
    const string Killed = "task.killed";

    /// <summary>The engine or the cluster says so; or the process was killed twice in a row, which once may have been a person.</summary>
    public static bool IsOutOfMemory(TaskError error, TaskError? before) => error.Code is "duckdb.out_of_memory" or "task.oom_killed" || (error.Code == Killed && before?.Code == Killed);

    /// <param name="failures">So many attempts ran out of memory, each with what it was given then.</param>
    /// <returns>The next attempt's limits; null when there is no more to give.</returns>
    public TaskLimits? After(TaskLimits limits, int failures)
    {
        var memory = limits.MemoryBytes;
        for (var n = 0; n < failures; n++)
        {
            if (memory >= options.EffectiveMaxTaskMemoryBytes) return null;
            memory = Math.Min(memory * 2, options.EffectiveMaxTaskMemoryBytes);
        }
        return limits with { MemoryBytes = memory };
    }

    public int Places(TaskLimits limits) => (int)Math.Clamp((limits.MemoryBytes + options.EffectiveLimits.MemoryBytes - 1) / options.EffectiveLimits.MemoryBytes, 1, options.MaxConcurrentTasks);

    public async Task RememberAsync(TaskSpec spec, TaskLimits worked, CancellationToken cancellation)
    {
        log.MemoryRemembered(spec.Pipeline.Value, spec.Step.Value, worked.MemoryBytes >> 20);
        await store.PutJsonAsync(LakeLayout.StepLimits(spec.Pipeline, spec.Step), new StepLimits(worked.MemoryBytes, time.GetUtcNow()), ContractsJson.Default.StepLimits, cancellation);
    }
}

/// <summary>The places of tasks on this machine. Who needs several gathers them one by one, and only one does so at a time: two would wait for each other for ever.</summary>
sealed class TaskPlaces(int count) : IDisposable
{
    readonly SemaphoreSlim _places = new(count);
    readonly SemaphoreSlim _gathering = new(1);

    /// <summary>So many nobody has taken at this moment.</summary>
    public int Free => _places.CurrentCount;

    public async Task TakeAsync(int places, CancellationToken cancellation)
    {
        if (places > 1) await _gathering.WaitAsync(cancellation);
        var taken = 0;
        try
        {
            for (; taken < places; taken++) await _places.WaitAsync(cancellation);
        }
        catch
        {
            Release(taken);
            throw;
        }
        finally
        {
            if (places > 1) _gathering.Release();
        }
    }

    public void Release(int places)
    {
        if (places > 0) _places.Release(places);
    }

    public void Dispose()
    {
        _places.Dispose();
        _gathering.Dispose();
    }
}
