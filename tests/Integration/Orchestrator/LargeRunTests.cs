using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using LeanPipe.Integration.Sidecar;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Integration.Orchestrator;

public sealed class LargeRunTests
{
    const int Tasks = 1000;

    [Fact]
    public async Task The_histories_of_a_run_of_a_thousand_tasks_stay_far_below_the_limit()
    {
        await using var lab = await OrchestratorLab.StartAsync(store => new InstantLauncher(store), """
            pipeline: p
            steps:
              one:
                inputs: { raw: { stream: telemetry } }
                fan_out: { bytes: 1B }
                sql: one.sql
              two:
                inputs: { parts: one }
                sql: one.sql
            """, ("one.sql", "SELECT 1 AS n"));
        await lab.SealAsync("2026-01-01", 1, [.. Enumerable.Repeat<IReadOnlyList<(string, double)>>([("a", 1)], Tasks)]);

        var state = await lab.RunAsync("large", new { pipeline = "p", window = "2026-01-01" });
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        (await lab.Store.GetJsonAsync(LakeLayout.StepManifest(new("large"), new("one")), ContractsJson.Default.StepManifest, default)).ShouldNotBeNull().RowsOut.ShouldBe(Tasks);

        using var hub = new TaskHubClient(lab.GrpcPort);
        var instances = (await hub.CallAsync(TaskHubPaths.ListInstanceIDs, new ListInstanceIDsRequest(), ListInstanceIDsResponse.Parser)).InstanceIds;
        instances.Count.ShouldBe(1 + Tasks / 100);
        foreach (var instance in instances)
        {
            var history = await hub.CallAsync(TaskHubPaths.GetInstanceHistory, new GetInstanceHistoryRequest { InstanceId = instance }, GetInstanceHistoryResponse.Parser);
            TestContext.Current.TestOutputHelper?.WriteLine($"{instance}: {history.Events.Count} events, {history.CalculateSize()} bytes");
            history.CalculateSize().ShouldBeLessThan(128 * 1024);
        }
    }

    /// <summary>Writes the outcome of a task without running it.</summary>
    sealed class InstantLauncher(IObjectStore store) : ILauncher
    {
        public async Task<LaunchEnd> RunAsync(TaskAttempt a)
        {
            var outcome = new TaskOutcome
            {
                Run = a.Run, Step = a.Step, Task = a.Task, Attempt = a.Attempt, RowsIn = 1, RowsOut = 1, Columns = [new("n", "INTEGER")], Timings = new(), Engine = "none",
                StartedAt = DateTimeOffset.UnixEpoch,
            };
            await store.PutJsonAsync(LakeLayout.Outcome(a.Run, a.Step, a.Task, a.Attempt), outcome, ContractsJson.Default.TaskOutcome, default);
            return new(0, false, "");
        }

        public Task<LaunchEnd?> AttachAsync(TaskAttempt attempt) => Task.FromResult<LaunchEnd?>(null);
    }
}
