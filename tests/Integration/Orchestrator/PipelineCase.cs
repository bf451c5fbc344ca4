using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>A pipeline of tests/pipelines, as a user would keep it, in a lab of its own.</summary>
static class PipelineCase
{
    public static Task<OrchestratorLab> StartAsync(string name, TaskLimits? limits = null)
    {
        var folder = SourceTree.In("tests", "pipelines", name, "config", "pipelines", name);
        var files = Directory.GetFiles(folder, "*.sql").Select(f => (Path.GetFileName(f), File.ReadAllText(f))).ToArray();
        var yaml = File.ReadAllText(Path.Combine(folder, "pipeline.yaml"));
        return limits is null ? OrchestratorLab.StartAsync(yaml, files) : OrchestratorLab.StartAsync(limits, yaml, files);
    }

    /// <summary>What a query answers, written as the lab writes rows of a table.</summary>
    public static IReadOnlyList<string> Rows(DuckDbSession session, string select)
    {
        using var read = session.Query(select);
        var lines = new List<string>();
        while (read.Read()) lines.Add(string.Join(' ', Enumerable.Range(0, read.Names.Count).Select(n => $"{read.GetValue(n)}")));
        return lines;
    }
}
