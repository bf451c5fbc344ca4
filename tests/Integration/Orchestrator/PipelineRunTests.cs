using System.Text.Json;
using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;
using LeanPipe.Orchestrator;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>The whole way: sidecar, workflow, step runner processes, DuckDB, published table.</summary>
public sealed class PipelineRunTests
{
    const string Window = "2026-01-01T10";

    internal const string Yaml = """
        pipeline: p
        trigger: { sealed: telemetry }
        params:
          factor: { type: float64, default: 1 }
        steps:
          compact:
            inputs: { raw: { stream: telemetry } }
            fan_out: { bytes: 1B }
            sql: compact.sql
          by_sensor:
            inputs: { t: compact, names: { file: names.csv } }
            fan_out: { hash: t.sensor_id, buckets: 4 }
            sql: by_sensor.sql
            checks: [ { name: no_nulls, sql: "SELECT count(*) FROM output WHERE total IS NULL", expect: 0 } ]
          hourly:
            inputs: { parts: by_sensor }
            sql: hourly.sql
            publish: { table: totals }
        """;

    internal static readonly (string, string)[] Files =
    [
        ("compact.sql", "SELECT sensor_id, value * getvariable('factor') AS value FROM raw"),
        ("by_sensor.sql", "SELECT n.name, sum(t.value) AS total, count(*) AS n FROM t JOIN names n USING (sensor_id) GROUP BY ALL"),
        ("hourly.sql", "SELECT name, total, n FROM parts"),
        ("names.csv", "sensor_id,name\na,Anna\nb,Bert\nc,Cleo\n"),
    ];

    internal static readonly (string, double)[][] Segments = [[("a", 1), ("b", 2)], [("a", 3), ("c", 4)], [("b", 5)]];

    internal static readonly string[] Totals = ["Anna 4 2", "Bert 7 2", "Cleo 4 1"];

    static readonly object Request = new { pipeline = "p", window = Window };

