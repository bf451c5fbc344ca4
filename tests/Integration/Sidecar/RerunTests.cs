using LeanPipe.DaprWire;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

public sealed class RerunTests
{
    [Fact]
    public async Task A_rerun_keeps_earlier_results_and_does_the_activity_again_with_another_input()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        var runs = new List<string>();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Chain, activity =>
        {
            runs.Add(activity.Input);
            return $"{activity.Name}({activity.Input})";
        });
        await sidecar.Hub.StartAsync("chain", "c1", "7");
        (await sidecar.Hub.WaitAsync("c1")).Output.ShouldBe("a(0),a(1),a(2)");
        runs.Clear();

        var id = await RerunAsync(sidecar, new() { SourceInstanceID = "c1", EventID = 1, NewInstanceID = "c2", OverwriteInput = true, Input = "other" });
        id.ShouldBe("c2");
        (await sidecar.Hub.WaitAsync("c2")).Output.ShouldBe("a(0),a(other),a(2)");
        runs.ShouldBe(["other", "2"]);
        var history = await sidecar.Hub.CallAsync(TaskHubPaths.GetInstanceHistory, new GetInstanceHistoryRequest { InstanceId = "c2" }, GetInstanceHistoryResponse.Parser);
        history.Events.Single(e => e.TaskScheduled is not null && e.EventId == 1).TaskScheduled.RerunParentInstanceInfo.InstanceID.ShouldBe("c1");
        history.Events.Single(e => e.ExecutionStarted is not null).ExecutionStarted.WorkflowInstance.InstanceId.ShouldBe("c2");
        (await sidecar.Hub.WaitAsync("c1")).Output.ShouldBe("a(0),a(1),a(2)");
    }

    [Fact]
    public async Task A_rerun_without_an_id_gets_one_and_starts_children_under_ids_of_its_own()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn => turn.Started.Name == "child"
            ? [Complete(turn.Request.InstanceId + turn.Started.Input)]
            : turn.Events.FirstOrDefault(e => e.ChildWorkflowInstanceCompleted is not null) is { } done
                ? [Complete(done.ChildWorkflowInstanceCompleted.Result)]
                : [new WorkflowAction { Id = 3, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "child", InstanceId = "named", Input = "!" } }]);
        await sidecar.Hub.StartAsync("parent", "p1");
        (await sidecar.Hub.WaitAsync("p1")).Output.ShouldBe("named!");

        var id = await RerunAsync(sidecar, new() { SourceInstanceID = "p1", EventID = 3 });
        Guid.TryParse(id, out _).ShouldBeTrue();
        (await sidecar.Hub.WaitAsync(id)).Output.ShouldBe($"{id}:0003!");
        await RerunAsync(sidecar, new() { SourceInstanceID = "p1", EventID = 3, NewInstanceID = "p2", NewChildWorkflowInstanceID = "other" });
        (await sidecar.Hub.WaitAsync("p2")).Output.ShouldBe("other!");

        (await RefusedAsync(sidecar, new() { SourceInstanceID = "named", EventID = 0 })).ShouldBe((GrpcStatusCode.InvalidArgument, "'named': cannot rerun from child-workflows"));
    }

    [Fact]
    public async Task Refusals_have_the_codes_and_words_of_daprd()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => t.Started.Name == "chain" ? Chain(t) : []);
        await sidecar.Hub.StartAsync("chain", "done");
        await sidecar.Hub.StartAsync("waiting", "running");
        await sidecar.Hub.WaitAsync("done");

        (await RefusedAsync(sidecar, new())).ShouldBe((GrpcStatusCode.InvalidArgument, "rerun workflow source instance ID is required"));
        (await RefusedAsync(sidecar, new() { SourceInstanceID = "done", NewInstanceID = "done" })).ShouldBe((GrpcStatusCode.InvalidArgument, "rerun workflow instance ID must be different from the original instance ID"));
        (await RefusedAsync(sidecar, new() { SourceInstanceID = "nope" })).ShouldBe((GrpcStatusCode.NotFound, "workflow instance does not exist with ID 'nope'"));
        (await RefusedAsync(sidecar, new() { SourceInstanceID = "running" })).ShouldBe((GrpcStatusCode.InvalidArgument, "'running' is not in a terminal state"));
        (await RefusedAsync(sidecar, new() { SourceInstanceID = "done", EventID = 9 })).ShouldBe((GrpcStatusCode.NotFound, "does not have history event with ID '9'"));
        (await RefusedAsync(sidecar, new() { SourceInstanceID = "done", EventID = 5 })).Item1.ShouldBe(GrpcStatusCode.NotFound);
        (await RefusedAsync(sidecar, new() { SourceInstanceID = "done", EventID = 0, NewInstanceID = "running" })).ShouldBe((GrpcStatusCode.AlreadyExists, "workflow 'running' has already been created"));
        (await RefusedAsync(sidecar, new() { SourceInstanceID = "done", EventID = 0, NewChildWorkflowInstanceID = "x" })).Item1.ShouldBe(GrpcStatusCode.InvalidArgument);
    }

    static IEnumerable<WorkflowAction> Chain(TurnView turn) =>
        turn.Results.Count < 3 ? [Task(turn.Results.Count, "a", turn.Results.Count.ToString())] : [Complete(string.Join(',', turn.Results), id: 5)];

    static async Task<string> RerunAsync(SidecarApp sidecar, RerunWorkflowFromEventRequest request) =>
        (await sidecar.Hub.CallAsync(TaskHubPaths.RerunWorkflowFromEvent, request, RerunWorkflowFromEventResponse.Parser)).NewInstanceID;

    static async Task<(GrpcStatusCode, string)> RefusedAsync(SidecarApp sidecar, RerunWorkflowFromEventRequest request)
    {
        var refusal = await Should.ThrowAsync<RpcException>(RerunAsync(sidecar, request));
        return (refusal.Code, refusal.Detail);
    }
}
