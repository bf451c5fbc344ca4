using LeanPipe.Contracts;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class LoadTests
{
    [Fact]
    public async Task The_load_tells_what_runs_and_what_waits()
    {
        using var lab = new Lab();
        await lab.SealAsync();
        var (run, step, launcher) = (new RunId("r"), new StepName("compact"), new ScriptedLauncher(lab.Store));
        var (go, launched) = (new TaskCompletionSource(), new CountdownEvent(Life.MaxConcurrentTasks));
        launcher.Script = async attempt =>
        {
            if (!launched.IsSet) launched.Signal();
            await go.Task;
            return await launcher.SucceedAsync(attempt);
        };
        var life = lab.Begin(launcher: launcher);
        (await life.Planning.PlanAsync(run, new(new("telemetry-hourly"), Samples.Window), default)).Failure.ShouldBeNull();
        (await life.Steps.PlanAsync(run, step, default)).Tasks.ShouldBe(4);

        var tasks = Enumerable.Range(0, 4).Select(i => life.Tasks.RunAsync(run, step, new(i), "execution")).ToList();
        await Task.Run(() => launched.Wait(TestContext.Current.CancellationToken));
        life.Tasks.Load.ShouldBe((Life.MaxConcurrentTasks, 4 - Life.MaxConcurrentTasks));
        go.SetResult();
        await Task.WhenAll(tasks);
        life.Tasks.Load.ShouldBe((0, 0));
    }
}
