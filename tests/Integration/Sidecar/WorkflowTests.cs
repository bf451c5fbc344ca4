using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

public sealed class WorkflowTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_chain_of_activities_completes_with_and_without_tokens(bool echoesTokens)
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(
            sidecar.Hub, t => t.Results.Count < 3 ? [Task(t.Results.Count, "a", t.Started.Input)] : [Complete(string.Join(',', t.Results))], echoesTokens: echoesTokens);
        await sidecar.Hub.StartAsync("chain", "c1", "7");

        var state = await sidecar.Hub.WaitAsync("c1");
        state.WorkflowStatus.ShouldBe(OrchestrationStatus.Completed);
        state.Output.ShouldBe("a(7),a(7),a(7)");
        state.Name.ShouldBe("chain");
    }

    [Fact]
    public async Task A_fan_out_of_500_comes_back_whole()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Decide);
        await using var second = await ScriptedWorker.ConnectAsync(sidecar.Hub, Decide);
        await sidecar.Hub.StartAsync("fan", "f1");

        (await sidecar.Hub.WaitAsync("f1")).Output.ShouldBe("500");

        static IEnumerable<WorkflowAction> Decide(TurnView turn) => turn.Request.PastEvents.Count == 0
            ? Enumerable.Range(0, 500).Select(i => Task(i, "a", i.ToString()))
            : turn.Results.Count == 500 ? [Complete(turn.Results.Distinct().Count().ToString())] : [];
    }

    [Fact]
    public async Task A_failed_activity_reaches_the_workflow_with_its_details()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(
            sidecar.Hub,
            t => t.Has(e => e.TaskFailed) ? [Complete(t.Events.First(e => e.TaskFailed is not null).TaskFailed.FailureDetails.ErrorMessage)] : [Task(0, "a")],
            _ => throw new InvalidOperationException("boom"));
        await sidecar.Hub.StartAsync("failing", "x1");
        (await sidecar.Hub.WaitAsync("x1")).Output.ShouldBe("boom");
    }

    [Fact]
    public async Task A_timer_fires_after_its_time()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn => turn.Has(e => e.TimerFired)
            ? [Complete((turn.Request.NewEvents[^1].Timestamp >= turn.Events.First(e => e.TimerCreated is not null).TimerCreated.FireAt).ToString())]
            : [new WorkflowAction { Id = 0, CreateTimer = new CreateTimerAction { FireAt = DateTime.UtcNow.AddMilliseconds(50).ToTimestamp() } }]);
        await sidecar.Hub.StartAsync("timer", "t1");
        (await sidecar.Hub.WaitAsync("t1")).Output.ShouldBe("True");
    }

    [Fact]
    public async Task A_child_returns_its_result_to_its_parent()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn => turn.Started.Name == "child"
            ? [Complete($"child of {turn.Started.ParentInstance.WorkflowInstance.InstanceId} as {turn.Request.InstanceId}")]
            : turn.Events.FirstOrDefault(e => e.ChildWorkflowInstanceCompleted is not null) is { } done
                ? [Complete(done.ChildWorkflowInstanceCompleted.Result)]
                : [new WorkflowAction { Id = 3, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "child" } }]);
        await sidecar.Hub.StartAsync("parent", "p1");
        (await sidecar.Hub.WaitAsync("p1")).Output.ShouldBe("child of p1 as p1:0003");
    }

    [Fact]
    public async Task Continue_as_new_runs_again_with_new_input_and_carried_events()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn => int.Parse(turn.Started.Input) is var n && n < 50
            ? [new WorkflowAction
            {
                CompleteWorkflow = new CompleteWorkflowAction
                {
                    WorkflowStatus = OrchestrationStatus.ContinuedAsNew,
                    Result = (n + 1).ToString(),
                    CarryoverEvents = { new HistoryEvent { EventId = -1, Timestamp = new Timestamp { Seconds = n }, EventRaised = new EventRaisedEvent { Name = "e", Input = n.ToString() } } },
                },
            }]
            : [Complete($"{n}, carried {turn.Raised.Single()}, {turn.Events.Count} events")]);
        await sidecar.Hub.StartAsync("again", "n1", "0");
        (await sidecar.Hub.WaitAsync("n1")).Output.ShouldBe("50, carried 49, 3 events");
    }

    [Fact]
    public async Task A_suspended_instance_gets_no_turn_until_it_is_resumed()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => t.Raised.Count > 0 ? [Complete(t.Raised[0])] : []);
        await sidecar.Hub.StartAsync("waiter", "w1");
        await worker.NextAsync(i => i.WorkflowRequest);
        await sidecar.Hub.CallAsync(TaskHubPaths.SuspendInstance, new SuspendRequest { InstanceId = "w1" }, SuspendResponse.Parser);
        (await sidecar.Hub.GetAsync("w1")).WorkflowState.WorkflowStatus.ShouldBe(OrchestrationStatus.Suspended);

        await sidecar.Hub.RaiseAsync("w1", "go", "1");
        (await sidecar.Hub.GetAsync("w1")).WorkflowState.WorkflowStatus.ShouldBe(OrchestrationStatus.Suspended);
        worker.Seen.TryRead(out _).ShouldBeFalse();

        await sidecar.Hub.CallAsync(TaskHubPaths.ResumeInstance, new ResumeRequest { InstanceId = "w1" }, ResumeResponse.Parser);
        (await sidecar.Hub.WaitAsync("w1")).Output.ShouldBe("1");
    }

    [Fact]
    public async Task Terminate_ends_a_hanging_parent_and_its_children()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn => turn.Started.Name == "child"
            ? null
            : [new WorkflowAction { Id = 0, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "child", InstanceId = "kid" } }]);
        await sidecar.Hub.StartAsync("parent", "p1");
        await worker.NextAsync(i => i.WorkflowRequest?.InstanceId == "kid" ? i : null);

        await sidecar.Hub.CallAsync(TaskHubPaths.TerminateInstance, new TerminateRequest { InstanceId = "p1", Output = "\"enough\"", Recursive = true }, TerminateResponse.Parser);
        foreach (var id in new[] { "p1", "kid" })
        {
            var state = (await sidecar.Hub.GetAsync(id)).WorkflowState;
            state.WorkflowStatus.ShouldBe(OrchestrationStatus.Terminated);
            state.Output.ShouldBe("\"enough\"");
        }
    }

    [Fact]
    public async Task What_a_lost_worker_held_is_offered_to_the_next_one()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await sidecar.Hub.StartAsync("chain", "c1");
        await using (var first = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => null))
            await first.NextAsync(i => i.WorkflowRequest);

        await using (var second = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => [Task(5, "a")], _ => null))
            (await second.NextAsync(i => i.ActivityRequest)).TaskId.ShouldBe(5);

        await using var third = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => [Complete(t.Results[0])]);
        (await sidecar.Hub.WaitAsync("c1")).Output.ShouldBe("a()");
    }

    [Fact]
    public async Task An_answer_with_a_strange_token_is_taken_and_ignored()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => null);
        await sidecar.Hub.StartAsync("w", "w1");
        var item = await worker.NextAsync(i => i.WorkflowRequest is null ? null : i);
        await CompleteAsync("other");
        (await sidecar.Hub.GetAsync("w1")).WorkflowState.WorkflowStatus.ShouldBe(OrchestrationStatus.Pending);
        await CompleteAsync(item.CompletionToken);
        (await sidecar.Hub.GetAsync("w1")).WorkflowState.WorkflowStatus.ShouldBe(OrchestrationStatus.Completed);

        Task<CompleteTaskResponse> CompleteAsync(string token) => sidecar.Hub.CallAsync(
            TaskHubPaths.CompleteWorkflowTask, new WorkflowResponse { InstanceId = "w1", Actions = { Complete("1") }, CompletionToken = token }, CompleteTaskResponse.Parser);
    }

    [Fact]
    public async Task A_history_close_to_the_message_limit_stalls_only_its_own_instance()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { MaxMessageBytes = 64 * 1024 });
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => t.Raised.Count == 2 ? [Complete("1")] : []);
        await sidecar.Hub.StartAsync("big", "b1", new string('x', 40_000));
        await sidecar.Hub.StartAsync("small", "s1");
        await worker.NextAsync(i => i.WorkflowRequest?.InstanceId == "b1" ? i : null);
        await sidecar.Hub.RaiseAsync("b1", "e", new string('y', 40_000));
        await sidecar.Hub.RaiseAsync("s1", "e", "1");
        await sidecar.Hub.RaiseAsync("s1", "e", "2");

        (await sidecar.Hub.WaitAsync("s1")).Output.ShouldBe("1");
        (await sidecar.Hub.GetAsync("b1")).WorkflowState.WorkflowStatus.ShouldBe(OrchestrationStatus.Stalled);
    }
}
