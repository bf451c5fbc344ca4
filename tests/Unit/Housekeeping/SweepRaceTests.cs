using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using LeanPipe.Unit.Orchestrator;

namespace LeanPipe.Unit.Housekeeping;

/// <summary>Housekeeping and runs, one inside the other at every call to the store: whatever comes between what, a run never ends up with what is gone.</summary>
public sealed class SweepRaceTests
{
    static readonly StepName Compact = new("compact");
    static readonly RunId Old = new("old");
    static readonly RunId Young = new("young");
    static readonly RunRequest Request = new(new("telemetry-hourly"), Samples.Window);
    static readonly HousekeepingPolicy Policy = new() { Cache = TimeSpan.FromHours(1), Runs = TimeSpan.FromHours(1), Attempts = TimeSpan.Zero, Rejected = null, TableVersions = null, CompactToBytes = null };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Passes_between_any_two_calls_of_a_reuse_leave_what_it_takes(int apart)
    {
        var random = new Random(apart);
        for (var n = 1; ; n += 1 + apart)
        {
            using var lab = await EndedAsync();
            await lab.Begin().Planning.PlanAsync(Young, Request, Token);
            // One pass takes the entries of the cache, the next one what they named.
            var later = new HookStore(lab.Store, n + (apart == 0 ? 0 : random.Next(1, 20)), () => PassAsync(lab.Store));
            var store = new HookStore(later, n, () => PassAsync(lab.Store));
            await lab.Begin(store, Launcher(lab)).Steps.PlanAsync(Young, Compact, Token);
            await NothingIsMissingAsync(lab);
            for (var pass = 0; pass < 2; pass++) await PassAsync(lab.Store);
            await NothingIsMissingAsync(lab);
            if (!store.Acted) return;
        }
    }

    [Fact]
    public async Task A_reuse_between_any_two_calls_of_a_pass_keeps_what_it_takes()
    {
        for (var n = 1; ; n++)
        {
            using var lab = await EndedAsync();
            var store = new HookStore(lab.Store, n, async () =>
            {
                var life = lab.Begin(launcher: Launcher(lab));
                await life.Planning.PlanAsync(Young, Request, Token);
                await life.Steps.PlanAsync(Young, Compact, Token);
            });
            await PassAsync(store);
            await NothingIsMissingAsync(lab);
            for (var pass = 0; pass < 2; pass++) await PassAsync(lab.Store);
            await NothingIsMissingAsync(lab);
            if (!store.Acted) return;
        }
    }

