using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using LeanPipe.Unit.Housekeeping;

namespace LeanPipe.Unit.Orchestrator;

public sealed class CancellationTests : IAsyncLifetime
{
    static readonly StepName Compact = new("compact");
    static readonly RunId Run = new("r");

    readonly Lab _lab = new();

    public async ValueTask InitializeAsync() => await _lab.SealAsync();

    public ValueTask DisposeAsync()
    {
        _lab.Dispose();
        return ValueTask.CompletedTask;
    }

    static RunRequest Request => new(new("telemetry-hourly"), Samples.Window);

    [Fact]
    public async Task A_cancelled_run_ends_its_attempts_starts_nothing_more_and_can_be_started_again()
    {
        var (life, launcher, running) = await RunningAsync();

        (await life.Cancellation.RequestAsync(Run, default)).ShouldBeTrue();

        var failure = (await running).Failure.ShouldNotBeNull();
        failure.Code.ShouldBe("run.cancelled");
        (await Should.ThrowAsync<LeanPipeException>(() => life.Tasks.RunAsync(Run, Compact, new(1), "e2"))).Code.ShouldBe("run.cancelled");
        (await Should.ThrowAsync<LeanPipeException>(() => life.Steps.PlanAsync(Run, new("by_sensor"), default))).Code.ShouldBe("run.cancelled");
        (await Should.ThrowAsync<LeanPipeException>(() => life.Planning.AdmitAsync(Run, Request, default))).Code.ShouldBe("run.cancelled");
        launcher.Launched.Count.ShouldBe(1);
        await life.Ending.FinishAsync(new(Run, Request, [], failure), default);
        (await _lab.Store.GetJsonAsync(LakeLayout.RunRecord(Run), ContractsJson.Default.RunRecord, default)).ShouldNotBeNull().Status.ShouldBe(RunStatus.Cancelled);

        launcher.Script = null;
        (await life.Planning.AdmitAsync(Run, Request, default)).Failure.ShouldBeNull();
        life.Tasks.Forget(Run);
        (await life.Tasks.RunAsync(Run, Compact, new(0), "e3")).Failure.ShouldBeNull();
    }

    [Fact]
    public async Task A_run_that_was_terminated_from_outside_ends_its_attempts_has_a_record_and_can_be_started_again()
    {
        var (life, launcher, running) = await RunningAsync();
        (await LakeRuns.FindAsync(_lab.Store, Run, default)).ShouldNotBeNull().State.ShouldBe(RunState.Running);
        life.Instances.Ended.Add(Run);

        (await life.Lost.EndAsync(null, default)).ShouldBe(1);

        (await running).Failure.ShouldNotBeNull().Code.ShouldBe("run.terminated");
        var ended = (await LakeRuns.FindAsync(_lab.Store, Run, default)).ShouldNotBeNull();
        (ended.State, ended.Record!.Error!.Code, ended.Record.Request).ShouldBe((RunState.Cancelled, "run.terminated", Request));
        (await _lab.KeysAsync("index/queue/")).ShouldBeEmpty();
        (await life.Lost.EndAsync(null, default)).ShouldBe(0);

        launcher.Script = null;
        life.Instances.Ended.Clear();
        (await life.Planning.AdmitAsync(Run, Request, default)).Failure.ShouldBeNull();
        // Its record tells of its last end; that it runs tells its mark.
        (await LakeRuns.FindAsync(_lab.Store, Run, default)).ShouldNotBeNull().ShouldSatisfyAllConditions(r => r.State.ShouldBe(RunState.Running), r => r.Record.ShouldBeNull());
        (await LakeRuns.ListAsync(_lab.Store, 5, default)).ShouldHaveSingleItem().State.ShouldBe(RunState.Running);
        life.Tasks.Forget(Run);
        (await life.Tasks.RunAsync(Run, Compact, new(0), "e2")).Failure.ShouldBeNull();
    }

    /// <summary>A run whose first attempt runs until it is cancelled.</summary>
    async Task<(Life Life, ScriptedLauncher Launcher, Task<Reply> Running)> RunningAsync()
    {
        var launcher = new ScriptedLauncher(_lab.Store);
        var launched = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        launcher.Script = async _ =>
        {
            var end = new TaskCompletionSource<LaunchEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
            launcher.Cancel.Register(() => end.SetResult(new(137, false, "")));
            launched.SetResult();
            return await end.Task;
        };
        var life = _lab.Begin(launcher: launcher);
        await life.Planning.AdmitAsync(Run, Request, default);
        await life.Steps.PlanAsync(Run, Compact, default);
        var running = life.Tasks.RunAsync(Run, Compact, new(0), "e1");
        await launched.Task;
        return (life, launcher, running);
    }

    [Fact]
    public async Task A_run_that_has_ended_is_not_cancelled()
    {
        var life = _lab.Begin();
        life.Instances.Ended.Add(Run);
        (await life.Cancellation.RequestAsync(Run, default)).ShouldBeFalse();
        (await _lab.KeysAsync("runs/")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_run_that_ends_while_it_is_being_cancelled_can_be_started_again()
    {
        Life life = null!;
        // Before cancel.json is there, the run ends.
        var store = new HookStore(_lab.Store, before: 1, async () =>
        {
            await _lab.Begin().Ending.FinishAsync(new(Run, Request, [], new("x", "y")), default);
            life.Instances.Ended.Add(Run);
        });
        life = _lab.Begin(store);
        (await life.Cancellation.RequestAsync(Run, default)).ShouldBeFalse();
        (await _lab.Begin().Planning.AdmitAsync(Run, Request, default)).Failure.ShouldBeNull();
    }
}
