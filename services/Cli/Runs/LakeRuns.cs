using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Runs;

enum RunState
{
    /// <summary>Planned, and no record of its end.</summary>
    Unfinished,
    Completed,
    Failed,
    Cancelled,

    /// <summary>Waits for its place among the runs.</summary>
    Queued,
}

sealed record RunLine(
    RunId Run, string Pipeline, string Window, int Revision, RunState State, DateTimeOffset StartedAt, double? Seconds, int Tasks, long? RowsIn, long? RowsOut, string? Error,
    int? Position = null);

/// <param name="Steps">Those that are committed.</param>
sealed record RunDetail(RunLine Run, IReadOnlyList<StepRecord> Steps, IReadOnlyList<string> Waiting, IReadOnlyList<PublishedTable> Published, RunError? Error,
    IReadOnlyList<FoundCheck>? Checks = null);

/// <summary>A check that did not pass, with the first of its rows.</summary>
sealed record FoundCheck(CheckRecord Check, IReadOnlyList<string> Rows);

/// <summary>Runs as the lake holds them: plans, commits of steps, records of ends.</summary>
static class LakeRuns
{
    // Small reads that wait for the store, not for this machine.
    const int ReadsAtOnce = 32;

    /// <summary>Of the rows that a check found.</summary>
    const int ShownRows = 5;

    /// <summary>Newest first. Reads so many entries of the index, and small documents of these runs.</summary>
    public static async Task<IReadOnlyList<RunLine>> ListAsync(IObjectStore store, int limit, CancellationToken stop)
    {
        var runs = new List<(RunId Run, string Key)>();
        await foreach (var entry in RunIndex.ListAsync(store, stop))
        {
            if (runs.Count == limit) break;
            runs.Add(entry);
        }
        var marks = await RunIndex.MarksAsync(store, stop);
        var lines = new RunLine?[runs.Count];
        await Parallel.ForAsync(
            0, runs.Count, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = stop },
            async (n, token) => lines[n] = await QueuedAsync(store, runs[n].Run, runs[n].Key, marks, token) ?? (await FindAsync(store, runs[n].Run, token))?.Run);
        return [.. lines.OfType<RunLine>()];
    }

    static async Task<RunLine?> QueuedAsync(IObjectStore store, RunId run, string key, RunMarks marks, CancellationToken stop) =>
        marks.PositionOf(run) is { } place && await store.GetJsonAsync(key, ContractsJson.Default.RunIndexEntry, stop) is { } entry
            ? new(run, entry.Pipeline.Value, entry.Window.Value, 0, RunState.Queued, entry.At, null, 0, null, null, null, place)
            : null;

    public static async Task<RunDetail?> FindAsync(IObjectStore store, RunId run, CancellationToken stop)
    {
        if (await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, stop) is { } record)
            return Ended(record) with { Checks = record.Checks is { } checks ? await ChecksAsync(store, checks, stop) : null };
        if (await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, stop) is not { } plan) return null;
        var steps = new List<StepRecord>();
        var waiting = new List<string>();
        foreach (var step in plan.Steps)
        {
            if (await store.GetJsonAsync(LakeLayout.StepManifest(run, step.Name), ContractsJson.Default.StepManifest, stop) is { } m)
                steps.Add(StepRecord.Of(m));
            else waiting.Add(step.Name.Value);
        }
        var line = new RunLine(run, plan.Pipeline.Value, plan.Window.Value, plan.Revision, RunState.Unfinished, plan.PlannedAt, null, steps.Sum(s => s.Tasks), null, null, null);
        return new(line, steps, waiting, [], null);
    }

    static async Task<IReadOnlyList<FoundCheck>> ChecksAsync(IObjectStore store, IReadOnlyList<CheckRecord> checks, CancellationToken stop)
    {
        var found = new List<FoundCheck>();
        foreach (var check in checks)
        {
            var rows = check.Rows is { } key && await store.GetAsync(key, stop) is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes.Span).Split('\n', ShownRows + 1) : [];
            found.Add(new(check, [.. rows.Take(ShownRows).Where(r => r.Length > 0)]));
        }
        return found;
    }

    static RunDetail Ended(RunRecord record) => new(
        new(
            record.Run, record.Pipeline.Value, record.Window.Value, record.Revision, StateOf(record.Status), record.StartedAt,
            Math.Round((record.EndedAt - record.StartedAt).TotalSeconds, 3), record.Steps.Sum(s => s.Tasks), record.Steps.Count > 0 ? record.Steps[0].RowsIn : null,
            record.Steps.Count > 0 ? record.Steps[^1].RowsOut : null, record.Error?.Message),
        record.Steps, [], record.Published, record.Error);

    static RunState StateOf(RunStatus status) => status switch { RunStatus.Completed => RunState.Completed, RunStatus.Cancelled => RunState.Cancelled, _ => RunState.Failed };
}
