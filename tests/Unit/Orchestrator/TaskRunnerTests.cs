using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class TaskRunnerTests : IAsyncLifetime
{
    static readonly StepName Compact = new("compact");
    static readonly RunId Run = new("r");
    static readonly TaskId Task0 = new(0);

    readonly Lab _lab = new();
    ScriptedLauncher _launcher = null!;

    public async ValueTask InitializeAsync()
    {
        _launcher = new(_lab.Store);
        await _lab.SealAsync();
        var life = _lab.Begin();
        (await life.Planning.PlanAsync(Run, Request, default)).Failure.ShouldBeNull();
        (await life.Steps.PlanAsync(Run, Compact, default)).Tasks.ShouldBe(4);
    }

    public ValueTask DisposeAsync()
    {
        _lab.Dispose();
        return ValueTask.CompletedTask;
    }

    static RunRequest Request => new(new("telemetry-hourly"), Samples.Window);

    [Fact]
    public async Task A_committed_task_is_not_launched_again()
    {
        (await RunAsync()).ShouldBeNull();
        (await RunAsync("another execution")).ShouldBeNull();
        _launcher.Launched.ShouldHaveSingleItem().Attempt.ShouldBe(1);
    }

    [Fact]
    public async Task A_crash_is_followed_by_another_attempt_under_the_next_number()
    {
        _launcher.Script = a => a.Attempt == 1 ? ScriptedLauncher.CrashAsync() : _launcher.SucceedAsync(a);
        (await RunAsync()).ShouldBeNull();
        _launcher.Launched.Select(a => a.Attempt).ShouldBe([1, 2]);
        (await CommitAsync()).ShouldBe(new TaskCommit(2, LakeLayout.Outcome(Run, Compact, Task0, 2)));
    }

    [Fact]
    public async Task A_task_that_keeps_crashing_ends_and_says_how()
    {
        _launcher.Script = _ => ScriptedLauncher.CrashAsync();
        var failure = (await RunAsync()).ShouldNotBeNull();
        failure.Code.ShouldBe("task.killed");
        failure.Message.ShouldContain("exit code 137");
        failure.Message.ShouldContain("The last of 3 attempts");
        _launcher.Launched.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_task_without_enough_memory_gets_twice_as_much_until_it_works_and_the_step_begins_with_that_from_then_on()
    {
        _launcher.Script = a => a.Limits.MemoryBytes < 350 ? _launcher.FailAsync(a, "duckdb.out_of_memory", transient: false) : _launcher.SucceedAsync(a);
        (await RunAsync()).ShouldBeNull();
        _launcher.Launched.Select(a => (a.Attempt, a.Limits.MemoryBytes, a.MoreMemory)).ShouldBe([(1, 100, false), (2, 200, true), (3, 350, true)]);
        var life = _lab.Begin();
        await life.Planning.PlanAsync(new("next"), Request, default);
        await life.Steps.PlanAsync(new("next"), Compact, default);
        (await TaskSheets.FindAsync(_lab.Store, new("next"), Compact, Task0, default)).ShouldNotBeNull().Limits.MemoryBytes.ShouldBe(350);
    }

    [Fact]
    public async Task A_task_without_enough_memory_reads_its_input_in_parts_before_it_gets_more_and_the_step_begins_with_smaller_tasks_from_then_on()
    {
        var (run, last) = (Run, new TaskId(3));
        _launcher.Script = a => a.Slices == 1 ? _launcher.FailAsync(a, "duckdb.out_of_memory", transient: false) : _launcher.SucceedAsync(a);
        (await _lab.Begin(launcher: _launcher).Tasks.RunAsync(run, Compact, last, "e")).Failure.ShouldBeNull();
        _launcher.Launched.Select(a => (a.Attempt, a.Limits.MemoryBytes, a.MoreMemory, a.Slices)).ShouldBe([(1, 100, false, 1), (2, 100, false, 2)]);
        _launcher.Launched[1].Arguments.ShouldBe(["--task", "runs/r/compact/tasks/00000-4.json#00003", "--attempt", "2", "--slices", "2"]);

        var life = _lab.Begin();
        await life.Planning.PlanAsync(new("next"), Request, default);
        (await life.Steps.PlanAsync(new("next"), Compact, default)).Tasks.ShouldBe(5);
        var tasks = await TaskSheets.ReadAsync(_lab.Store, new("next"), Compact, default).ToListAsync();
        tasks.Select(t => string.Join(',', t.Inputs[0].Objects.Select(o => o.Key))).ShouldBe(["raw/a", "raw/b", "raw/c", "raw/d", "raw/e"]);
        tasks.ShouldAllBe(t => t.Limits.MemoryBytes == 100);
    }

    [Fact]
    public async Task Parts_that_are_too_large_still_get_more_memory()
    {
        _launcher.Script = a => a.Limits.MemoryBytes < 350 ? _launcher.FailAsync(a, "duckdb.out_of_memory", transient: false) : _launcher.SucceedAsync(a);
        (await _lab.Begin(launcher: _launcher).Tasks.RunAsync(Run, Compact, new(3), "e")).Failure.ShouldBeNull();
        _launcher.Launched.Select(a => (a.Limits.MemoryBytes, a.Slices)).ShouldBe([(100, 1), (100, 2), (200, 2), (350, 2)]);
        (await _lab.Store.GetJsonAsync(LakeLayout.StepLimits(Request.Pipeline, Compact), ContractsJson.Default.StepLimits, default)).ShouldNotBeNull()
            .ShouldSatisfyAllConditions(l => l.MemoryBytes.ShouldBe(350), l => l.InputBytes.ShouldBe(90));
    }

    [Fact]
    public async Task A_task_for_which_no_memory_is_enough_fails_with_what_the_engine_says_also_when_it_is_delivered_again()
    {
        _launcher.Script = a => _launcher.FailAsync(a, "duckdb.out_of_memory", transient: false);
        (await RunAsync()).ShouldNotBeNull().Code.ShouldBe("duckdb.out_of_memory");
        (await RunAsync()).ShouldNotBeNull().Code.ShouldBe("duckdb.out_of_memory");
        _launcher.Launched.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_transient_failure_is_tried_again_and_an_sql_error_is_not()
    {
        _launcher.Script = a => a.Attempt == 1 ? _launcher.FailAsync(a, "task.io", transient: true) : _launcher.FailAsync(a, "sql.error", transient: false);
        (await RunAsync()).ShouldNotBeNull().ShouldSatisfyAllConditions(
            f => f.Code.ShouldBe("sql.error"), f => f.ToString().ShouldBe("Step 'compact', task 00000: sql.error happened [sql.error]"));
        _launcher.Launched.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_failure_that_was_not_reported_is_reported_by_the_next_delivery_without_another_attempt()
    {
        _launcher.Script = a => _launcher.FailAsync(a, "sql.error", transient: false);
        await RunAsync();
        (await RunAsync()).ShouldNotBeNull().Code.ShouldBe("sql.error");
        _launcher.Launched.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_run_that_is_started_again_gets_new_attempts()
    {
        _launcher.Script = a => a.Attempt == 1 ? _launcher.FailAsync(a, "sql.error", transient: false) : _launcher.SucceedAsync(a);
        await RunAsync("first");
        (await RunAsync("second")).ShouldBeNull();
        _launcher.Launched.Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_outcome_that_was_not_committed_is_committed_and_not_run_again()
    {
        var attempt = new TaskAttempt(Run, Compact, Task0, 1, new());
        await StartAsync(1, "dead");
        await _launcher.SucceedAsync(attempt);
        (await RunAsync()).ShouldBeNull();
        _launcher.Launched.ShouldBeEmpty();
        (await CommitAsync()).ShouldNotBeNull().Attempt.ShouldBe(1);
    }

    [Fact]
    public async Task An_attempt_that_died_with_the_service_gives_its_number_away_to_nobody()
    {
        await StartAsync(1, "execution");
        (await RunAsync()).ShouldBeNull();
        _launcher.Launched.ShouldHaveSingleItem().Attempt.ShouldBe(2);
    }

    [Fact]
    public async Task A_task_that_takes_the_service_down_again_and_again_ends()
    {
        await StartAsync(1, "execution");
        await StartAsync(2, "execution");
        (await RunAsync()).ShouldNotBeNull().Code.ShouldBe("task.lost");
        (await RunAsync("started again")).ShouldBeNull();
        _launcher.Launched.ShouldHaveSingleItem().Attempt.ShouldBe(3);
    }

    [Fact]
    public async Task Two_deliveries_at_a_time_are_one_attempt()
    {
        var started = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        _launcher.Script = async a =>
        {
            started.SetResult();
            await go.Task;
            return await _launcher.SucceedAsync(a);
        };
        var life = _lab.Begin(launcher: _launcher);
        var first = life.Tasks.RunAsync(Run, Compact, Task0, "execution");
        await started.Task;
        var second = life.Tasks.RunAsync(Run, Compact, Task0, "execution");
        go.SetResult();
        (await first).Failure.ShouldBeNull();
        (await second).Failure.ShouldBeNull();
        _launcher.Launched.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Two_services_that_run_one_task_write_under_two_prefixes_and_the_first_commit_wins()
    {
        var other = new ScriptedLauncher(_lab.Store);
        _launcher.Script = async a =>
        {
            (await _lab.Begin(launcher: other).Tasks.RunAsync(Run, Compact, Task0, "another service")).Failure.ShouldBeNull();
            return await _launcher.SucceedAsync(a);
        };
        (await RunAsync()).ShouldBeNull();
        (await CommitAsync()).ShouldNotBeNull().Attempt.ShouldBe(2);
        (other.Launched.Single().Attempt, _launcher.Launched.Single().Attempt).ShouldBe((2, 1));
    }

    [Fact]
    public async Task After_a_failure_the_tasks_that_wait_for_a_slot_are_not_launched()
    {
        _launcher.Script = a => _launcher.FailAsync(a, "sql.error", transient: false);
        var life = _lab.Begin(launcher: _launcher);
        await life.Tasks.RunAsync(Run, Compact, Task0, "a");
        (await life.Tasks.RunAsync(Run, Compact, new(1), "b")).Failure.ShouldNotBeNull().Task.ShouldBe(0);
        life.Tasks.Forget(Run);
        (await life.Tasks.RunAsync(Run, Compact, new(1), "b")).Failure.ShouldNotBeNull().Task.ShouldBe(1);
        _launcher.Launched.Count.ShouldBe(2);
    }

    async Task<Failure?> RunAsync(string execution = "execution") => (await _lab.Begin(launcher: _launcher).Tasks.RunAsync(Run, Compact, Task0, execution)).Failure;

    async Task StartAsync(int attempt, string execution) => await _lab.Store.PutJsonAsync(
        LakeLayout.AttemptStarted(Run, Compact, Task0, attempt), new AttemptStart(execution, Samples.Noon), AttemptJson.Default.AttemptStart, default);

    ValueTask<TaskCommit?> CommitAsync() => _lab.Store.GetJsonAsync(LakeLayout.TaskCommit(Run, Compact, Task0), ContractsJson.Default.TaskCommit, default);
}
