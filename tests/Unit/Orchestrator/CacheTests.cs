using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using LeanPipe.Unit.DuckDb;

namespace LeanPipe.Unit.Orchestrator;

public sealed class CacheTests : IAsyncLifetime
{
    static readonly StepName Compact = new("compact");

    readonly Lab _lab = new();

    public async ValueTask InitializeAsync() => await _lab.SealAsync();

    public ValueTask DisposeAsync()
    {
        _lab.Dispose();
        return ValueTask.CompletedTask;
    }

    static RunRequest Request => new(new("telemetry-hourly"), Samples.Window);

    static readonly TaskSpec Spec = new()
    {
        Run = new("r"),
        Pipeline = new("p"),
        Window = Samples.Window,
        Step = Compact,
        Task = new(0),
        Inputs = [new("raw", InputFormat.Ndjson, [new("a", "BIGINT", "BIGINT")], [new("k", 1, 1, "h")])],
        Sql = "SELECT a FROM raw WHERE a > getvariable('least')",
        Params = [new("least", ParamType.Int64, "1"), new("other", ParamType.Int64, "2")],
        Output = new(),
        Limits = new(),
    };

    [Theory]
    [InlineData("SELECT 1", "select\n 1 ; ", false)]
    [InlineData("SELECT a, b FROM t", "SELECT a, /* the second */ b -- and so on\n  FROM t;\n", true)]
    [InlineData("SELECT 'a  b'", "SELECT 'a b'", false)]
    [InlineData("SELECT '--x' FROM t", "SELECT '' FROM t", false)]
    [InlineData("SELECT $$ a  b $$", "SELECT $$ a b $$", false)]
    [InlineData("SELECT E'\\'  x'", "SELECT E'\\' x'", false)]
    [InlineData("SELECT \"a  b\"", "SELECT \"a b\"", false)]
    public void Sql_is_equal_without_comments_and_white_space_but_never_within_quotes(string a, string b, bool equal) =>
        (SqlNormalForm.Of(a) == SqlNormalForm.Of(b)).ShouldBe(equal);

    [Theory]
    [InlineData("SELECT random()", "random")]
    [InlineData("SELECT Now ( )", "Now")]
    [InlineData("SELECT current_date", "current_date")]
    [InlineData("SELECT 'now()', \"random()\" -- now()", null)]
    [InlineData("SELECT today, known() FROM t", null)]
    public void Sql_that_yields_something_else_each_time_is_found(string sql, string? function) => SqlNormalForm.FindVolatile(sql).ShouldBe(function);

    [Fact]
    public void A_key_depends_on_what_the_result_depends_on_and_on_nothing_else()
    {
        var key = CacheKey.Of(Spec, "e").Value;
        foreach (var same in (TaskSpec[])[
            Spec with { Run = new("q"), Window = WindowId.Parse("2027-01-01"), Task = new(9), Limits = new() { Threads = 9 } },
            Spec with { Params = [new("least", ParamType.Int64, "1"), new("other", ParamType.Int64, "3")] },
            Spec with { Inputs = [Spec.Inputs[0] with { Objects = [new("elsewhere", 1, 1, "h")] }] },
            Spec with { Sql = Spec.Sql + " ;" }])
            CacheKey.Of(same, "e").Value.ShouldBe(key);
        foreach (var other in (TaskSpec[])[
            Spec with { Params = [new("least", ParamType.Int64, "2")] },
            Spec with { Params = [new("least", ParamType.String, "1")] },
            Spec with { Inputs = [Spec.Inputs[0] with { Objects = [new("k", 1, 1, "i")] }] },
            Spec with { Inputs = [Spec.Inputs[0] with { Name = "war" }] },
            Spec with { Inputs = [Spec.Inputs[0] with { Objects = [] }] },
            Spec with { Output = new() { OrderBy = ["a"] } },
            Spec with { Checks = [new("c", "SELECT 1", 1)] },
            Spec with { Sql = Spec.Sql.Replace('>', '<') }])
            CacheKey.Of(other, "e").Value.ShouldNotBe(key);
        CacheKey.Of(Spec, "f").Value.ShouldNotBe(key);
    }

    [Fact]
    public void A_parameter_that_is_named_by_a_computation_may_be_any()
    {
        var sql = Spec with { Sql = "SELECT getvariable('le' || 'ast')" };
        CacheKey.Of(sql, "e").Value.ShouldNotBe(CacheKey.Of(sql with { Params = [Spec.Params[0], Spec.Params[1] with { Value = "3" }] }, "e").Value);
    }

    [Fact]
    public void The_engine_is_the_one_that_this_release_brings()
    {
        using var folder = new SessionFolder();
        using var session = folder.Open();
        $"duckdb {session.EngineVersion}".ShouldBe(TaskCache.Engine);
    }

