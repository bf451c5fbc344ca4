using System.Text;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>A row for each case, a column for each metric.</summary>
static class IngestTable
{
    static readonly (string Metric, string Head)[] Columns =
    [
        (Metrics.Cpu, "CPU-seconds per million"), (Metrics.Rate, "records/s"), (Metrics.Memory, "peak memory, MB"), (Metrics.AckP50, "ack p50, ms"), (Metrics.AckP99, "ack p99, ms"), (Metrics.Lines, "lines sent"),
    ];

    public static string Of(IReadOnlyList<Result> results)
    {
        var table = new StringBuilder()
            .AppendLine($"| Case | {string.Join(" | ", Columns.Select(c => c.Head))} |")
            .AppendLine($"|---|{string.Concat(Columns.Select(_ => "--:|"))}");
        foreach (var one in results.GroupBy(r => r.Case))
            table.AppendLine($"| {one.Key} | {string.Join(" | ", Columns.Select(c => one.FirstOrDefault(r => r.Metric == c.Metric) is { } r ? Report.Rounded(r.Value) : ""))} |");
        return table.ToString();
    }
}
