using System.Text;
using System.Text.Json;
using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Housekeeping;
using LeanPipe.Integration.Lake;
using LeanPipe.Integration.Orchestrator;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Housekeeping;

public sealed class FolderRetirementSuite : RetirementSuite
{
    private protected override Task<OrchestratorLab> StartAsync(string yaml, params (string, string)[] files) => OrchestratorLab.StartAsync(yaml, files);

    protected override Task<TestStore> ColdAsync() => Task.FromResult(TestStore.Folder());
}

public sealed class S3RetirementSuite : RetirementSuite
{
    private protected override async Task<OrchestratorLab> StartAsync(string yaml, params (string, string)[] files) => await OrchestratorLab.StartAsync(await TestStore.S3OptionsAsync(), yaml, files);

    protected override Task<TestStore> ColdAsync() => TestStore.S3Async();
}

/// <summary>A window's whole life: sealed, run, published, its raw segments gone by the retention, and asked for again.</summary>
public abstract class RetirementSuite
{
    const string Window = "2026-01-01T10";

    const string Yaml = """
        pipeline: p
        trigger: { sealed: telemetry }
        steps:
          clean: { inputs: { raw: { stream: telemetry } }, fan_out: { files: 1 }, sql: clean.sql }
          totals: { inputs: { t: clean }, sql: totals.sql, publish: { table: totals } }
        """;

    static readonly (string, string)[] Files = [("clean.sql", "SELECT sensor_id, value FROM raw"), ("totals.sql", "SELECT sensor_id, sum(value) AS total FROM t GROUP BY ALL")];

    static readonly HousekeepingPolicy Policy = new()
    {
        Raw = TimeSpan.FromDays(30),
        Rejected = TimeSpan.FromDays(30),
        Runs = TimeSpan.FromDays(14),
        Attempts = TimeSpan.FromDays(1),
        Cache = TimeSpan.FromDays(14),
        TableVersions = TimeSpan.FromDays(7),
    };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected abstract Task<OrchestratorLab> StartAsync(string yaml, params (string, string)[] files);

    protected abstract Task<TestStore> ColdAsync();

    [Fact]
    public async Task Raw_segments_are_moved_when_their_rows_are_published_and_a_run_that_needs_them_is_told_where_they_are()
    {
        await using var lab = await StartAsync(Yaml, Files);
        await using var cold = await ColdAsync();
        var segments = await PublishedAsync(lab);
        var dry = await PassAsync(lab, days: 60, cold.Store, dryRun: true);
        dry.Removals.Where(r => r.Rule == "raw").Select(r => r.Key).ShouldBe(segments.Keys);
        (await PassAsync(lab, days: 20, cold.Store)).Removals.ShouldNotContain(r => r.Rule == "raw");

        var report = await PassAsync(lab, days: 60, cold.Store);
        report.Problems.ShouldBeEmpty();
        foreach (var (key, bytes) in segments)
        {
            (await lab.Store.SizeAsync(key, Token)).ShouldBeNull();
            (await cold.Store.GetAsync(key, Token)).ShouldNotBeNull().ToArray().ShouldBe(bytes);
        }
        var retired = (await HousekeepingPass.RetiredAsync(lab.Store, OrchestratorLab.Telemetry, Token))[Window];
        (retired.Revision, retired.Rows, retired.Segments, retired.To).ShouldBe((1, 3, 2, cold.Store.Root.ToString()));
        retired.Tables.ShouldBe(["totals"]);
        (await AuditedAsync(lab.Store)).ShouldBeSubsetOf(dry.Removals.Concat(report.Removals).Select(r => r.Key));
        await PassAsync(lab, days: 62, cold.Store);
        (await KeysAsync(lab.Store, "runs/r1/")).Select(k => k.Split('/')[^1]).Distinct().Order(StringComparer.Ordinal).ShouldBe(["plan.json", "run.json", "tasks.ndjson"]);
        (await KeysAsync(lab.Store, "cache/")).ShouldBeEmpty();
        (await lab.RowsAsync("totals", "SELECT sensor_id, total")).ShouldBe(["a 4", "b 2"]);
        await DeltaLinter.CheckAsync(lab.Store, new("totals"));

        var told = await lab.RunAsync("r2", new { pipeline = "p", window = Window });
        told.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Failed);
        var message = told.FailureDetails.ShouldNotBeNull().ErrorMessage;
        foreach (var part in (string[])["window 2026-01-01T10 of stream 'telemetry' has 2 of 2 raw segments no more", $"moved them to {cold.Store.Root}", "after revision 1 with 3 rows was published", "table totals", "[lake.missing]"])
            message.ShouldContain(part, Case.Insensitive);
        (await lab.RowsAsync("totals", "SELECT sensor_id, total")).ShouldBe(["a 4", "b 2"]);