    [Fact]
    public async Task An_equal_task_of_another_run_is_committed_without_a_launch_until_its_chunks_are_gone()
    {
        var launcher = new ScriptedLauncher(_lab.Store) { Engine = TaskCache.Engine };
        var life = _lab.Begin(launcher: launcher);
        await life.Planning.PlanAsync(new("r1"), Request, default);
        var planned = await life.Steps.PlanAsync(new("r1"), Compact, default);
        foreach (var task in Enumerable.Range(0, planned.Tasks)) (await life.Tasks.RunAsync(new("r1"), Compact, new(task), "e")).Failure.ShouldBeNull();

        await life.Planning.PlanAsync(new("r2"), Request, default);
        (await life.Steps.PlanAsync(new("r2"), Compact, default)).Committed.ShouldBeTrue();
        var manifest = (await life.Steps.FindAsync(new("r2"), Compact, default)).ShouldNotBeNull();
        (manifest.Reused, manifest.TaskMs, manifest.Tasks).ShouldBe((4, 0, 4));
        manifest.Chunks.ShouldAllBe(c => c.Object.Key.StartsWith("runs/r1/", StringComparison.Ordinal));
        launcher.Launched.Count.ShouldBe(4);
        (await PlanPreview.OfAsync(_lab.Store, _lab.Config, Request, null, default)).Steps[0].ShouldSatisfyAllConditions(s => s.Tasks.ShouldBe(4), s => s.Reused.ShouldBe(4));

        await _lab.Store.DeleteAsync(manifest.Chunks[0].Object.Key, default);
        await life.Planning.PlanAsync(new("r3"), Request, default);
        (await life.Steps.PlanAsync(new("r3"), Compact, default)).Committed.ShouldBeFalse();
        (await life.Tasks.RunAsync(new("r3"), Compact, new(2), "e")).Failure.ShouldBeNull();
        (await life.Tasks.RunAsync(new("r3"), Compact, new(0), "e")).Failure.ShouldBeNull();
        launcher.Launched.Count.ShouldBe(5);
    }

    [Fact]
    public async Task Of_a_wide_step_of_which_little_ran_before_that_little_is_reused_when_its_turn_comes()
    {
        await _lab.SealAsync(9, [.. Enumerable.Range(0, 250).Select(n => new ObjectRef($"raw/{n}", 100, 1, $"{n:x64}"))]);
        var launcher = new ScriptedLauncher(_lab.Store) { Engine = TaskCache.Engine };
        var life = _lab.Begin(launcher: launcher);
        await life.Planning.PlanAsync(new("w1"), Request with { Revision = 9 }, default);
        (await life.Steps.PlanAsync(new("w1"), Compact, default)).ShouldSatisfyAllConditions(r => r.Tasks.ShouldBe(250), r => r.Committed.ShouldBeFalse());
        await life.Tasks.RunAsync(new("w1"), Compact, new(1), "e");
        launcher.Launched.Count.ShouldBe(1);

        await life.Planning.PlanAsync(new("w2"), Request with { Revision = 9 }, default);
        await life.Steps.PlanAsync(new("w2"), Compact, default);
        (await life.Tasks.RunAsync(new("w2"), Compact, new(1), "e")).Failure.ShouldBeNull();
        launcher.Launched.Count.ShouldBe(1);
        (await _lab.Store.GetJsonAsync(LakeLayout.TaskCommit(new("w2"), Compact, new(1)), ContractsJson.Default.TaskCommit, default))
            .ShouldBe(new TaskCommit(0, LakeLayout.Outcome(new("w1"), Compact, new(1), 1)));
        (await life.Tasks.RunAsync(new("w2"), Compact, new(249), "e")).Failure.ShouldBeNull();
        launcher.Launched[^1].Document.ShouldBe("runs/w2/compact/tasks/00200-50.json#00249");
    }

    [Fact]
    public async Task A_preview_shows_tasks_inputs_and_why_and_writes_nothing()
    {
        var before = await _lab.KeysAsync();
        var plan = await PlanPreview.OfAsync(_lab.Store, _lab.Config, Request, null, default);
        plan.Errors.ShouldBeEmpty();
        var compact = plan.Steps[0];
        compact.TaskList.Select(t => t.Bytes).ShouldBe([60, 60, 300, 100]);
        compact.Why.ShouldBe("whole objects of 'raw', about 100 bytes to a task");
        compact.Inputs.ShouldHaveSingleItem().ShouldSatisfyAllConditions(i => i.Bytes.ShouldBe(520), i => i.Split.ShouldBeTrue(), i => i.Source.ShouldStartWith("windows/telemetry/"));
        plan.Steps[1].ShouldSatisfyAllConditions(s => s.Tasks.ShouldBeNull(), s => s.Why.ShouldContain("known when compact is committed"));
        plan.Steps[2].Publishes.ShouldBe("temperatures_hourly (replace_window)");
        (await _lab.KeysAsync()).ShouldBe(before);
        (await PlanPreview.OfAsync(_lab.Store, _lab.Config, Request with { Window = WindowId.Parse("2020-01-01T10") }, null, default)).Errors.ShouldNotBeEmpty();
    }

    [Fact]
    public void A_miss_names_the_parts_that_changed()
    {
        var now = Spec with { Sql = "SELECT 1 FROM raw WHERE a > getvariable('least')", Params = [new("least", ParamType.Int64, "7")], Inputs = [Spec.Inputs[0] with { Objects = [new("k", 1, 1, "h"), new("l", 1, 1, "i")] }] };
        CacheExplanation.Compare(now, Spec, new("before")).ShouldBe("ran: compared with before, input raw changed (2 objects: 1 new, 0 gone); param least changed from 1 to 7; sql changed");
    }
}
