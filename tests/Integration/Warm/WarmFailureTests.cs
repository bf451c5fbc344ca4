using System.Diagnostics;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Warm;

public sealed class WarmFailureTests
{
    [Fact]
    public async Task Killed_mid_task_it_is_a_crash_and_the_next_attempt_is_committed_from_a_container_of_its_own()
    {
        await using var lab = await WarmLab.StartAsync();
        // Endless the first time, for as long as its input is there.
        var spec = lab.Lake.Task(WarmLab.Endless);
        await lab.PlanAsync(spec);
        using var tasks = lab.Tasks();
        var runner = lab.Runner;
        var run = tasks.RunAsync(spec.Run, spec.Step, spec.Task, "execution");
        await UntilComputesAsync(runner);
        var child = runner.Children();
        await lab.Lake.WriteAsync(spec with { Sql = "SELECT 1 AS one" });
        runner.Kill();
        (await run).Failure.ShouldBeNull();
        foreach (var process in child) await WarmRunner.GoneAsync(process);
        lab.Each.Attempts.ShouldBe([2]);
        (await lab.Lake.Store.GetJsonAsync(LakeLayout.TaskCommit(spec.Run, spec.Step, spec.Task), ContractsJson.Default.TaskCommit, default)).ShouldNotBeNull().Attempt.ShouldBe(2);
        (await lab.Lake.OutcomeAsync(spec)).ShouldBeNull("what died wrote no outcome");
    }

    [Fact]
    public async Task When_only_the_attempt_s_process_is_killed_its_exit_code_is_told_and_the_next_one_is_taken()
    {
        await using var lab = await WarmLab.StartAsync();
        var end = await lab.BeginEndlessAsync();
        foreach (var process in lab.Runner.Children()) Process.GetProcessById(process).Kill();
        (await end).ExitCode.ShouldBe(137);
        (await lab.RunAsync(lab.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
        lab.Each.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_process_that_died_while_it_waited_is_replaced()
    {
        await using var lab = await WarmLab.StartAsync();
        (await lab.RunAsync(lab.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
        var process = await lab.Runner.WaitingAsync();
        Process.GetProcessById(process).Kill();
        await WarmRunner.GoneAsync(process);
        (await lab.RunAsync(lab.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
        lab.Each.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cancelled_attempt_s_process_is_killed_and_its_scratch_removed()
    {
        await using var lab = await WarmLab.StartAsync();
        using var cancel = new CancellationTokenSource();
        var end = await lab.BeginEndlessAsync(cancel.Token);
        var running = lab.Runner.Children();
        var scratch = lab.Runner.Scratch.EnumerateDirectories().Select(d => d.FullName).ToList();
        await cancel.CancelAsync();
        (await end).ExitCode.ShouldBe(143);
        foreach (var process in running) await WarmRunner.GoneAsync(process);
        // The next attempt is taken once the place is free: until then it is busy.
        while (lab.Each.Attempts.Count < 100)
        {
            var before = lab.Each.Attempts.Count;
            (await lab.RunAsync(lab.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
            if (lab.Each.Attempts.Count == before) break;
        }
        lab.Each.Attempts.Count.ShouldBeLessThan(100);
        scratch.Where(Directory.Exists).ShouldBeEmpty();
    }

    [Fact]
    public async Task When_the_orchestrator_stops_the_attempt_ends_with_it()
    {
        await using var lab = await WarmLab.StartAsync();
        var end = await lab.BeginEndlessAsync();
        var running = lab.Runner.Children();
        lab.Stop();
        await Should.ThrowAsync<OperationCanceledException>(() => end);
        foreach (var process in running) await WarmRunner.GoneAsync(process);
    }

    [Fact]
    public async Task On_SIGTERM_the_attempt_that_runs_ends_first()
    {
        await using var lab = await WarmLab.StartAsync();
        var computes = new TaskCompletionSource();
        // A second of work or more.
        var spec = lab.Lake.Task("SELECT count(*) AS n FROM range(60000000) a(i) WHERE hash(i) % 7 = 3") with { Limits = new() { Threads = 1, MemoryBytes = 256L << 20 } };
        var end = lab.Launcher.RunAsync(await lab.PlanAsync(spec), line => WarmLab.Computes(line, computes), default);
        await computes.Task;
        (await lab.Runner.TerminateAsync()).ShouldBe(0);
        (await end).ShouldBe(new(0, false, ""));
        (await lab.Lake.OutcomeAsync(spec)).ShouldNotBeNull().Error.ShouldBeNull();
    }

    static async Task UntilComputesAsync(WarmRunner runner)
    {
        // TaskRunner tells nobody of the first second's progress: a process that computes uses the processor.
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var moment = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!runner.Children().Any(p => TryTicks(p) > 100)) await moment.WaitForNextTickAsync(limit.Token);
    }

    /// <summary>Hundredths of a second of user time.</summary>
    static long TryTicks(int process) => WarmRunner.Stat(process) is { Length: > 12 } fields ? long.Parse(fields[11]) : 0;
}
