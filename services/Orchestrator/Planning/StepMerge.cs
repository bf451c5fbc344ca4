using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>The winning outcomes of a step's tasks become its manifest. Pure.</summary>
static class StepMerge
{
    /// <param name="outcomes">Of every task, in the order of the tasks.</param>
    /// <exception cref="LeanPipeException">The tasks did not yield the same columns, so that their chunks are not one dataset.</exception>
    public static StepManifest Merge(RunId run, StepName step, IReadOnlyList<TaskOutcome> outcomes, DateTimeOffset now)
    {
        var columns = outcomes[0].Columns;
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
            TaskMs = outcomes.Sum(o => o.Timings.TotalMs),
            CommittedAt = now,
        };
    }

    static string Text(IReadOnlyList<OutputColumn> columns) => string.Join(", ", columns.Select(c => $"{c.Name} {c.Type}"));
}
