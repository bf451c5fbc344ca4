using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Integration.Housekeeping;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>Runs whose instances somebody ends at the sidecar, by Dapr's own HTTP API.</summary>
public sealed class TerminatedRunTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_that_was_terminated_or_purged_has_ended_for_the_api_for_housekeeping_and_for_a_retry()
    {
        var hold = true;
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var lab = await OrchestratorLab.StartAsync(store => new HeldLauncher(store, () => hold, killed), """
            pipeline: p
            steps:
              one: { inputs: { raw: { stream: telemetry } }, sql: one.sql, cache: false }
            """, ("one.sql", "SELECT 1 AS n"));
        await lab.SealAsync("2026-01-01", 1, [("a", 1)]);
        foreach (var run in (string[])["ended", "purged"])
        {
            (await lab.StartAsync(run, new { pipeline = "p", window = "2026-01-01" })).EnsureSuccessStatusCode();
            await lab.WaitForAsync(e => e is StepStarted started && started.Run.Value == run);
        }
        await lab.UntilAsync(async () => await lab.Store.SizeAsync(LakeLayout.AttemptStarted(new("ended"), new("one"), new(0), 1), Token) is not null);
        foreach (var run in (string[])["ended", "purged"]) (await lab.Dapr.PostAsync($"/v1.0/workflows/dapr/{run}/terminate", null, Token)).EnsureSuccessStatusCode();
        await lab.UntilAsync(async () => (await lab.Dapr.GetFromJsonAsync<JsonElement>("/v1.0/workflows/dapr/purged")).GetProperty("runtimeStatus").GetString() == "TERMINATED");
        (await lab.Dapr.PostAsync("/v1.0/workflows/dapr/purged/purge", null, Token)).EnsureSuccessStatusCode();
        (await lab.Dapr.GetAsync("/v1.0/workflows/dapr/purged", Token)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        // Housekeeping looks before it decides; so does the orchestrator by itself once a minute.
        (await lab.Api!.PostAsync(HousekeepingSchedule.Path, null, Token)).EnsureSuccessStatusCode();
        foreach (var run in (string[])["ended", "purged"])
        {
            await lab.UntilAsync(async () => (await lab.ViewAsync(run)).GetProperty("status").GetString() == "cancelled");
            (await lab.ViewAsync(run)).GetProperty("record").GetProperty("error").GetProperty("code").GetString().ShouldBe("run.terminated");
        }
        await killed.Task.WaitAsync(TimeSpan.FromMinutes(2), Token);

        var later = await HousekeepingPass.RunAsync(
            lab.Store, new() { Runs = TimeSpan.FromDays(14) }, [], null, new() { DryRun = true }, new SetTime(TimeProvider.System.GetUtcNow().AddDays(15)), Token);
        later.Removals.Where(r => r.Rule == "run").Select(r => r.Key.Split('/')[1]).Distinct().Order().ShouldBe(["ended", "purged"]);

        hold = false;
        (await lab.RunAsync("ended", new { pipeline = "p", window = "2026-01-01" })).RuntimeStatus.ShouldBe(Dapr.Workflow.WorkflowRuntimeStatus.Completed);
        (await lab.ViewAsync("ended")).GetProperty("status").GetString().ShouldBe("completed");
    }

    /// <summary>Tasks that end when they are killed, while the test holds them; else at once.</summary>
    sealed class HeldLauncher(IObjectStore store, Func<bool> holds, TaskCompletionSource killed) : ILauncher
    {
        public async Task<LaunchEnd> RunAsync(TaskAttempt attempt, Action<string> output, CancellationToken cancel)
        {
            if (holds())
            {
                var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var registered = cancel.Register(end.SetResult);
                await end.Task;
                killed.TrySetResult();
                return new(137, false, "");
            }
            var outcome = new TaskOutcome
            {
                Run = attempt.Run,
                Step = attempt.Step,
                Task = attempt.Task,
                Attempt = attempt.Attempt,
                Columns = [new("n", "INTEGER")],
                Timings = new(),
                Engine = "none",
                StartedAt = DateTimeOffset.UnixEpoch,
            };
            await store.PutJsonAsync(LakeLayout.Outcome(attempt.Run, attempt.Step, attempt.Task, attempt.Attempt), outcome, ContractsJson.Default.TaskOutcome, default);
            return new(0, false, "");
        }

        public Task<LaunchEnd?> AttachAsync(TaskAttempt attempt) => Task.FromResult<LaunchEnd?>(null);
    }
}
