using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Benchmarks.Kubernetes;

/// <param name="Began">Before the attempt is launched: the orchestrator writes started.json.</param>
/// <param name="Runs">The step runner begins with the task, by its own clock.</param>
/// <param name="Ended">It writes its outcome.</param>
/// <param name="Committed">commit.json is there.</param>
/// <param name="Sql">What the step runner computed for, the engine's start among it.</param>
sealed record TaskTime(DateTimeOffset Began, DateTimeOffset Runs, DateTimeOffset Ended, DateTimeOffset Committed, TimeSpan Sql)
{
    public double Overhead => (Committed - Began - Sql).TotalSeconds;

    /// <summary>Every task of the run, as its objects in the lake tell.</summary>
    public static IReadOnlyList<TaskTime> Of(string lake, string run) =>
        [.. Directory.EnumerateFiles(Path.Combine(lake, "runs", run), "commit.json", SearchOption.AllDirectories).Select(Read).OrderBy(t => t.Began)];

    static TaskTime Read(string commit)
    {
        var chosen = JsonSerializer.Deserialize(File.ReadAllText(commit), ContractsJson.Default.TaskCommit)!;
        var attempt = Path.Combine(Path.GetDirectoryName(commit)!, $"{chosen.Attempt}");
        using var started = JsonDocument.Parse(File.ReadAllText(Path.Combine(attempt, "started.json")));
        var outcome = JsonSerializer.Deserialize(File.ReadAllText(Path.Combine(attempt, "outcome.json")), ContractsJson.Default.TaskOutcome)!;
        return new(
            started.RootElement.GetProperty("started_at").GetDateTimeOffset(), outcome.StartedAt, outcome.StartedAt.AddMilliseconds(outcome.Timings.TotalMs), new DateTimeOffset(File.GetLastWriteTimeUtc(commit)), TimeSpan.FromMilliseconds(outcome.Timings.SqlMs));
    }
}
