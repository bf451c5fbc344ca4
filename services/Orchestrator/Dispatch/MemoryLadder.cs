using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <param name="Slices">In so many parts it reads the input that is shared out, one at a time.</param>
readonly record struct Rung(TaskLimits Limits, int Slices);

/// <summary>What a task gets after it ran out of memory, the engine having spilled to disk by then: smaller parts of its input, one at a time; then twice as much memory. What worked is remembered for the step.</summary>
/// <remarks>A task with more than its share of the machine takes the places of as many tasks as its memory comes to.</remarks>
sealed class MemoryLadder(IObjectStore store, OrchestratorOptions options, TimeProvider time, ILogger<MemoryLadder> log)
{
    const string Killed = "task.killed";

    /// <summary>Each failed attempt reads the whole input, so the parts become small quickly.</summary>
    const int Finer = 4;

    /// <summary>The engine or the cluster says so; or the process was killed twice in a row, which once may have been a person.</summary>
    public static bool IsOutOfMemory(TaskError error, TaskError? before) => error.Code is "duckdb.out_of_memory" or "task.oom_killed" || (error.Code == Killed && before?.Code == Killed);

    /// <param name="failures">So many attempts ran out of memory, each with what it was given then.</param>
    /// <returns>Where the next attempt stands; null when there is no more to give.</returns>
    public Rung? After(TaskSpec spec, int failures)
    {
        var (memory, slices, most) = (spec.Limits.MemoryBytes, 1, TaskSlices.Most(spec));
        for (var n = 0; n < failures; n++)
        {
            if (slices < most) slices = Math.Min(slices * Finer, most);
            else if (memory < options.EffectiveMaxTaskMemoryBytes) memory = Math.Min(memory * 2, options.EffectiveMaxTaskMemoryBytes);
            else return null;
        }
        return new(spec.Limits with { MemoryBytes = memory }, slices);
    }

    public int Places(TaskLimits limits) => (int)Math.Clamp((limits.MemoryBytes + options.EffectiveLimits.MemoryBytes - 1) / options.EffectiveLimits.MemoryBytes, 1, options.MaxConcurrentTasks);

    /// <summary>Of several tasks of the step the one that needed most counts.</summary>
    public async Task RememberAsync(TaskSpec spec, TaskAttempt worked, CancellationToken cancellation)
    {
        var key = LakeLayout.StepLimits(spec.Pipeline, spec.Step);
        var known = await store.GetJsonAsync(key, ContractsJson.Default.StepLimits, cancellation);
        var memory = Math.Max(worked.Limits.MemoryBytes, known?.MemoryBytes ?? 0);
        var input = worked.Slices > 1 ? Math.Min(TaskSlices.LargestBytes(spec, worked.Slices), known?.InputBytes ?? long.MaxValue) : known?.InputBytes;
        log.LimitsRemembered(spec.Pipeline.Value, spec.Step.Value, memory >> 20, input is { } bytes ? $"{bytes} bytes of input" : "its whole input");
        await store.PutJsonAsync(key, new StepLimits(memory, time.GetUtcNow(), input), ContractsJson.Default.StepLimits, cancellation);
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