    [Theory]
    [InlineData("after the pass")]
    [InlineData("at once")]
    [InlineData("somewhat later within the pass")]
    public async Task A_retry_between_any_two_calls_of_a_pass_waits_or_is_left_alone(string goesOn)
    {
        var (admitted, refused, random) = (0, 0, new Random(1));
        for (var n = 1; ; n += 2)
        {
            using var lab = await EndedAsync(failed: true);
            // No entry keeps what the run left.
            foreach (var entry in await lab.KeysAsync("cache/")) await lab.Store.DeleteAsync(entry, Token);
            var life = lab.Begin(launcher: Launcher(lab));
            var begun = false;
            var later = new HookStore(lab.Store, goesOn.StartsWith("somewhat", StringComparison.Ordinal) ? n + random.Next(1, 30) : int.MaxValue, () => begun ? ToTheEndAsync(life) : Task.CompletedTask);
            var store = new HookStore(later, n, async () =>
            {
                try
                {
                    (await life.Planning.AdmitAsync(Old, Request, Token)).Position.ShouldBeNull();
                    admitted++;
                    begun = true;
                    if (goesOn == "at once") await ToTheEndAsync(life);
                }
                catch (LeanPipeException e) when (e.Code == "run.being_swept")
                {
                    e.IsTransient.ShouldBeTrue();
                    refused++;
                }
            });
            await PassAsync(store);
            await NothingIsMissingAsync(lab);
            if (goesOn == "after the pass")
            {
                (await life.Planning.AdmitAsync(Old, Request, Token)).Failure.ShouldBeNull();
                await ToTheEndAsync(life);
                (await lab.Store.GetJsonAsync(LakeLayout.RunRecord(Old), ContractsJson.Default.RunRecord, Token)).ShouldNotBeNull().Status.ShouldBe(RunStatus.Completed);
                await NothingIsMissingAsync(lab);
            }
            (await lab.KeysAsync(LakeLayout.RunSweeps(Old))).ShouldBeEmpty();
            if (!store.Acted) break;
        }
        admitted.ShouldBeGreaterThan(0);
        refused.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_pass_that_was_cut_short_holds_off_a_retry_until_the_next_pass_has_ended_it()
    {
        using var lab = await EndedAsync(failed: true);
        foreach (var entry in await lab.KeysAsync("cache/")) await lab.Store.DeleteAsync(entry, Token);
        var manifests = (await lab.KeysAsync(LakeLayout.Run(Old))).Count(k => k.EndsWith("/manifest.json", StringComparison.Ordinal));
        await Should.ThrowAsync<DiedException>(() => PassAsync(new DyingStore(lab.Store, dieBefore: 2 + 1 + manifests + 1)));
        (await lab.KeysAsync(LakeLayout.RunSweeps(Old))).Count.ShouldBe(1);

        var life = lab.Begin(launcher: Launcher(lab));
        (await Should.ThrowAsync<LeanPipeException>(() => life.Planning.AdmitAsync(Old, Request, Token))).Code.ShouldBe("run.being_swept");
        // What a retry that gives up does: the record is young again.
        await life.Ending.FinishAsync(new(Old, Request, [], new("run.being_swept", "…")), Token);
        await life.Queue.LeaveAsync(Old, Token);
        await PassAsync(lab.Store);
        (await lab.KeysAsync(LakeLayout.Run(Old))).Select(k => k.Split('/')[^1]).Distinct().Order(StringComparer.Ordinal).ShouldBe(["plan.json", "run.json", "tasks.ndjson"]);
        (await life.Planning.AdmitAsync(Old, Request, Token)).Failure.ShouldBeNull();
    }

    [Fact]
    public async Task A_run_that_may_be_tried_again_keeps_what_it_took_from_an_older_one()
    {
        using var lab = await EndedAsync();
        var launcher = Launcher(lab);
        launcher.Script = a => a.Step.Value == "hourly" ? launcher.FailAsync(a, "check.failed", transient: false) : launcher.SucceedAsync(a);
        var life = lab.Begin(launcher: launcher);
        await life.Planning.PlanAsync(Young, Request, Token);
        await life.Steps.PlanAsync(Young, Compact, Token);
        await life.Ending.FinishAsync(new(Young, Request, [], new("check.failed", "…")), Token);
        Age(lab, Old, TimeSpan.FromDays(2));
        Age(lab, "cache/", TimeSpan.FromDays(2));
        var taken = (await life.Steps.FindAsync(Young, Compact, Token)).ShouldNotBeNull().Chunks.Select(c => c.Object.Key).ToList();
        taken.ShouldAllBe(k => k.StartsWith(LakeLayout.Run(Old), StringComparison.Ordinal));

        for (var pass = 0; pass < 3; pass++) await PassAsync(lab.Store, TimeProvider.System);
        (await lab.KeysAsync("cache/")).ShouldBeEmpty();
        await NothingIsMissingAsync(lab);
        (await lab.KeysAsync(LakeLayout.Run(Old))).ShouldNotContain(k => k.EndsWith("/manifest.json", StringComparison.Ordinal));
        // When its own time is over, it keeps nothing any more.
        for (var pass = 0; pass < 2; pass++) await PassAsync(lab.Store);
        (await lab.KeysAsync(LakeLayout.Run(Old))).ShouldNotContain(k => k.EndsWith(".parquet", StringComparison.Ordinal));
    }

    /// <summary>A lake with one run that has ended, and whose results are in the cache.</summary>
    static async Task<Lab> EndedAsync(bool failed = false)
    {
        var lab = new Lab();
        await lab.SealAsync();
        var launcher = Launcher(lab);
        if (failed) launcher.Script = a => a.Step.Value == "hourly" ? launcher.FailAsync(a, "check.failed", transient: false) : launcher.SucceedAsync(a);
        var life = lab.Begin(launcher: launcher);
        await life.Planning.PlanAsync(Old, Request, Token);
        await ToTheEndAsync(life);
        (await lab.KeysAsync("cache/")).Count.ShouldBeGreaterThan(4);
        return lab;
    }

    static ScriptedLauncher Launcher(Lab lab) => new(lab.Store) { Engine = TaskCache.Engine };

    static async Task ToTheEndAsync(Life life)
    {
        var plan = (await life.Planning.FindAsync(Old, Token)).ShouldNotBeNull();
        var published = new List<PublishedTable>();
        Failure? failure = null;
        foreach (var step in plan.Steps.Select(s => s.Name))
        {
            var planned = await life.Steps.PlanAsync(Old, step, Token);
            for (var task = 0; task < planned.Tasks && failure is null; task++) failure = (await life.Tasks.RunAsync(Old, step, new(task), $"{Guid.NewGuid()}")).Failure;
            if (failure is null) await life.Steps.CommitAsync(Old, step, planned.Tasks, Token);
        }
        if (failure is null) published.Add((await life.Ending.PublishAsync(Old, plan.Steps.Single(s => s.Publish is not null).Name, Token)).Table.ShouldNotBeNull());
        life.Tasks.Forget(Old);
        await life.Ending.FinishAsync(new(Old, Request, published, failure), Token);
        await life.Queue.LeaveAsync(Old, Token);
    }

    /// <summary>A pass of tomorrow, when everything is old.</summary>
    static Task PassAsync(IObjectStore store, TimeProvider? time = null) => HousekeepingPass.RunAsync(store, Policy, null, null, new(), time ?? new Tomorrow(), Token);

    static async Task NothingIsMissingAsync(Lab lab)
    {
        foreach (var key in await lab.KeysAsync(LakeLayout.Runs))
        {
            if (key.EndsWith("/commit.json", StringComparison.Ordinal))
            {
                var commit = (await lab.Store.GetJsonAsync(key, ContractsJson.Default.TaskCommit, Token)).ShouldNotBeNull();
                var outcome = (await lab.Store.GetJsonAsync(commit.Outcome, ContractsJson.Default.TaskOutcome, Token)).ShouldNotBeNull($"named by {key}");
                foreach (var chunk in outcome.Chunks) (await lab.Store.SizeAsync(chunk.Object.Key, Token)).ShouldBe(chunk.Object.Bytes, $"named by {key}");
            }
            else if (key.EndsWith("/manifest.json", StringComparison.Ordinal))
            {
                var manifest = (await lab.Store.GetJsonAsync(key, ContractsJson.Default.StepManifest, Token)).ShouldNotBeNull();
                foreach (var chunk in manifest.Chunks) (await lab.Store.SizeAsync(chunk.Object.Key, Token)).ShouldBe(chunk.Object.Bytes, $"named by {key}");
            }
        }
    }

    static void Age(Lab lab, RunId run, TimeSpan by) => Age(lab, LakeLayout.Run(run), by);

    static void Age(Lab lab, string prefix, TimeSpan by)
    {
        foreach (var file in Directory.EnumerateFiles(lab.Store.LocalPath(prefix.TrimEnd('/'))!, "*", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, DateTime.UtcNow - by);
    }

    sealed class Tomorrow : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(1);
    }
}
