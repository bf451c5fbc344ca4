using LeanPipe.Cli.Output;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Runs;

/// <summary>Runs and their steps for people.</summary>
static class RunPrinter
{
    static readonly TextColumn<RunLine>[] Lines =
    [
        new("RUN", r => r.Run), new("STATE", r => r.Position is { } place ? $"queued {place}" : StateText(r.State)), new("STARTED", r => r.StartedAt), new("SECONDS", r => r.Seconds?.ToString("0.0", null), Right: true),
        new("TASKS", r => r.Tasks, Right: true), new("ROWS IN", r => r.RowsIn, Right: true), new("ROWS OUT", r => r.RowsOut, Right: true),
    ];

    static readonly TextColumn<StepRecord>[] Steps =
    [
        new("STEP", s => s.Step), new("TASKS", s => s.Reused is { } reused ? $"{s.Tasks} ({reused} reused)" : s.Tasks, Right: true), new("ROWS IN", s => s.RowsIn, Right: true), new("ROWS OUT", s => s.RowsOut, Right: true),
        new("BYTES OUT", s => s.BytesOut, Right: true), new("SECONDS", s => s.Seconds.ToString("0.0", null), Right: true),
    ];

    public static void WriteLines(TextWriter output, IReadOnlyList<RunLine> runs) => TextTable.Write(output, runs, Lines);

    public static void WriteDetail(TextWriter output, RunDetail detail)
    {
        var run = detail.Run;
        output.WriteLine($"{run.Run}  {StateText(run.State)}{(run.Seconds is { } s ? $" in {s:0.0} s" : "")}");
        output.WriteLine($"pipeline {run.Pipeline}, window {run.Window}{(run.Revision > 0 ? $", revision {run.Revision}" : "")}");
        if (detail.Steps.Count > 0)
        {
            output.WriteLine();
            TextTable.Write(output, detail.Steps, Steps);
        }
        foreach (var step in detail.Steps)
            if (step.Load is { } load) output.WriteLine($"loaded by {step.Step}: {Text(step, load)}");
        if (detail.Waiting.Count > 0) output.WriteLine($"not committed yet: {string.Join(", ", detail.Waiting)}");
        foreach (var table in detail.Published) output.WriteLine($"published {table.Table}, version {table.Version}: {table.Rows} rows");
        foreach (var (check, rows) in detail.Checks ?? [])
        {
            output.WriteLine(
                $"check {check.Name} of step {check.Step}, task {check.Task}: found {check.Found?.ToString() ?? "NULL"}, expected {check.Expected} ({(check.Severity == CheckSeverity.Warn ? "warning" : "failed")})");
            foreach (var row in rows) output.WriteLine($"  {row}");
            if (check.Rows is { } key) output.WriteLine($"  all kept rows: {key}");
        }
        if (detail.Error is { } error) output.WriteLine($"failed{(error.Step is { } step ? $" in step {step}{(error.Task is { } task ? $", task {task}" : "")}" : "")}: {error.Message} ({error.Code})");
    }

    static string Text(StepRecord step, LoadFigures load) =>
        $"{load.Inserted} rows inserted, {load.Updated} updated, {load.Unchanged} unchanged" +
        (load.Repeated is { } repeated ? $" ({repeated} of {step.Tasks} tasks had been loaded before)" : "") +
        string.Concat((load.Added ?? new Dictionary<string, long>()).Select(a => $"; {a.Value} rows added to {a.Key}"));

    static string StateText(RunState state) => state.ToString().ToLowerInvariant();
}
