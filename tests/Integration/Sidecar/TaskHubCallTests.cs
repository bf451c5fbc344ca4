using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

/// <summary>The client calls of the workflow service, answered as daprd 1.18.3 answers them.</summary>
public sealed class TaskHubCallTests
{
    [Fact]
    public async Task An_unknown_instance_does_not_exist_and_cannot_be_changed()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        var hub = sidecar.Hub;
        (await hub.GetAsync("nope")).Exists.ShouldBeFalse();
        await RefusedAsync(hub.RaiseAsync("nope", "x", null), GrpcStatusCode.Unknown, "no such instance exists");
        await RefusedAsync(hub.CallAsync(TaskHubPaths.TerminateInstance, new TerminateRequest { InstanceId = "nope" }, TerminateResponse.Parser), GrpcStatusCode.Unknown, "failed to submit termination request: no such instance exists");
        await RefusedAsync(hub.CallAsync(TaskHubPaths.SuspendInstance, new SuspendRequest { InstanceId = "nope" }, SuspendResponse.Parser), GrpcStatusCode.Unknown, "no such instance exists");
        await RefusedAsync(PurgeAsync(hub, "nope"), GrpcStatusCode.Unknown, "failed to purge workflow state: no such instance exists");
        await RefusedAsync(hub.CallAsync(TaskHubPaths.GetInstanceHistory, new GetInstanceHistoryRequest { InstanceId = "nope" }, GetInstanceHistoryResponse.Parser), GrpcStatusCode.NotFound, "workflow instance 'nope' not found");
        await hub.CallAsync(TaskHubPaths.CompleteActivityTask, new ActivityResponse { InstanceId = "nope", TaskId = 7, Result = "1" }, CompleteTaskResponse.Parser);
        await hub.CallAsync(TaskHubPaths.CompleteWorkflowTask, new WorkflowResponse { InstanceId = "nope" }, CompleteTaskResponse.Parser);
    }

    [Fact]
    public async Task A_path_that_is_not_served_is_unimplemented()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        var call = sidecar.Hub.CallAsync(TaskHubPaths.Service + "QueryInstances", new GetInstanceRequest(), GetInstanceResponse.Parser);
        (await Should.ThrowAsync<RpcException>(call)).Code.ShouldBe(GrpcStatusCode.Unimplemented);
    }

    [Fact]
    public async Task An_active_id_is_refused_and_a_finished_one_replaced()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await sidecar.Hub.StartAsync("echo", "e1", "1");
        await RefusedAsync(sidecar.Hub.StartAsync("echo", "e1", "2"), GrpcStatusCode.AlreadyExists, "an active workflow with ID 'e1' already exists");
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => [Complete(t.Started.Input)]);
        (await sidecar.Hub.WaitAsync("e1")).Output.ShouldBe("1");
        await sidecar.Hub.StartAsync("echo", "e1", "3");
        (await sidecar.Hub.WaitAsync("e1")).Output.ShouldBe("3");
        (await sidecar.Hub.CallAsync(TaskHubPaths.GetInstanceHistory, new GetInstanceHistoryRequest { InstanceId = "e1" }, GetInstanceHistoryResponse.Parser)).Events.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_running_instance_is_not_purged_unless_forced_and_its_children_go_with_it()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => t.Started.Name switch
        {
            "kid" => [Complete("1")],
            "parent" when t.Has(e => e.ChildWorkflowInstanceCompleted) => [Complete("1")],
            "parent" => [new WorkflowAction { CreateChildWorkflow = new CreateChildWorkflowAction { Name = "kid", InstanceId = "k1" } }],
            _ => [],
        });
        await sidecar.Hub.StartAsync("waits", "w1");
        await RefusedAsync(PurgeAsync(sidecar.Hub, "w1"), GrpcStatusCode.Unknown, "failed to purge workflow state: orchestration has not yet completed");
        (await PurgeAsync(sidecar.Hub, "w1", force: true)).DeletedInstanceCount.ShouldBe(1);
        await sidecar.Hub.StartAsync("parent", "p1");
        await sidecar.Hub.WaitAsync("p1");
        (await PurgeAsync(sidecar.Hub, "p1")).DeletedInstanceCount.ShouldBe(2);
        (await sidecar.Hub.GetAsync("k1")).Exists.ShouldBeFalse();
    }

    [Fact]
    public async Task Ids_are_listed_in_pages()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        for (var i = 0; i < 5; i++)
            await sidecar.Hub.StartAsync("w", $"w{i}");
        var pages = new List<string>();
        var request = new ListInstanceIDsRequest { PageSize = 2 };
        ListInstanceIDsResponse page;
        do
        {
            page = await sidecar.Hub.CallAsync(TaskHubPaths.ListInstanceIDs, request, ListInstanceIDsResponse.Parser);
            pages.Add(string.Join(' ', page.InstanceIds));
            request.ContinuationToken = page.ContinuationToken;
        }
        while (page.HasContinuationToken);
        pages.ShouldBe(["w0 w1", "w2 w3", "w4"]);
    }

    [Fact]
    public async Task A_scheduled_start_is_pending_until_its_time()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => [Complete((t.Request.NewEvents[0].Timestamp >= t.Started.ScheduledStartTimestamp).ToString())]);
        await sidecar.Hub.CallAsync(
            TaskHubPaths.StartInstance,
            new CreateInstanceRequest { InstanceId = "s1", Name = "w", ScheduledStartTimestamp = DateTime.UtcNow.AddMilliseconds(300).ToTimestamp() },
            CreateInstanceResponse.Parser);
        (await sidecar.Hub.WaitAsync("s1")).Output.ShouldBe("True");
    }

    [Fact]
    public async Task Waiting_for_an_unknown_instance_ends_when_it_appears_and_runs()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        var waiting = sidecar.Hub.CallAsync(TaskHubPaths.WaitForInstanceStart, new GetInstanceRequest { InstanceId = "w1" }, GetInstanceResponse.Parser);
        await sidecar.Hub.StartAsync("w", "w1");
        waiting.IsCompleted.ShouldBeFalse();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => []);
        (await waiting).WorkflowState.WorkflowStatus.ShouldBe(OrchestrationStatus.Running);
    }

    [Fact]
    public async Task Without_payloads_an_instance_shows_none()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => [Complete("1")]);
        await sidecar.Hub.StartAsync("w", "w1", "in");
        await sidecar.Hub.WaitAsync("w1");
        var state = (await sidecar.Hub.CallAsync(TaskHubPaths.GetInstance, new GetInstanceRequest { InstanceId = "w1" }, GetInstanceResponse.Parser)).WorkflowState;
        (state.Input, state.Output, state.Name).ShouldBe((null, null, "w"));
    }

    [Fact]
    public async Task A_message_above_the_limit_is_refused_by_number()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { MaxMessageBytes = 64 * 1024 });
        var call = sidecar.Hub.StartAsync("w", "w1", new string('x', 70_000));
        (await Should.ThrowAsync<RpcException>(call)).Code.ShouldBe(GrpcStatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task A_start_of_a_child_whose_id_is_active_fails_in_the_parent()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => t.Started.Name != "parent" ? []
            : t.Events.FirstOrDefault(e => e.ChildWorkflowInstanceFailed is not null) is { } failed ? [Complete(failed.ChildWorkflowInstanceFailed.FailureDetails.ErrorType)]
            : [new WorkflowAction { CreateChildWorkflow = new CreateChildWorkflowAction { Name = "kid", InstanceId = "busy" } }]);
        await sidecar.Hub.StartAsync("waits", "busy");
        await sidecar.Hub.StartAsync("parent", "p1");
        (await sidecar.Hub.WaitAsync("p1")).Output.ShouldBe("WorkflowAlreadyExists");
        (await sidecar.Hub.GetAsync("busy")).WorkflowState.WorkflowStatus.ShouldNotBe(OrchestrationStatus.Completed);
    }

    [Fact]
    public async Task Rest_is_not_served_on_the_grpc_port_nor_grpc_on_the_rest_port()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        using var http = new HttpClient();
        var onGrpc = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{sidecar.Endpoints.GrpcPort}/v1.0/healthz") { Version = new Version(2, 0), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        (await http.SendAsync(onGrpc)).StatusCode.ShouldBe(System.Net.HttpStatusCode.UnsupportedMediaType);
        (await http.PostAsync($"http://127.0.0.1:{sidecar.Endpoints.HttpPort}{TaskHubPaths.Hello}", null)).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);
    }

    static Task<PurgeInstancesResponse> PurgeAsync(TaskHubClient hub, string id, bool force = false)
    {
        var request = new PurgeInstancesRequest { InstanceId = id, Recursive = true };
        if (force)
            request.Force = true;
        return hub.CallAsync(TaskHubPaths.PurgeInstances, request, PurgeInstancesResponse.Parser);
    }

    static async Task RefusedAsync(Task call, GrpcStatusCode code, string message)
    {
        var e = await Should.ThrowAsync<RpcException>(call);
        (e.Code, e.Detail).ShouldBe((code, message));
    }
}
