using System.Security.Cryptography;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Results of tasks by what they were computed from.</summary>
/// <remarks>
/// <para>Durable order: the task's commit, then its entry; so an entry names an outcome that is whole. An entry may outlive what it names, when a run's intermediates are
/// removed: it counts only while the outcome and all of its chunks are there, and the next equal task replaces it.</para>
/// <para>Of a reuse: what is about to be taken is written below the run (<see cref="LakeLayout.StepReuse"/>), then the entry is read once more, and only when it still names the same outcome
/// the task is committed with it. Housekeeping removes an entry first, and what it named only after it has listed the runs anew; so it sees what this run has written, or this run sees that
/// the entry is gone.</para>
/// </remarks>
sealed class TaskCache(IObjectStore store)
{
    const int ReadsAtOnce = 16;

    /// <summary>The engine of the step runners that are released with this orchestrator. Another one's results are not kept.</summary>
    public const string Engine = "duckdb v1.5.6";

    /// <summary>Keeps what a run is about to take from being removed. Before <see cref="IsStillThereAsync"/>.</summary>
    public async Task MarkAsync(RunId run, StepName step, IReadOnlyList<string> outcomes, CancellationToken cancellation)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(new StepReuse(outcomes), ContractsJson.Default.StepReuse);
        await store.PutIfAbsentAsync(LakeLayout.StepReuse(run, step, Convert.ToHexStringLower(SHA256.HashData(content))), content, cancellation);
    }

    /// <param name="outcome">As <see cref="FindAsync"/> found it.</param>
    public async Task<bool> IsStillThereAsync(TaskSpec spec, string outcome, CancellationToken cancellation) => (await EntryAsync(spec, cancellation))?.Outcome == outcome;

    // One that is damaged is none: the task runs, and writes it anew.
    ValueTask<CacheEntry?> EntryAsync(TaskSpec spec, CancellationToken cancellation) =>
        store.FindJsonAsync(LakeLayout.CacheEntry(CacheKey.Of(spec, Engine).Value), ContractsJson.Default.CacheEntry, cancellation);

    /// <returns>The key of an outcome; null when there is none.</returns>
    public async Task<string?> FindAsync(TaskSpec spec, CancellationToken cancellation)
    {
        if (CacheKey.Refusal(spec) is not null) return null;
        var entry = await EntryAsync(spec, cancellation);
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
