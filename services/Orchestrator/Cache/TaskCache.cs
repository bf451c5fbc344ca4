using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Results of tasks by what they were computed from.</summary>
/// <remarks>
/// Durable order: the task's commit, then its entry; so an entry names an outcome that is whole. An entry may outlive what it names, when a run's intermediates are
/// removed: it counts only while the outcome and all of its chunks are there, and the next equal task replaces it.
/// </remarks>
sealed class TaskCache(IObjectStore store)
{
    const int ReadsAtOnce = 16;

    /// <summary>The engine of the step runners that are released with this orchestrator. Another one's results are not kept.</summary>
    public const string Engine = "duckdb v1.5.6";

    /// <returns>The key of an outcome; null when there is none.</returns>
    public async Task<string?> FindAsync(TaskSpec spec, CancellationToken cancellation)
    {
        if (CacheKey.Refusal(spec) is not null) return null;
        var entry = await store.GetJsonAsync(LakeLayout.CacheEntry(CacheKey.Of(spec, Engine).Value), ContractsJson.Default.CacheEntry, cancellation);
        if (entry is null || await store.GetJsonAsync(entry.Outcome, ContractsJson.Default.TaskOutcome, cancellation) is not { Error: null } outcome) return null;
        var there = true;
        await Parallel.ForEachAsync(
            outcome.Chunks, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellation },
            async (chunk, token) => there &= await store.SizeAsync(chunk.Object.Key, token) == chunk.Object.Bytes);
        return there ? entry.Outcome : null;
    }

    public async Task AddAsync(TaskSpec spec, TaskOutcome outcome, string outcomeKey, CancellationToken cancellation)
    {
        if (outcome.Engine != Engine || CacheKey.Refusal(spec) is not null) return;
        await store.PutJsonAsync(
            LakeLayout.CacheEntry(CacheKey.Of(spec, Engine).Value), new CacheEntry { Outcome = outcomeKey, Run = spec.Run, Step = spec.Step, Task = spec.Task, At = outcome.StartedAt },
            ContractsJson.Default.CacheEntry, cancellation);
    }
}
