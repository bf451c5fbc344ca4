using System.Text;
using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Integration.Lake;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>The whole way over S3: every durable write of a run is a request, and nothing has a local path.</summary>
public sealed class S3RunTests
{
    const string Window = "2026-01-01T10";

    [Fact]
    public async Task A_run_over_s3_is_planned_run_committed_and_published_there()
    {
        await using var lab = await OrchestratorLab.StartAsync(await TestStore.S3OptionsAsync(), PipelineRunTests.Yaml, PipelineRunTests.Files);
        await lab.SealAsync(Window, 1, PipelineRunTests.Segments);

        var state = await lab.RunAsync("r1", new { pipeline = "p", window = Window });

        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(PipelineRunTests.Totals);
        await DeltaLinter.CheckAsync(lab.Store, new("totals"));
        var catalog = (await lab.Store.GetJsonAsync(LakeLayout.CatalogJson, ContractsJson.Default.Catalog, default)).ShouldNotBeNull();
        catalog.Tables.ShouldHaveSingleItem().Rows.ShouldBe(3);
        Encoding.UTF8.GetString((await lab.Store.GetAsync(LakeLayout.CatalogViews, default))!.Value.Span).ShouldContain($"{lab.Lake.Root}/tables/totals/");
        var record = (await lab.Store.GetJsonAsync(LakeLayout.RunRecord(new("r1")), ContractsJson.Default.RunRecord, default)).ShouldNotBeNull();
        (record.Status, record.Steps.Sum(s => s.Tasks)).ShouldBe((RunStatus.Completed, 6));
        var keys = new List<string>();
        await foreach (var item in lab.Store.ListAsync(LakeLayout.Run(new("r1")), default)) keys.Add(item.Key);
        foreach (var (name, count) in new[] { ("00000-3.json", 1), ("00000-2.json", 1), ("00000-1.json", 1), ("started.json", 6), ("outcome.json", 6), ("commit.json", 6), ("manifest.json", 3), ("plan.json", 1), ("run.json", 1) })
            keys.Count(k => k.EndsWith("/" + name, StringComparison.Ordinal)).ShouldBe(count, name);
        (await lab.ViewAsync("r1")).GetProperty("status").GetString().ShouldBe("completed");
    }

    [Fact]
    public async Task Late_rows_make_another_revision_over_s3_whose_run_takes_the_first_ones_place()
    {
        await using var lab = await OrchestratorLab.StartAsync(await TestStore.S3OptionsAsync(), PipelineRunTests.Yaml, PipelineRunTests.Files);
        await lab.SealAsync(Window, 1, PipelineRunTests.Segments[..1]);
        await lab.SealAsync(Window, 2, PipelineRunTests.Segments);

        // Both at once: whichever publishes last, the table is revision 2.
        var runs = await Task.WhenAll(new[] { 1, 2 }.Select(r => lab.RunAsync($"r{r}", new { pipeline = "p", window = Window, revision = r })));

        runs.ShouldAllBe(r => r.RuntimeStatus == WorkflowRuntimeStatus.Completed);
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(PipelineRunTests.Totals);
        await DeltaLinter.CheckAsync(lab.Store, new("totals"));
    }
}
