using LeanPipe.Contracts;

namespace LeanPipe.Lake;

public enum RunState
{
    /// <summary>Planned, or about to be, and not ended; also when it has ended before and was started again.</summary>
    Running,
    Completed,
    Failed,
    Cancelled,

    /// <summary>It waits for its place.</summary>
    Queued,
}

/// <summary>A run as the lake tells it.</summary>
/// <param name="Revision">0: not known before it is planned.</param>
/// <param name="StartedAt">When it was planned; of one that is not planned yet, when it asked.</param>
/// <param name="Plan">Null when it is not planned yet, or could not be; in a list also of a run that has ended.</param>
/// <param name="Record">Of its end; null while it waits or runs.</param>
/// <param name="Position">Its place in the queue, from 1; null when it does not wait.</param>
public sealed record LakeRun(
    RunId Run, PipelineName Pipeline, WindowId Window, int Revision, RunState State, DateTimeOffset StartedAt, RunPlan? Plan = null, RunRecord? Record = null, int? Position = null);

/// <summary>Runs by the orchestrator's marks, their records and their plans, in this order: a run that was started again has a record of its last end, and its mark tells that this is not the end.</summary>
/// <remarks>Right after any restart, and about runs of any orchestrator of the lake. A run that was terminated from outside runs until the orchestrator has looked (docs/specs/run.md).</remarks>
public static class LakeRuns
{
    // Small reads that wait for the store, not for this machine.
    const int ReadsAtOnce = 32;

    /// <summary>Newest first. Reads as many entries of the index as are asked for, and one or two small objects of each of these runs.</summary>
    public static async Task<IReadOnlyList<LakeRun>> ListAsync(IObjectStore store, int limit, CancellationToken cancellation)
    {
        var runs = new List<(RunId Run, string Key)>();
        await foreach (var run in RunIndex.ListAsync(store, cancellation))
        {
            if (runs.Count == limit) break;
            runs.Add(run);
        }
        var marks = await RunIndex.MarksAsync(store, cancellation);
        var found = new LakeRun?[runs.Count];
        await Parallel.ForAsync(
            0, runs.Count, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellation },
            async (n, token) => found[n] = await ReadAsync(store, runs[n].Run, runs[n].Key, marks, token));
        return [.. found.OfType<LakeRun>()];
    }

    /// <returns>With its plan; null when the lake knows no such run.</returns>
    public static async Task<LakeRun?> FindAsync(IObjectStore store, RunId run, CancellationToken cancellation)
    {
        var marks = await RunIndex.MarksAsync(store, cancellation);
        var plan = await PlanAsync(store, run, cancellation);
        if (marks.PositionOf(run) is { } place && await WaitingAsync(store, run, cancellation) is { } waits) return Of(waits, RunState.Queued) with { Plan = plan, Position = place };
        if (!marks.Running.Contains(run)) return await EndedAsync(store, run, cancellation) is { } ended ? ended with { Plan = plan } : plan is null ? null : Of(plan);
        return plan is not null ? Of(plan) : await store.GetJsonAsync(LakeLayout.RunningRun(run), ContractsJson.Default.QueuedRun, cancellation) is { } mark ? Of(mark, RunState.Running) : null;
    }

    /// <summary>The steps of a plan that are committed, in its order.</summary>
    public static async Task<IReadOnlyList<StepManifest>> CommittedAsync(IObjectStore store, RunPlan plan, CancellationToken cancellation)
    {
        var steps = new List<StepManifest>();
        foreach (var step in plan.Steps)
            if (await store.GetJsonAsync(LakeLayout.StepManifest(plan.Run, step.Name), ContractsJson.Default.StepManifest, cancellation) is { } manifest) steps.Add(manifest);
        return steps;
    }

    static async Task<LakeRun?> ReadAsync(IObjectStore store, RunId run, string key, RunMarks marks, CancellationToken cancellation)
    {
        if (marks.PositionOf(run) is { } place && await store.GetJsonAsync(key, ContractsJson.Default.RunIndexEntry, cancellation) is { } queued)
            return new(run, queued.Pipeline, queued.Window, 0, RunState.Queued, queued.At, Position: place);
        if (!marks.Running.Contains(run) && await EndedAsync(store, run, cancellation) is { } ended) return ended;
        return await PlanAsync(store, run, cancellation) is { } plan ? Of(plan) : null;
    }

    static ValueTask<RunPlan?> PlanAsync(IObjectStore store, RunId run, CancellationToken cancellation) => store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, cancellation);

    static async Task<QueuedRun?> WaitingAsync(IObjectStore store, RunId run, CancellationToken cancellation)
    {
        await foreach (var mark in store.ListAsync(LakeLayout.QueueWaiting, cancellation))
            if (mark.Key.EndsWith($"-{run}.json", StringComparison.Ordinal) && await store.GetJsonAsync(mark.Key, ContractsJson.Default.QueuedRun, cancellation) is { } waits && waits.Run == run) return waits;
        return null;
    }

    static async Task<LakeRun?> EndedAsync(IObjectStore store, RunId run, CancellationToken cancellation) =>
        await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, cancellation) is { } record
            ? new(record.Run, record.Pipeline, record.Window, record.Revision, StateOf(record), record.StartedAt, Record: record)
            : null;

    static LakeRun Of(RunPlan plan) => new(plan.Run, plan.Pipeline, plan.Window, plan.Revision, RunState.Running, plan.PlannedAt, plan);

    static LakeRun Of(QueuedRun mark, RunState state) => new(mark.Run, mark.Pipeline, mark.Window, 0, state, mark.AskedAt);

    static RunState StateOf(RunRecord record) => record.Status switch
    {
        RunStatus.Completed => RunState.Completed,
        RunStatus.Cancelled => RunState.Cancelled,
        _ => RunState.Failed,
    };
}
