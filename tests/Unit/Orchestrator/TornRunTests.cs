using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

/// <summary>The whole run over a real folder: this process dies before its n-th durable write, for every n, and the activities are delivered again.</summary>
public sealed class TornRunTests
{
    static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);
    static readonly RunRequest Request = new(new("telemetry-hourly"), Samples.Window);
    static readonly RunId Run = new("r");

    [Fact]
    public async Task A_crash_before_any_durable_write_changes_nothing_about_the_result()
    {
        using var whole = new Lab();
        await whole.SealAsync();
        var counting = new DyingStore(whole.Store, int.MaxValue);
        await RunAsync(whole.Begin(counting));
        var expected = await ResultAsync(whole);
        counting.Writes.ShouldBeGreaterThan(20);

        for (var n = 1; n <= counting.Writes; n++)
        {
            using var lab = new Lab();
            await lab.SealAsync();
            await Should.ThrowAsync<DiedException>(() => RunAsync(lab.Begin(new DyingStore(lab.Store, n))));
            // Whoever looks between the two lives sees a lake that reads, with no step that is there in part.
            await ReadableAsync(lab);
            var launcher = new ScriptedLauncher(lab.Store);
            await RunAsync(lab.Begin(launcher: launcher));
            (await ResultAsync(lab)).ShouldBe(expected, $"after a crash before write {n}");
            launcher.Launched.Select(a => (a.Step, a.Task)).ShouldBeUnique();
        }
    }

    [Fact]
    public async Task The_same_run_again_launches_nothing_and_changes_nothing()
    {
        using var lab = new Lab();
        await lab.SealAsync();
        await RunAsync(lab.Begin());
        var keys = await lab.KeysAsync();
        var launcher = new ScriptedLauncher(lab.Store);
        await RunAsync(lab.Begin(launcher: launcher));
        launcher.Launched.ShouldBeEmpty();
        (await lab.KeysAsync()).ShouldBe(keys);
    }

    [Fact]
    public async Task A_failed_run_goes_on_with_what_is_missing_when_it_is_started_again()
    {
        using var lab = new Lab();
        await lab.SealAsync();
        var launcher = new ScriptedLauncher(lab.Store);
        launcher.Script = a => a.Step.Value == "hourly" ? launcher.FailAsync(a, "check.failed", transient: false) : launcher.SucceedAsync(a);
        (await Should.ThrowAsync<RunFailedException>(() => RunAsync(lab.Begin(launcher: launcher)))).Message.ShouldBe("Step 'hourly', task 00000: check.failed happened [check.failed]");
        (await RecordAsync(lab)).ShouldSatisfyAllConditions(
            r => r.Status.ShouldBe(RunStatus.Failed), r => r.Published.ShouldBeEmpty(), r => r.Steps.Select(s => s.Step.Value).ShouldBe(["compact", "by_sensor"]),
            r => r.Error.ShouldBe(new RunError(new("hourly"), new TaskId(0), "check.failed", "check.failed happened")));
        (await lab.KeysAsync("tables/")).ShouldBeEmpty();

        var again = new ScriptedLauncher(lab.Store);
        await RunAsync(lab.Begin(launcher: again), execution: "second");
        again.Launched.ShouldHaveSingleItem().ShouldSatisfyAllConditions(a => a.Step.Value.ShouldBe("hourly"), a => a.Attempt.ShouldBe(2));
        (await RecordAsync(lab)).Status.ShouldBe(RunStatus.Completed);
    }

    [Fact]
    public async Task An_id_that_is_taken_by_another_request_is_refused_and_the_first_runs_record_stays()
    {
        using var lab = new Lab();
        await lab.SealAsync();
        await RunAsync(lab.Begin());
        await lab.SealAsync(2);
        var e = await Should.ThrowAsync<RunFailedException>(() => RunAsync(lab.Begin(), Request with { Revision = 2 }));
        e.Code.ShouldBe("plan.other_request");
        e.Message.ShouldContain("take another run id");
        (await RecordAsync(lab)).Status.ShouldBe(RunStatus.Completed);
    }

    [Fact]
    public async Task A_plan_stays_when_files_and_windows_change_after_it()
    {
        using var lab = new Lab();
        await lab.SealAsync();
        await lab.Begin().Planning.PlanAsync(Run, Request, default);
        await lab.SealAsync(2);
        Directory.Delete(Path.Combine(lab.Config, "pipelines"), recursive: true);
        await RunAsync(lab.Begin());
        (await RecordAsync(lab)).ShouldSatisfyAllConditions(r => r.Revision.ShouldBe(1), r => r.Status.ShouldBe(RunStatus.Completed));
    }

    [Fact]
    public async Task A_window_that_is_not_sealed_is_a_clear_failure_with_a_record()
    {
        using var lab = new Lab();
        (await Should.ThrowAsync<RunFailedException>(() => RunAsync(lab.Begin()))).Message.ShouldContain("window 2026-01-01T10 of stream 'telemetry' is not sealed yet");
        (await RecordAsync(lab)).Error.ShouldNotBeNull().Code.ShouldBe("plan.invalid");
        (await new RunReader(lab.Store).FindAsync(Run, default)).ShouldNotBeNull().Status.ShouldBe(RunState.Failed);
    }

    [Fact]
    public async Task The_api_tells_a_run_from_the_lake_alone()
    {
        using var lab = new Lab();
        await lab.SealAsync();
        var life = lab.Begin();
        var reader = new RunReader(lab.Store);
        (await reader.FindAsync(Run, default)).ShouldBeNull();
        await life.Planning.PlanAsync(Run, Request, default);
        await life.Steps.PlanAsync(Run, new("compact"), default);
        await life.Tasks.RunAsync(Run, new("compact"), new(2), "x");
        var view = (await reader.FindAsync(Run, default)).ShouldNotBeNull();
        view.Status.ShouldBe(RunState.Running);
        view.Steps.Select(s => (s.Status, s.Tasks, s.TasksCommitted, s.Attempts)).ShouldBe([(StepState.Running, 4, 1, 1), (StepState.Waiting, null, 0, 0), (StepState.Waiting, null, 0, 0)]);

        await RunAsync(lab.Begin());
        view = (await reader.FindAsync(Run, default)).ShouldNotBeNull();
        view.Steps.ShouldAllBe(s => s.Status == StepState.Committed && s.Rows != null && s.TasksCommitted == s.Tasks);
        (await reader.ListAsync(10, default)).ShouldHaveSingleItem().Status.ShouldBe(RunState.Completed);
    }

    /// <summary>The real workflow over the real activities' parts.</summary>
    static Task<RunSummary> RunAsync(Life life, RunRequest? request = null, string execution = "execution")
    {
        var context = new ScriptedContext(Run.Value, async (name, input) =>
        {
            T Read<T>() => JsonSerializer.Deserialize<T>(input, Web)!;
            return name switch
            {
                WorkflowNames.Plan => await Answer.Of(() => life.Planning.PlanAsync(Run, Read<PlanTicket>().Request, default), f => new([], f)),
                WorkflowNames.PlanStep => await Answer.Of(() => life.Steps.PlanAsync(Run, Read<StepTicket>().Step, default), f => new(0, false, f)),
                WorkflowNames.RunTask when Read<TaskTicket>() is { } t => await Answer.Of(() => life.Tasks.RunAsync(Run, t.Step, new(t.Task), execution), f => new(f)),
                WorkflowNames.CommitStep when Read<CommitTicket>() is { } t => await Answer.Of(() => life.Steps.CommitAsync(Run, t.Step, t.Tasks, default), f => new(f)),
                WorkflowNames.Publish => await Answer.Of(() => life.Ending.PublishAsync(Run, Read<StepTicket>().Step, default), f => new(null, f)),
                _ => await Answer.Of(() => life.Ending.FinishAsync(Read<Ending>(), default), f => new(f)),
            };
        });
        return context.RunAsync(c => new PipelineWorkflow().RunAsync(c, request ?? Request));
    }

    /// <summary>What a run leaves that somebody reads, without times and attempts: the steps' contents and the record's sums.</summary>
    static async Task<string> ResultAsync(Lab lab)
    {
        var record = await RecordAsync(lab);
        var rows = record.Steps.Select(s => $"{s.Step} {s.Tasks} {s.RowsIn} {s.RowsOut}");
        var table = (await lab.KeysAsync("tables/")).Where(k => !k.Contains("_delta_log", StringComparison.Ordinal)).Count();
        return string.Join('\n', [record.Status.ToString(), .. rows, .. record.Published.Select(p => $"{p.Table} {p.Rows}"), $"{table} data files"]);
    }

    static async Task<RunRecord> RecordAsync(Lab lab) => (await lab.Store.GetJsonAsync(LakeLayout.RunRecord(Run), ContractsJson.Default.RunRecord, default)).ShouldNotBeNull();

    static async Task ReadableAsync(Lab lab)
    {
        foreach (var key in await lab.KeysAsync(LakeLayout.Runs))
        {
            if (!key.EndsWith("/manifest.json", StringComparison.Ordinal)) continue;
            var manifest = (await lab.Store.GetJsonAsync(key, ContractsJson.Default.StepManifest, default)).ShouldNotBeNull();
            foreach (var chunk in manifest.Chunks) (await lab.Store.SizeAsync(chunk.Object.Key, default)).ShouldBe(chunk.Object.Bytes);
        }
    }
}
