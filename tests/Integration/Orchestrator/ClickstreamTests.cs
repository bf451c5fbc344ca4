using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>The skewed join of tests/pipelines/clickstream, larger than what its tasks may have of memory, against one query over all rows.</summary>
public sealed class ClickstreamTests
{
    const int Chunks = 16;
    const int Clicks = 2_400_000;
    const int Users = 20_000;
    const long Memory = 64L << 20;

    // Half of the clicks are of one user; pages are texts that no compression makes smaller than 32 bytes. One user in ten has no profile.
    static readonly string ClickRows = $"""
        SELECT CAST(CASE WHEN i % 2 = 0 THEN 7 ELSE hash(i) % {Users} END AS BIGINT) AS user_id, CAST(hash(i + 1) % 5000 AS BIGINT) AS ms,
          md5(CAST(i AS VARCHAR)) || md5(CAST(-i AS VARCHAR)) AS page
        """;

    const string ProfileRows = "SELECT CAST(i AS BIGINT) AS user_id, 'country ' || hash(i) % 30 AS country";

    [Fact]
    public async Task A_join_with_half_of_the_rows_under_one_key_is_shared_out_and_equals_the_plain_answer()
    {
        await using var lab = await PipelineCase.StartAsync("clickstream", new() { Threads = 1, MemoryBytes = Memory, ScratchBytes = 2L << 30 });
        var scratch = Directory.CreateTempSubdirectory("leanpipe-clicks-");
        using (var session = DuckDbSession.Open(new() { ScratchDirectory = scratch.FullName }))
        {
            for (var n = 0; n < Chunks; n++)
                await GenerateAsync(lab.Store, session, scratch, $"clicks/{n:D2}", $"{ClickRows} FROM range({(long)Clicks * n / Chunks}, {(long)Clicks * (n + 1) / Chunks}) t(i)");
            await GenerateAsync(lab.Store, session, scratch, "profiles/all", $"{ProfileRows} FROM range({Users}) t(i) WHERE i % 10 <> 3");

            var state = await lab.RunAsync("r", new { pipeline = "clickstream", window = "2026-01-01" });

            state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
            (await CommittedAsync(lab, "clicks")).Chunks.Sum(c => c.Object.Bytes).ShouldBeGreaterThan(Memory, "the rows to join are no larger than a task's memory, even compressed");
            // Fifteen buckets as they are, one in several parts, and the one task that merges these.
            (await CommittedAsync(lab, "by_user-parts")).Tasks.ShouldBeGreaterThan(16 + 1);
            var merged = await CommittedAsync(lab, "by_user");
            (merged.Tasks, merged.Chunks.Count).ShouldBe((16, 16));

            session.CreateView("clicks", $"{ClickRows} FROM range({Clicks}) t(i)");
            session.CreateView("profiles", $"{ProfileRows} FROM range({Users}) t(i) WHERE i % 10 <> 3");
            const string users = "SELECT user_id, any_value(country) AS country, count(*) AS clicks, sum(ms)::BIGINT AS ms, max(page) AS last_page FROM clicks JOIN profiles USING (user_id) GROUP BY ALL";
            session.Execute($"CREATE TEMP TABLE users AS {users}");
            (await lab.RowsAsync("clicks_by_country", "SELECT *")).ShouldBe(
                PipelineCase.Rows(session, "SELECT country, count(*), sum(clicks)::BIGINT, sum(ms)::BIGINT, max(last_page) FROM users GROUP BY ALL ORDER BY ALL"));
            (await lab.RowsAsync("clicks_by_user", "SELECT *")).ShouldBe(PipelineCase.Rows(session, "SELECT * FROM users ORDER BY ALL"));
        }
        scratch.Delete(recursive: true);
    }

    static async Task<StepManifest> CommittedAsync(OrchestratorLab lab, string step) =>
        (await lab.Store.GetJsonAsync(LakeLayout.StepManifest(new("r"), new(step)), ContractsJson.Default.StepManifest, TestContext.Current.CancellationToken)).ShouldNotBeNull();

    static async Task GenerateAsync(IObjectStore store, DuckDbSession session, DirectoryInfo scratch, string name, string select)
    {
        var file = Path.Combine(scratch.FullName, $"{name.Replace('/', '-')}.parquet");
        session.Execute($"COPY ({select}) TO '{file}' (FORMAT parquet)");
        await store.PutFileAsync($"imports/{name}.parquet", file, TestContext.Current.CancellationToken);
        File.Delete(file);
    }
}