    [Fact]
    public async Task A_request_over_the_dapr_api_becomes_a_published_table_and_the_same_run_again_changes_nothing()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, Files);
        await lab.SealAsync(Window, 1, Segments);

        var state = await lab.RunAsync("r1", Request);
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(Totals);
        var view = await lab.ViewAsync("r1");
        view.GetProperty("status").GetString().ShouldBe("completed");
        view.GetProperty("steps").EnumerateArray().Select(s => (s.GetProperty("step").GetString(), s.GetProperty("tasks").GetInt32(), s.GetProperty("attempts").GetInt32()))
            .ShouldBe([("compact", 3, 3), ("by_sensor", view.GetProperty("steps")[1].GetProperty("tasks").GetInt32(), view.GetProperty("steps")[1].GetProperty("tasks").GetInt32()), ("hourly", 1, 1)]);
        view.GetProperty("record").GetProperty("steps")[0].GetProperty("rows_in").GetInt64().ShouldBe(5);

        var before = await KeysAsync(lab);
        (await lab.RunAsync("r1", Request)).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
        (await KeysAsync(lab)).ShouldBe(before);
        (await DeltaTable.OpenAsync(lab.Store, new("totals"), default)).ShouldNotBeNull().Version.ShouldBe(0);
    }

    [Fact]
    public async Task Another_run_over_the_window_takes_its_rows_place_with_the_files_and_parameters_of_its_own_time()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, Files);
        await lab.SealAsync(Window, 1, Segments);
        await lab.RunAsync("r1", Request);
        lab.Write("hourly.sql", "SELECT name, total FROM parts WHERE name <> 'Bert'");
        (await lab.RunAsync("r2", new { pipeline = "p", window = Window, @params = new { factor = "10" } })).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
        (await lab.RowsAsync("totals", "SELECT name, total")).ShouldBe(["Anna 40", "Cleo 40"]);
    }

    [Fact]
    public async Task An_event_that_comes_twice_is_one_run_and_a_late_revision_replaces_the_window()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, Files);
        await lab.SealAsync(Window, 1, Segments);
        var happened = new { stream = "telemetry", window = Window, revision = 1, manifest = LakeLayout.WindowManifest(OrchestratorLab.Telemetry, WindowId.Parse(Window), 1) };
        await lab.PublishAsync(happened);
        await lab.PublishAsync(happened);
        (await lab.WaitForAsync(e => e is RunEnded)).ShouldBe(new RunEnded(new($"p-{Window}-r1"), RunStatus.Completed, null));
        await lab.PublishAsync(happened);
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(Totals);

        // Events are delivered side by side: this one's run ends after whatever the repeated ones would have started has at least been planned.
        await lab.SealAsync(Window, 2, [.. Segments, [("c", 6)]]);
        await lab.PublishAsync(new { stream = "telemetry", window = Window, revision = 2, manifest = "" });
        (await lab.WaitForAsync(e => e is RunEnded)).Run.Value.ShouldBe($"p-{Window}-r2");
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(["Anna 4 2", "Bert 7 2", "Cleo 10 2"]);
        (await RunsAsync(lab)).ShouldBe([$"p-{Window}-r1", $"p-{Window}-r2"], ignoreOrder: true);
    }

    [Fact]
    public async Task What_has_run_before_is_not_run_again_and_a_change_runs_only_what_it_reaches()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, Files);
        await lab.SealAsync(Window, 1, Segments);
        await lab.RunAsync("r1", Request);
        (await AttemptsAsync("r2")).ShouldBe([0, 0, 0]);
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(Totals);
        (await CacheExplanation.WhyAsync(lab.Store, new("r2"), new("compact"), 10, default)).ShouldAllBe(t => t.Reused);

        // A late segment is one task more, and whatever reads its bucket.
        await lab.SealAsync(Window, 2, [.. Segments, [("c", 6)]]);
        (await AttemptsAsync("r3")).ShouldBe([1, 1, 1]);
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(["Anna 4 2", "Bert 7 2", "Cleo 10 2"]);

        lab.Write("hourly.sql", "SELECT name, total, n -- in another form\n  FROM parts;\n");
        (await AttemptsAsync("r4")).ShouldBe([0, 0, 0]);
        lab.Write("hourly.sql", "SELECT name, total, n FROM parts WHERE n > 0");
        (await AttemptsAsync("r5")).ShouldBe([0, 0, 1]);
        (await CacheExplanation.WhyAsync(lab.Store, new("r5"), new("hourly"), 10, default)).ShouldHaveSingleItem().Why.ShouldBe("ran: compared with r4, sql changed");

        async Task<int[]> AttemptsAsync(string run)
        {
            (await lab.RunAsync(run, Request)).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
            return [.. (await lab.ViewAsync(run)).GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("attempts").GetInt32())];
        }
    }

    [Fact]
    public async Task A_failed_check_stops_the_run_and_a_warning_is_in_its_record()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml.Replace("checks: [", "checks: [ { name: anna, rows: \"FROM output WHERE name = 'Anna'\", severity: warn },", StringComparison.Ordinal), Files);
        await lab.SealAsync(Window, 1, Segments);
        (await lab.RunAsync("r1", Request)).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
        var check = (await lab.ViewAsync("r1")).GetProperty("record").GetProperty("checks")[0];
        (check.GetProperty("name").GetString(), check.GetProperty("severity").GetString(), check.GetProperty("found").GetInt64()).ShouldBe(("anna", "warn", 1));

        lab.Write("by_sensor.sql", "SELECT n.name, nullif(sum(t.value), 7) AS total, count(*) AS n FROM t JOIN names n USING (sensor_id) GROUP BY ALL");
        (await lab.RunAsync("r2", Request)).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Failed);
        var record = (await lab.ViewAsync("r2")).GetProperty("record");
        record.GetProperty("error").GetProperty("code").GetString().ShouldBe("check.failed");
        var failed = record.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("severity").GetString() == "fail");
        System.Text.Encoding.UTF8.GetString((await lab.Store.GetAsync(failed.GetProperty("rows").GetString()!, default)).ShouldNotBeNull().Span).ShouldContain("\"name\":\"Bert\"");
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(Totals);
    }

    [Fact]
    public async Task A_cancelled_run_ends_its_process_and_goes_on_when_it_is_started_again()
    {
        await using var lab = await OrchestratorLab.StartAsync("""
            pipeline: p
            steps:
              first: { inputs: { raw: { stream: telemetry } }, sql: first.sql }
              second: { inputs: { t: first }, sql: second.sql, publish: { table: totals } }
            """, ("first.sql", "SELECT value FROM raw"), ("second.sql", "SELECT sum(sin(a.range) * cos(b.range)) AS x, any_value(value) AS value FROM t, range(1000000) a, range(1000000) b"));
        await lab.SealAsync(Window, 1, Segments);
        (await lab.StartAsync("r1", Request)).EnsureSuccessStatusCode();
        await lab.WaitForAsync(e => e is TaskProgressed { Step.Value: "second", Phase: "sql" });

        using (var answer = await lab.Api!.PostAsync("/api/runs/r1/cancel", null)) ((int)answer.StatusCode).ShouldBe(202);

        (await lab.Workflows.WaitForWorkflowCompletionAsync("r1")).FailureDetails.ShouldNotBeNull().ErrorMessage.ShouldContain("run.cancelled");
        (await lab.ViewAsync("r1")).GetProperty("status").GetString().ShouldBe("cancelled");
        using (var again = await lab.Api!.PostAsync("/api/runs/r1/cancel", null)) ((int)again.StatusCode).ShouldBe(409);
        await lab.RestartAsync();
        (await lab.StartAsync("r1", Request)).EnsureSuccessStatusCode();
        await lab.WaitForAsync(e => e is TaskProgressed { Step.Value: "second" });
        using (await lab.Api!.PostAsync("/api/runs/r1/cancel", null)) await lab.Workflows.WaitForWorkflowCompletionAsync("r1");
        var view = await lab.ViewAsync("r1");
        view.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("attempts").GetInt32()).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task An_event_that_comes_before_its_manifest_is_asked_for_again()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, Files);
        await lab.PublishAsync(new { stream = "telemetry", window = Window, revision = 1, manifest = "" });
        await lab.SealAsync(Window, 1, Segments);
        ((RunEnded)await lab.WaitForAsync(e => e is RunEnded)).Status.ShouldBe(RunStatus.Completed);
    }

    [Theory]
    [InlineData("{}", "DROP")]
    [InlineData("not json", "DROP")]
    [InlineData("""{"stream":"Not A Name","window":"2026-01-01T10","revision":1,"manifest":"m"}""", "DROP")]
    [InlineData("""{"stream":"telemetry","window":"2026-01-01T10","revision":9,"manifest":"m"}""", "RETRY")]
    [InlineData("""{"stream":"telemetry","window":"2026-01-01T10","revision":1,"manifest":"m"}""", "RETRY")]
    public async Task An_event_that_is_not_ours_is_dropped_and_one_that_comes_too_early_or_meets_a_broken_document_is_asked_for_again(string body, string status)
    {
        await using var lab = await OrchestratorLab.StartAsync("pipeline: [", Files);
        await lab.SealAsync(Window, 1, Segments);
        using var answer = await lab.Api!.PostAsync("/events/window-sealed", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        (await answer.Content.ReadAsStringAsync()).ShouldBe($$"""{"status":"{{status}}"}""");
    }

    [Fact]
    public async Task An_sql_error_fails_the_run_with_duckdbs_message_and_the_step_and_publishes_nothing()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, [.. Files.Where(f => f.Item1 != "by_sensor.sql"), ("by_sensor.sql", "SELECT colour FROM t")]);
        await lab.SealAsync(Window, 1, Segments);
        var state = await lab.RunAsync("r1", Request);
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Failed);
        var message = state.FailureDetails.ShouldNotBeNull().ErrorMessage;
        message.ShouldStartWith("Step 'by_sensor', task 0");
        message.ShouldContain("colour");
        message.ShouldContain("[sql.error]");
        var record = (await lab.ViewAsync("r1")).GetProperty("record");
        record.GetProperty("error").GetProperty("step").GetString().ShouldBe("by_sensor");
        (await DeltaTable.OpenAsync(lab.Store, new("totals"), default)).ShouldBeNull();
        (await KeysAsync(lab)).ShouldNotContain(k => k.StartsWith("runs/r1/hourly/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failed_check_publishes_nothing()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml.Replace("expect: 0", "expect: 1", StringComparison.Ordinal), Files);
        await lab.SealAsync(Window, 1, Segments);
        (await lab.RunAsync("r1", Request)).FailureDetails.ShouldNotBeNull().ErrorMessage.ShouldContain("no_nulls");
        (await DeltaTable.OpenAsync(lab.Store, new("totals"), default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_run_goes_on_where_it_was_when_orchestrator_and_sidecar_begin_again()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, Files);
        await lab.SealAsync(Window, 1, Segments);
        (await lab.StartAsync("r1", Request)).EnsureSuccessStatusCode();
        await lab.WaitForAsync(e => e is TaskFinished);
        await lab.RestartAsync();
        (await lab.Workflows.WaitForWorkflowCompletionAsync("r1")).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(Totals);
    }

    [Fact]
    public async Task A_step_that_yields_nothing_still_has_columns_and_the_window_is_replaced_by_nothing()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, Files);
        await lab.SealAsync(Window, 1, Segments);
        await lab.RunAsync("r1", Request);
        lab.Write("compact.sql", "SELECT sensor_id, value FROM raw WHERE value > 1000");
        var state = await lab.RunAsync("r2", Request);
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        (await lab.RowsAsync("totals", "SELECT name, total")).ShouldBeEmpty();
        (await lab.ViewAsync("r2")).GetProperty("steps")[1].GetProperty("tasks").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Steps_that_share_out_nothing_start_no_process_and_what_follows_them_is_right()
    {
        await using var lab = await OrchestratorLab.StartAsync("""
            pipeline: p
            steps:
              compact: { inputs: { raw: { stream: telemetry } }, fan_out: { bytes: 1B }, sql: compact.sql }
              by_sensor: { inputs: { t: compact }, fan_out: { hash: t.sensor_id, buckets: 4 }, sql: by_sensor.sql }
              all: { inputs: { t: by_sensor }, sql: all.sql, publish: { table: totals } }
              rows: { inputs: { t: by_sensor }, fan_out: { files: 1 }, sql: rows.sql, publish: { table: by_sensor } }
            """, ("compact.sql", "SELECT sensor_id, value FROM raw"), ("by_sensor.sql", "SELECT sensor_id, sum(value) AS total FROM t GROUP BY ALL"),
            ("all.sql", "SELECT count(*) AS n, sum(total) AS total FROM t"), ("rows.sql", "FROM t"));
        await lab.SealAsync(Window, 1, Segments);
        (await lab.RunAsync("r1", Request)).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
        (await lab.RowsAsync("by_sensor", "SELECT sensor_id, total")).Count.ShouldBe(3);

        await lab.SealAsync(Window, 2);
        var state = await lab.RunAsync("r2", Request);
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        (await lab.ViewAsync("r2")).GetProperty("steps").EnumerateArray().Select(s => (s.GetProperty("step").GetString(), s.GetProperty("attempts").GetInt32()))
            .ShouldBe([("compact", 0), ("by_sensor", 0), ("all", 1), ("rows", 0)], ignoreOrder: true);
        (await lab.RowsAsync("by_sensor", "SELECT sensor_id, total")).ShouldBeEmpty();
        (await lab.RowsAsync("totals", "SELECT n")).ShouldBe(["0"]);
        (await DeltaTable.OpenAsync(lab.Store, new("by_sensor"), default)).ShouldNotBeNull().Columns.Select(c => c.Name).ShouldBe(["sensor_id", "total"]);
    }

    [Fact]
    public async Task A_bad_request_fails_with_everything_that_is_wrong()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, Files);
        var state = await lab.RunAsync("r1", new { pipeline = "p", window = Window, @params = new { colour = "red", factor = "x" } });
        var message = state.FailureDetails.ShouldNotBeNull().ErrorMessage;
        message.ShouldContain("'colour' is not one of");
        message.ShouldContain("'factor' is 'x'");
        message.ShouldContain("is not sealed yet");
        (await lab.Api!.GetAsync("/api/runs/never")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);
    }

    static async Task<IReadOnlyList<string>> KeysAsync(OrchestratorLab lab)
    {
        var keys = new List<string>();
        await foreach (var item in lab.Store.ListAsync("", default)) keys.Add(item.Key);
        return keys;
    }

    static async Task<IReadOnlyList<string>> RunsAsync(OrchestratorLab lab) =>
        [.. JsonDocument.Parse(await lab.Api!.GetStringAsync("/api/runs")).RootElement.EnumerateArray().Select(r => r.GetProperty("run").GetString()!)];
}