        // Late rows make a revision that names the old segments too; with those back in their place it runs.
        await lab.SealAsync(Window, 2, [("a", 1), ("b", 2)], [("a", 3)], [("c", 5)]);
        var manifest = (await lab.Store.GetJsonAsync(LakeLayout.WindowManifest(OrchestratorLab.Telemetry, WindowId.Parse(Window), 2), ContractsJson.Default.WindowManifest, Token)).ShouldNotBeNull();
        manifest = manifest with { Segments = [.. (await ManifestAsync(lab)).Segments, manifest.Segments[2]] };
        await lab.Store.PutJsonAsync(LakeLayout.WindowManifest(OrchestratorLab.Telemetry, manifest.Window, 2), manifest, ContractsJson.Default.WindowManifest, Token);
        (await lab.RunAsync("r3", new { pipeline = "p", window = Window, revision = 2 })).FailureDetails.ShouldNotBeNull().ErrorMessage.ShouldContain("has 2 of 3 raw segments no more");
        foreach (var (key, bytes) in segments) await lab.Store.PutAsync(key, bytes, Token);
        var state = await lab.RunAsync("r3", new { pipeline = "p", window = Window, revision = 2 });
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        (await lab.RowsAsync("totals", "SELECT sensor_id, total")).ShouldBe(["a 4", "b 2", "c 5"]);
    }

    [Fact]
    public async Task Raw_segments_that_were_deleted_are_not_needed_by_what_is_reused_and_said_to_be_gone_for_the_rest()
    {
        await using var lab = await StartAsync(Yaml, Files);
        var segments = await PublishedAsync(lab);
        // The results of the first step stay in the cache.
        var report = await PassAsync(lab, days: 60, null, policy: Policy with { Cache = null });
        report.Removals.Count(r => r.Rule == "raw").ShouldBe(segments.Count);
        lab.Write("totals.sql", "SELECT sensor_id, count(*)::DOUBLE AS total FROM t GROUP BY ALL");
        var state = await lab.RunAsync("r2", new { pipeline = "p", window = Window });
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        (await lab.RowsAsync("totals", "SELECT sensor_id, total")).ShouldBe(["a 2", "b 1"]);

        lab.Write("clean.sql", "SELECT sensor_id, value + 1 AS value FROM raw");
        var message = (await lab.RunAsync("r3", new { pipeline = "p", window = Window })).FailureDetails.ShouldNotBeNull().ErrorMessage;
        message.ShouldContain("housekeeping deleted them on ");
        message.ShouldContain("table totals");
    }

    /// <returns>The raw segments.</returns>
    static async Task<SortedDictionary<string, byte[]>> PublishedAsync(OrchestratorLab lab)
    {
        lab.WriteStream();
        await lab.SealAsync(Window, 1, [("a", 1), ("b", 2)], [("a", 3)]);
        var state = await lab.RunAsync("r1", new { pipeline = "p", window = Window });
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        var segments = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var segment in (await ManifestAsync(lab)).Segments) segments[segment.Key] = (await lab.Store.GetAsync(segment.Key, Token)).ShouldNotBeNull().ToArray();
        return segments;
    }

    static async Task<WindowManifest> ManifestAsync(OrchestratorLab lab) =>
        (await lab.Store.GetJsonAsync(LakeLayout.WindowManifest(OrchestratorLab.Telemetry, WindowId.Parse(Window), 1), ContractsJson.Default.WindowManifest, Token)).ShouldNotBeNull();

    static Task<HousekeepingReport> PassAsync(OrchestratorLab lab, int days, IObjectStore? cold, bool dryRun = false, HousekeepingPolicy? policy = null) => HousekeepingPass.RunAsync(
        lab.Store, (policy ?? Policy) with { ColdStorage = cold?.Root.ToString() }, [.. ConfigFolder.Load(lab.Config).Require().Pipelines.Select(p => p.Definition)], cold, new() { DryRun = dryRun, ClockIsRight = true },
        new SetTime(DateTimeOffset.UtcNow.AddDays(days)), Token);

    static async Task<IReadOnlyList<string>> AuditedAsync(IObjectStore store)
    {
        var keys = new List<string>();
        foreach (var log in await KeysAsync(store, HousekeepingPass.AuditPrefix))
            foreach (var line in Encoding.UTF8.GetString((await store.GetAsync(log, Token))!.Value.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                keys.Add(JsonDocument.Parse(line).RootElement.GetProperty("key").GetString()!);
        return keys;
    }

    static async Task<IReadOnlyList<string>> KeysAsync(IObjectStore store, string prefix) => await store.ListAsync(prefix, Token).Select(o => o.Key).ToListAsync(Token);
}
