using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>Late data, ranges of windows, and pipelines that start each other.</summary>
public sealed class IncrementalTests
{
    const string Hourly = """
        pipeline: p
        trigger: { sealed: telemetry }
        steps:
          clean: { inputs: { raw: { stream: telemetry } }, fan_out: { files: 1 }, sql: clean.sql }
          hourly: { inputs: { t: clean }, sql: hourly.sql, publish: { table: hourly } }
        """;

    const string Daily = """
        pipeline: daily
        trigger: { published: hourly }
        steps:
          all: { inputs: { raw: { stream: telemetry, last: 24h } }, fan_out: window, sql: clean.sql }
          sums: { inputs: { t: all }, sql: hourly.sql, publish: { table: daily } }
        """;

    static readonly (string, string)[] Files =
        [("clean.sql", "SELECT sensor_id, value FROM raw WHERE value > 0"), ("hourly.sql", "SELECT sensor_id, sum(value) AS total, count(*) AS n FROM t GROUP BY ALL")];

    [Fact]
    public async Task A_late_revision_runs_only_its_window_and_the_tables_equal_a_full_recomputation()
    {
        await using var lab = await OrchestratorLab.StartAsync(Hourly, Files);
        lab.WriteAt("daily", "pipeline.yaml", Daily);
        foreach (var (name, content) in Files) lab.WriteAt("daily", name, content);
        await lab.SealAsync("2026-01-01T10", 1, [("a", 1), ("b", 2)], [("a", 3)]);
        await SealedAsync(lab, "2026-01-01T10", 1);
        await lab.SealAsync("2026-01-01T11", 1, [("a", 10)]);
        await SealedAsync(lab, "2026-01-01T11", 1);
        var before = await RunsAsync(lab);

        await lab.SealAsync("2026-01-01T10", 2, [("a", 1), ("b", 2)], [("a", 3)], [("b", 40)]);
        await SealedAsync(lab, "2026-01-01T10", 2);

        (await RunsAsync(lab)).Except(before).Order().ShouldBe(["daily-2026-01-01T10-v2", "p-2026-01-01T10-r2"]);
        (await lab.ViewAsync("p-2026-01-01T10-r2")).GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("attempts").GetInt32()).ShouldBe([1, 1]);
        (await lab.RowsAsync("hourly", "SELECT sensor_id, total, n")).ShouldBe(["a 10 1", "a 4 2", "b 42 2"], ignoreOrder: true);
        // Each window's rows are of the day that ends with it: those of window 11 are as they were.
        (await lab.RowsAsync("daily", "SELECT sensor_id, total, n")).ShouldBe(["a 14 3", "a 4 2", "b 2 1", "b 42 2"], ignoreOrder: true);
        (await lab.RunAsync("again", new { pipeline = "daily", window = "2026-01-01T11" })).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
        (await lab.RowsAsync("daily", "SELECT sensor_id, total, n")).ShouldBe(["a 14 3", "a 4 2", "b 42 2", "b 42 2"], ignoreOrder: true);
        (await lab.ViewAsync("again")).GetProperty("steps")[0].GetProperty("tasks").GetInt32().ShouldBe(2);
    }

    [Theory]
    [InlineData("1B", 1)]
    [InlineData("1GB", 0)]
    public async Task A_key_that_holds_most_rows_is_shared_out_and_the_sums_are_the_same(string above, int merges)
    {
        await using var lab = await OrchestratorLab.StartAsync($$"""
            pipeline: p
            steps:
              one: { inputs: { raw: { stream: telemetry } }, fan_out: { files: 1 }, sql: one.sql, output: { compression: none } }
              two:
                inputs: { t: one }
                fan_out: { hash: t.sensor_id, buckets: 16, merge: merge.sql, split_above: {{above}} }
                sql: two.sql
                checks: [ { name: each_once, rows: "SELECT sensor_id FROM output GROUP BY ALL HAVING count(*) > 1" } ]
              three: { inputs: { t: two }, sql: three.sql, publish: { table: totals } }
            """, ("one.sql", "SELECT sensor_id, value, repeat(sensor_id, 100) AS padding FROM raw"), ("two.sql", "SELECT sensor_id, sum(value) AS total, count(*) AS n FROM t GROUP BY ALL"),
            ("merge.sql", "SELECT sensor_id, sum(total) AS total, CAST(sum(n) AS BIGINT) AS n FROM parts GROUP BY ALL"), ("three.sql", "SELECT * FROM t"));
        // Distinct values: what is equal compresses away, and a bucket's weight is its chunks' bytes.
        await lab.SealAsync("2026-01-01T10", 1, [.. Enumerable.Range(0, 6).Select(s => (IReadOnlyList<(string, double)>)
            [.. Enumerable.Range(0, 6).Select(n => ($"light{n}", 1.0)), .. Enumerable.Range(0, 3000).Select(n => ("heavy", s * 3000.0 + n + 0.5))])]);

        (await lab.RunAsync("r", new { pipeline = "p", window = "2026-01-01T10" })).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);

        (await lab.RowsAsync("totals", "SELECT sensor_id, total, n")).ShouldBe(
            [$"heavy {Enumerable.Range(0, 18_000).Sum(n => n + 0.5)} 18000", .. Enumerable.Range(0, 6).Select(n => $"light{n} 6 6")], ignoreOrder: true);
        var steps = (await lab.ViewAsync("r")).GetProperty("steps").EnumerateArray().ToDictionary(s => s.GetProperty("step").GetString()!);
        steps["two"].GetProperty("attempts").GetInt32().ShouldBe(merges);
        steps["two"].GetProperty("status").GetString().ShouldBe("committed");
    }

    [Fact]
    public async Task A_schedule_becomes_a_job_of_the_sidecar_and_the_job_a_run_over_the_window_that_ended_last()
    {
        await using var lab = await OrchestratorLab.StartAsync(Hourly.Replace("{ sealed: telemetry }", "{ schedule: { cron: '10 * * * *', time_zone: Europe/Zurich, window: 1d } }", StringComparison.Ordinal), Files);
        await lab.UntilAsync(async () => (await lab.Dapr.GetAsync("/v1.0/jobs/pipeline-p")).StatusCode == System.Net.HttpStatusCode.OK);
        (await lab.Dapr.GetStringAsync("/v1.0/jobs/pipeline-p")).ShouldContain("CRON_TZ=Europe/Zurich 0 10 * * * *");
        using (var none = await lab.Api!.PostAsync("/job/other", null)) ((int)none.StatusCode).ShouldBe(404);
        using (var fired = await lab.Api!.PostAsync("/job/pipeline-p", null)) ((int)fired.StatusCode).ShouldBe(200);
        // The window is not there: the run says so.
        var ended = (RunEnded)await lab.WaitForAsync(e => e is RunEnded);
        ended.Run.Value.ShouldStartWith("p-20");
        ended.Error.ShouldNotBeNull().ShouldContain("is not sealed yet");
    }

    static async Task SealedAsync(OrchestratorLab lab, string window, int revision)
    {
        await lab.PublishAsync(new { stream = "telemetry", window, revision, manifest = "" });
        await lab.WaitForAsync(e => e is RunEnded { Run.Value: var run } && run.StartsWith("daily-", StringComparison.Ordinal));
    }

    static async Task<IReadOnlyList<string>> RunsAsync(OrchestratorLab lab)
    {
        var runs = new List<string>();
        await foreach (var (run, _) in RunIndex.ListAsync(lab.Store, default)) runs.Add(run.Value);
        return runs;
    }
}
