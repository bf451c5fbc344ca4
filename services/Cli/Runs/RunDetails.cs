using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Runs;

/// <param name="Tasks">Of the steps that are committed.</param>
sealed record RunLine(
    RunId Run, string Pipeline, string Window, int Revision, RunState State, DateTimeOffset StartedAt, double? Seconds, int Tasks, long? RowsIn, long? RowsOut, string? Error,
    int? Position = null);

/// <param name="Steps">Those that are committed.</param>
sealed record RunDetail(RunLine Run, IReadOnlyList<StepRecord> Steps, IReadOnlyList<string> Waiting, IReadOnlyList<PublishedTable> Published, RunError? Error,
    IReadOnlyList<FoundCheck>? Checks = null);

/// <summary>A check that did not pass, with the first of its rows.</summary>
sealed record FoundCheck(CheckRecord Check, IReadOnlyList<string> Rows);

/// <summary>Runs as the commands show them.</summary>
static class RunDetails
{
    /// <summary>Of the rows that a check found.</summary>
    const int ShownRows = 5;

    /// <summary>Newest first.</summary>
    public static async Task<IReadOnlyList<RunLine>> ListAsync(IObjectStore store, int limit, CancellationToken stop)
    {
        var lines = new List<RunLine>();
        foreach (var run in await LakeRuns.ListAsync(store, limit, stop)) lines.Add(Line(run, await StepsAsync(store, run, stop)));
        return lines;
    }

    public static async Task<RunDetail?> FindAsync(IObjectStore store, RunId id, CancellationToken stop)
    {
        if (await LakeRuns.FindAsync(store, id, stop) is not { } run) return null;
        var steps = await StepsAsync(store, run, stop);
        var waiting = run.Record is not null ? [] : (run.Plan?.Steps ?? []).Select(s => s.Name).Except(steps.Select(s => s.Step)).Select(s => s.Value);
        return new(Line(run, steps), steps, [.. waiting], run.Record?.Published ?? [], run.Record?.Error, run.Record?.Checks is { } checks ? await ChecksAsync(store, checks, stop) : null);
    }

    static async Task<IReadOnlyList<StepRecord>> StepsAsync(IObjectStore store, LakeRun run, CancellationToken stop) =>
        run.Record?.Steps ?? (run.Plan is { } plan ? [.. (await LakeRuns.CommittedAsync(store, plan, stop)).Select(StepRecord.Of)] : []);

    static RunLine Line(LakeRun run, IReadOnlyList<StepRecord> steps)
    {
        var ended = run.Record is not null && steps.Count > 0;
        return new(
            run.Run, run.Pipeline.Value, run.Window.Value, run.Revision, run.State, run.StartedAt, run.Record is { } record ? Math.Round((record.EndedAt - record.StartedAt).TotalSeconds, 3) : null,
            steps.Sum(s => s.Tasks), ended ? steps[0].RowsIn : null, ended ? steps[^1].RowsOut : null, run.Record?.Error?.Message, run.Position);
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
}
