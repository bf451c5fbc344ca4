using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>The winning outcomes of a step's tasks become its manifest. Pure.</summary>
static class StepMerge
{
    /// <param name="outcomes">Of every task, in the order of the tasks.</param>
    /// <param name="reused">The indexes of those that are the outcomes of equal tasks: they cost nothing this time.</param>
    /// <param name="none">The columns of a step without tasks.</param>
    /// <exception cref="LeanPipeException">The tasks did not yield the same columns, so that their chunks are not one dataset.</exception>
    public static StepManifest Merge(RunId run, StepName step, IReadOnlyList<TaskOutcome> outcomes, DateTimeOffset now, IReadOnlySet<int>? reused = null, IReadOnlyList<OutputColumn>? none = null)
    {
        var columns = outcomes.Count > 0 ? outcomes[0].Columns : none ?? [];
        foreach (var outcome in outcomes)
            if (!outcome.Columns.SequenceEqual(columns))
                throw new LeanPipeException(
                    "step.columns_differ",
                    $"Step '{step}': task {outcome.Task} yields ({Text(outcome.Columns)}), task {outcomes[0].Task} yields ({Text(columns)}). Cast the columns in the step's SQL, " +
                    "so that they do not depend on the rows.");
        return new()
        {
            Run = run,
            Step = step,
            Columns = columns,
            Chunks = [.. outcomes.SelectMany(o => o.Chunks)],
            Tasks = outcomes.Count,
            RowsIn = outcomes.Sum(o => o.RowsIn),
            RowsOut = outcomes.Sum(o => o.RowsOut),
            TaskMs = outcomes.Where((_, n) => reused?.Contains(n) is not true).Sum(o => o.Timings.TotalMs),
            Reused = reused?.Count is > 0 and var count ? count : null,
            CommittedAt = now,
            Load = LoadFigures.Of(outcomes.Select(o => o.Load)),
            Warnings = outcomes.SelectMany((o, n) => NotPassed(o).Select(w => w with { Task = new(n) })).ToList() is { Count: > 0 } warnings ? warnings : null,
        };
    }

    public static IEnumerable<CheckRecord> NotPassed(TaskOutcome outcome) => outcome.Checks.Where(c => !c.Passed)
        .Select(c => new CheckRecord(outcome.Step, outcome.Task, c.Name, c.Severity ?? CheckSeverity.Fail, c.Expected, c.Found, c.Rows));

    /// <summary>What the tasks cost, one JSON line each.</summary>
    public static byte[] Records(RunId run, IReadOnlyList<(int Attempt, TaskOutcome Outcome)> tasks) => System.Text.Encoding.UTF8.GetBytes(string.Concat(tasks.Select((t, n) =>
    {
        var (attempt, o) = t;
        var record = new TaskRecord(
            run, o.Step, new(n), attempt, o.StartedAt, o.RowsIn, o.RowsOut, o.BytesIn, o.BytesOut, o.Timings.FetchMs, o.Timings.SqlMs, o.Timings.UploadMs, o.Timings.TotalMs,
            o.PeakMemoryBytes, o.Engine);
        return System.Text.Json.JsonSerializer.Serialize(record, ContractsJson.Default.TaskRecord) + "\n";
    })));

    static string Text(IReadOnlyList<OutputColumn> columns) => string.Join(", ", columns.Select(c => $"{c.Name} {c.Type}"));
}
