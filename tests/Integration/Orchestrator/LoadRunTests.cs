using Dapr.Workflow;
using LeanPipe.Lake;
using LeanPipe.Contracts;
using LeanPipe.Integration.StepRunner;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>The whole way into a real PostgreSQL: sidecar, workflow, step runner processes, COPY.</summary>
public sealed class LoadRunTests
{
    const string Window = "2026-01-01T10";

    [Fact]
    public async Task A_run_loads_its_last_steps_rows_and_a_second_run_over_the_same_window_changes_nothing()
    {
        await using var database = await Database.CreateAsync();
        var yaml = $$"""
            pipeline: p
            trigger: { sealed: telemetry }
            steps:
              totals:
                inputs: { raw: { stream: telemetry } }
                sql: totals.sql
              warehouse:
                inputs: { rows: totals }
                load: { postgres: {{database.Connection}}, table: totals, key: [sensor_id] }
            """;
        await using var lab = await OrchestratorLab.StartAsync(yaml, ("totals.sql", "SELECT sensor_id, sum(value) AS total FROM raw GROUP BY ALL"));
        await lab.SealAsync(Window, 1, [[("a", 1), ("b", 2)], [("a", 3)]]);

        var first = await lab.RunAsync("r1", new { pipeline = "p", window = Window });
        first.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{first.FailureDetails}");
        (await database.ReadAsync("SELECT sensor_id, total FROM totals ORDER BY 1")).ShouldBe(["a|4", "b|2"]);
        var before = await database.ReadAsync("SELECT xmin, * FROM totals ORDER BY sensor_id");

        (await lab.RunAsync("r2", new { pipeline = "p", window = Window })).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
        (await database.ReadAsync("SELECT xmin, * FROM totals ORDER BY sensor_id")).ShouldBe(before);
        (await database.ReadAsync("SELECT run, rows, inserted FROM leanpipe_loads")).ShouldBe(["r1|2|2"]);

        var record = (await lab.Store.GetJsonAsync(LakeLayout.RunRecord(new("r1")), ContractsJson.Default.RunRecord, CancellationToken.None)).ShouldNotBeNull();
        record.Steps.Single(s => s.Step.Value == "warehouse").Load.ShouldBe(new LoadFigures(2, 0, 0));
        (await lab.ViewAsync("r2")).GetProperty("steps")[1].GetProperty("rows").GetProperty("load").GetRawText().ShouldBe("""{"inserted":0,"updated":0,"unchanged":2,"repeated":1}""");

        // What a load came to stands in its outcome; its settings stand nowhere in the lake.
        var outcome = await lab.Store.GetAsync("runs/r1/warehouse/00000/1/outcome.json", CancellationToken.None);
        System.Text.Encoding.UTF8.GetString(outcome.ShouldNotBeNull().Span).ShouldContain("\"load\":{\"rows\":2,\"inserted\":2,\"updated\":0,\"repeated\":false}");
        await foreach (var item in lab.Store.ListAsync("", CancellationToken.None))
            System.Text.Encoding.UTF8.GetString((await lab.Store.GetAsync(item.Key, CancellationToken.None)).ShouldNotBeNull().Span).ShouldNotContain("Search Path", customMessage: item.Key);
    }
}
