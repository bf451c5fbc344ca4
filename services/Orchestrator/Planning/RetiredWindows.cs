using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Says of a window whose raw segments housekeeping took that they went on purpose, and where their rows are; a task alone could only say that an object is gone.</summary>
static class RetiredWindows
{
    /// <param name="tasks">Those whose results are not reused.</param>
    /// <exception cref="LakeException"><c>lake.missing</c></exception>
    public static async Task RequireAsync(IObjectStore store, PlannedStep step, IReadOnlyList<TaskSpec> tasks, CancellationToken cancellation)
    {
        foreach (var input in step.Inputs.Where(i => i.Source.StartsWith("windows/", StringComparison.Ordinal)))
        {
            var stream = new StreamName(input.Source.Split('/')[1]);
            var retired = await HousekeepingPass.RetiredAsync(store, stream, cancellation, input.Objects.Select(o => WindowOf(o.Key)).ToHashSet());
            if (retired.Count == 0) continue;
            var needed = new List<ObjectRef>();
            foreach (var task in tasks)
            {
                // Of a run that goes on, a task that is committed needs its segments no more.
                if (await store.SizeAsync(LakeLayout.TaskCommit(task.Run, task.Step, task.Task), cancellation) is null) needed.AddRange(task.Inputs.Single(i => i.Name == input.Name).Objects);
            }
            foreach (var segments in needed.DistinctBy(o => o.Key).GroupBy(o => WindowOf(o.Key)))
                if (retired.TryGetValue(segments.Key, out var window)) await RequireAsync(store, window, [.. segments], cancellation);
        }
    }

    static async Task RequireAsync(IObjectStore store, RetiredWindow window, IReadOnlyList<ObjectRef> segments, CancellationToken cancellation)
    {
        var gone = new List<string>();
        foreach (var segment in segments)
            if (await store.SizeAsync(segment.Key, cancellation) is null) gone.Add(segment.Key);
        if (gone.Count == 0) return;
        var tables = window.Tables.Count == 0 ? "what was made of them is in the tables" : $"what was made of them is in {(window.Tables.Count == 1 ? "table" : "the tables")} {string.Join(", ", window.Tables)}";
        throw new LakeException(
            "lake.missing",
            $"Window {window.Window} of stream '{window.Stream}' has {gone.Count} of {segments.Count} raw segments no more: housekeeping {(window.To is { } to ? $"moved them to {to}" : "deleted them")} on " +
            $"{window.At.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}, as its retention says, after revision {window.Revision} with {window.Rows} rows was published; {tables}. " +
            (window.To is null ? "They cannot be computed anew without a copy of your own." : $"To compute it anew, copy them back under their keys, such as '{gone[0]}', and start the run again."));
    }

    /// <summary><c>raw/s/date=2026-01-01/hour=10/…</c> is <c>2026-01-01T10</c>.</summary>
    static string WindowOf(string segment)
    {
        var parts = segment.Split('/').Select(p => p.Split('=')).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
        return parts.GetValueOrDefault("date") + (parts.TryGetValue("hour", out var hour) ? $"T{hour}" : "") + parts.GetValueOrDefault("minute");
    }
}
