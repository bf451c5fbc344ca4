using LeanPipe.Contracts;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

/// <summary>A step that shares its work out over nothing has no tasks, once its columns are known.</summary>
public sealed class EmptyInputTests : IDisposable
{
    static readonly RunRequest Request = new(new("telemetry-hourly"), Samples.Window);
    static readonly StepName Compact = new("compact"), BySensor = new("by_sensor"), Hourly = new("hourly");

    readonly Lab _lab = new();
    readonly ScriptedLauncher _launcher;

    public EmptyInputTests() => _launcher = new(_lab.Store);

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task Over_nothing_no_task_runs_and_the_columns_are_those_of_the_last_time()
    {
        await _lab.SealAsync(1);
        await StepAsync("full", 1, Compact);
        var full = await StepAsync("full", 1, BySensor);
        full.Chunks.ShouldNotBeEmpty();
        _launcher.Launched.Clear();

        await _lab.SealAsync(2, []);
        var compact = await StepAsync("empty", 2, Compact);
        (compact.Tasks, compact.RowsOut, compact.Chunks.Count).ShouldBe((0, 0, 0));
        (await StepAsync("empty", 2, BySensor)).ShouldSatisfyAllConditions(m => m.Tasks.ShouldBe(0), m => m.Columns.ShouldBe(full.Columns));
        _launcher.Launched.ShouldBeEmpty();
        (await _lab.KeysAsync("runs/empty/compact/")).ShouldBe(["runs/empty/compact/manifest.json", "runs/empty/compact/tasks.ndjson"]);

        // One task over everything is asked: over nothing count(*) is a row.
        (await StepAsync("empty", 2, Hourly)).Tasks.ShouldBe(1);
        _launcher.Launched.ShouldHaveSingleItem().Step.ShouldBe(Hourly);
    }

    [Fact]
    public async Task A_step_whose_columns_nobody_knows_runs_one_task_over_empty_views()
    {
        await _lab.SealAsync(1, []);
        (await StepAsync("first", 1, Compact)).Tasks.ShouldBe(1);
        (await StepAsync("second", 1, Compact)).Tasks.ShouldBe(0);
        Directory.EnumerateFiles(_lab.Config, "compact.sql", SearchOption.AllDirectories).ToList().ForEach(f => File.WriteAllText(f, "SELECT 1, 2"));
        (await StepAsync("other-sql", 1, Compact)).Tasks.ShouldBe(1);
        _launcher.Launched.Count.ShouldBe(2);
    }

    [Fact]
    public void Checks_are_asked_over_nothing_too()
    {
        var pipeline = Samples.Pipeline with { Steps = [Samples.Pipeline.Steps[0] with { Checks = [new("some", "SELECT count(*) FROM output", 1)] }] };
        var plan = Samples.Plan(pipeline);
        var none = plan.Steps[0] with { Inputs = [plan.Steps[0].Inputs[0] with { Objects = [] }] };
        var tasks = TaskPlanner.Plan(plan, none, new Dictionary<StepName, StepManifest>(), new());
        TaskPlanner.IsOverNothing(none, tasks).ShouldBeFalse();
        TaskPlanner.IsOverNothing(none with { Checks = [] }, tasks).ShouldBeTrue();
        TaskPlanner.IsOverNothing(plan.Steps[0] with { Checks = [] }, TaskPlanner.Plan(plan, plan.Steps[0], new Dictionary<StepName, StepManifest>(), new())).ShouldBeFalse();
    }

    async Task<StepManifest> StepAsync(string run, int revision, StepName step)
    {
        var life = _lab.Begin(launcher: _launcher);
        await life.Planning.PlanAsync(new(run), Request with { Revision = revision }, default);
        var planned = await life.Steps.PlanAsync(new(run), step, default);
        for (var n = 0; n < planned.Tasks && !planned.Committed; n++) (await life.Tasks.RunAsync(new(run), step, new(n), "e")).Failure.ShouldBeNull();
        if (!planned.Committed) (await life.Steps.CommitAsync(new(run), step, planned.Tasks, default)).Failure.ShouldBeNull();
        return (await life.Steps.FindAsync(new(run), step, default)).ShouldNotBeNull();
    }
}
