using System.Collections.Concurrent;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Runs;

enum RunState
{
    /// <summary>Planned, and no record of its end.</summary>
    Unfinished,
    Completed,
    Failed,
}

sealed record RunLine(
    RunId Run, string Pipeline, string Window, int Revision, RunState State, DateTimeOffset StartedAt, double? Seconds, int Tasks, long? RowsIn, long? RowsOut, string? Error);

/// <param name="Steps">Those that are committed.</param>
sealed record RunDetail(RunLine Run, IReadOnlyList<StepRecord> Steps, IReadOnlyList<string> Waiting, IReadOnlyList<PublishedTable> Published, RunError? Error);

/// <summary>Runs as the lake holds them: plans, commits of steps, records of ends.</summary>
static class LakeRuns
{
    // Small reads that wait for the store, not for this machine.
    const int ReadsAtOnce = 32;

    /// <summary>Newest first. Asks the store for the folders of runs and for small documents of each, never for what lies in them.</summary>
    public static async Task<IReadOnlyList<RunLine>> ListAsync(IObjectStore store, CancellationToken stop)
    {
        var lines = new ConcurrentBag<RunLine>();
        await Parallel.ForEachAsync(
            store.ListFoldersAsync(LakeLayout.Runs, stop), new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = stop }, async (folder, token) =>
            {
                if (RunId.IsValid(folder[..^1]) && await FindAsync(store, new(folder[..^1]), token) is { } detail) lines.Add(detail.Run);
            });
        return [.. lines.OrderByDescending(l => l.StartedAt).ThenBy(l => l.Run.Value, StringComparer.Ordinal)];
    }

    public static async Task<RunDetail?> FindAsync(IObjectStore store, RunId run, CancellationToken stop)
    {
        if (await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, stop) is { } record) return Ended(record);
        if (await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, stop) is not { } plan) return null;
        var steps = new List<StepRecord>();
        var waiting = new List<string>();
        foreach (var step in plan.Steps)
        {
            if (await store.GetJsonAsync(LakeLayout.StepManifest(run, step.Name), ContractsJson.Default.StepManifest, stop) is { } m)
                steps.Add(new(step.Name, m.Tasks, m.RowsIn, m.RowsOut, m.Chunks.Sum(c => c.Object.Bytes), m.TaskMs / 1000.0));
            else waiting.Add(step.Name.Value);
        }
        var line = new RunLine(run, plan.Pipeline.Value, plan.Window.Value, plan.Revision, RunState.Unfinished, plan.PlannedAt, null, steps.Sum(s => s.Tasks), null, null, null);
        return new(line, steps, waiting, [], null);
    }

    static RunDetail Ended(RunRecord record) => new(
        new(
            record.Run, record.Pipeline.Value, record.Window.Value, record.Revision, record.Status == RunStatus.Completed ? RunState.Completed : RunState.Failed, record.StartedAt,
            Math.Round((record.EndedAt - record.StartedAt).TotalSeconds, 3), record.Steps.Sum(s => s.Tasks), record.Steps.Count > 0 ? record.Steps[0].RowsIn : null,
            record.Steps.Count > 0 ? record.Steps[^1].RowsOut : null, record.Error?.Message),
        record.Steps, [], record.Published, record.Error);
}
