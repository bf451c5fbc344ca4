using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using LeanPipe.Integration.Sidecar;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Integration.Orchestrator;

public sealed class LargeRunTests
{
    /// <remarks>One task at a time makes the longest history of a part: a turn for each.</remarks>
    [Theory]
    [InlineData(10_000, 40)]
    [InlineData(200, 1)]
    public async Task The_histories_of_a_run_of_ten_thousand_tasks_stay_far_below_the_limit(int tasks, int atOnce)
    {
        await using var lab = await OrchestratorLab.StartAsync(store => new InstantLauncher(store), atOnce, """
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
        // Segments that nobody reads: what is measured is what the sidecar keeps.
        await lab.SealAsync("2026-01-01", 1);
        var window = LakeLayout.WindowManifest(OrchestratorLab.Telemetry, WindowId.Parse("2026-01-01"), 1);
        var manifest = (await lab.Store.GetJsonAsync(window, ContractsJson.Default.WindowManifest, default)).ShouldNotBeNull();
        await lab.Store.PutJsonAsync(
            window, manifest with { Segments = [.. Enumerable.Range(0, tasks).Select(n => new ObjectRef($"raw/telemetry/date=2026-01-01/{n:D5}.ndjson", 30, 1, new('0', 64)))] }, ContractsJson.Default.WindowManifest, default);

        var state = await lab.RunAsync("large", new { pipeline = "p", window = "2026-01-01" });
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        (await lab.Store.GetJsonAsync(LakeLayout.StepManifest(new("large"), new("one")), ContractsJson.Default.StepManifest, default)).ShouldNotBeNull().RowsOut.ShouldBe(tasks);

        using var hub = new TaskHubClient(lab.GrpcPort);
        var instances = (await hub.CallAsync(TaskHubPaths.ListInstanceIDs, new ListInstanceIDsRequest(), ListInstanceIDsResponse.Parser)).InstanceIds;
        instances.Count.ShouldBe(1 + tasks / 100);
        foreach (var instance in instances)
        {
            var history = await hub.CallAsync(TaskHubPaths.GetInstanceHistory, new GetInstanceHistoryRequest { InstanceId = instance }, GetInstanceHistoryResponse.Parser);
            // Of each task that it was asked for and that it ended.
            if (instance != "large") history.Events.Count.ShouldBeGreaterThan(200);
            history.CalculateSize().ShouldBeLessThan(128 * 1024, $"{instance} has {history.Events.Count} events");
        }
    }

    [Fact]
    public async Task A_large_run_whose_tasks_take_for_ever_does_not_keep_another_from_being_planned()
    {
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var launched = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var lab = await OrchestratorLab.StartAsync(store => new InstantLauncher(store, () =>
        {
            launched.TrySetResult();
            return hold.Task;
        }), """
            pipeline: p
            steps:
              one:
                inputs: { raw: { stream: telemetry } }
                fan_out: { bytes: 1B }
                sql: one.sql
            """, ("one.sql", "SELECT 1 AS n"));
        await lab.SealAsync("2026-01-01", 1, [.. Enumerable.Repeat<IReadOnlyList<(string, double)>>([("a", 1)], 250)]);
        (await lab.StartAsync("large", new { pipeline = "p", window = "2026-01-01" })).EnsureSuccessStatusCode();
        await launched.Task;

        await lab.SealAsync("2026-01-02", 1, [("a", 1)]);
        (await lab.StartAsync("small", new { pipeline = "p", window = "2026-01-02" })).EnsureSuccessStatusCode();
        await lab.WaitForAsync(e => e is StepStarted { Run.Value: "small" });

        hold.SetResult();
        (await lab.Workflows.WaitForWorkflowCompletionAsync("large")).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
        (await lab.Workflows.WaitForWorkflowCompletionAsync("small")).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
    }

    [Fact]
    public async Task A_fan_out_of_more_than_a_hundred_real_processes_ends_with_every_row_once()
    {
        await using var lab = await OrchestratorLab.StartAsync("""
            pipeline: p
            steps:
              one:
                inputs: { raw: { stream: telemetry } }
                fan_out: { bytes: 1B }
                sql: one.sql
              two:
                inputs: { parts: one }
                sql: two.sql
                publish: { table: totals }
            """, ("one.sql", "SELECT value FROM raw"), ("two.sql", "SELECT count(*) AS n, count(DISTINCT value) AS different, sum(value) AS total FROM parts"));
        await lab.SealAsync("2026-01-01", 1, [.. Enumerable.Range(0, 120).Select(n => (IReadOnlyList<(string, double)>)[("a", n)])]);

        var state = await lab.RunAsync("many", new { pipeline = "p", window = "2026-01-01" });

        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
        (await lab.RowsAsync("totals", "SELECT n, different, total")).ShouldBe(["120 120 7140"]);
    }

    /// <summary>Writes the outcome of a task without running it, once it may.</summary>
    sealed class InstantLauncher(IObjectStore store, Func<Task>? hold = null) : ILauncher
    {
        public async Task<LaunchEnd> RunAsync(TaskAttempt a, Action<string> output, CancellationToken cancel)
        {
            if (hold is not null) await hold();
            var outcome = new TaskOutcome
            {
                Run = a.Run,
                Step = a.Step,
                Task = a.Task,
                Attempt = a.Attempt,
                RowsIn = 1,
                RowsOut = 1,
                Columns = [new("n", "INTEGER")],
                Timings = new(),
                Engine = "none",
                StartedAt = DateTimeOffset.UnixEpoch,
            };
            await store.PutJsonAsync(LakeLayout.Outcome(a.Run, a.Step, a.Task, a.Attempt), outcome, ContractsJson.Default.TaskOutcome, default);
            return new(0, false, "");
        }

        public Task<LaunchEnd?> AttachAsync(TaskAttempt attempt) => Task.FromResult<LaunchEnd?>(null);
    }
}
