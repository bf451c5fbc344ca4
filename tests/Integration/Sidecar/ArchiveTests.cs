using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Integration.Gateway;
using LeanPipe.Sidecar;
using LeanPipe.Sidecar.State;
using LeanPipe.Sidecar.Workflows;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

/// <summary>Finished instances: out of memory, readable, replaceable, and purged when their time is over.</summary>
public sealed class ArchiveTests : IDisposable
{
    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");

    public void Dispose() => _state.Delete(recursive: true);

    [Fact]
    public async Task A_finished_instance_leaves_memory_and_reads_as_before_also_after_restarts()
    {
        GetInstanceHistoryResponse before;
        await using (var sidecar = await SidecarApp.StartAsync(stateDirectory: _state.FullName))
        {
            await RunAsync(sidecar, "a", "b");
            before = await HistoryAsync(sidecar, "a");
            sidecar.Service<StateStore>().Instances.Count.ShouldBe(2);
        }

        await using (var sidecar = await SidecarApp.StartAsync(AtOnce, _state.FullName))
        {
            await RunAsync(sidecar, "c");
            await ArchivedAsync(sidecar);
            sidecar.Service<StateStore>().Instances.ShouldBeEmpty();
            (await HistoryAsync(sidecar, "a")).ShouldBe(before);
        }

        await using (var sidecar = await SidecarApp.StartAsync(AtOnce, _state.FullName))
        {
            sidecar.Service<StateStore>().Instances.ShouldBeEmpty();
            (await HistoryAsync(sidecar, "a")).ShouldBe(before);
            (await sidecar.Hub.GetAsync("b")).WorkflowState.Output.ShouldBe("a(in)");
            (await sidecar.Hub.WaitAsync("c")).WorkflowStatus.ShouldBe(OrchestrationStatus.Completed);
            var all = await sidecar.Hub.CallAsync(TaskHubPaths.ListInstanceIDs, new ListInstanceIDsRequest(), ListInstanceIDsResponse.Parser);
            all.InstanceIds.ShouldBe(["a", "b", "c"]);

            // Nothing happens to what is finished, and nothing is refused.
            await sidecar.Hub.RaiseAsync("a", "late", "1");
            await sidecar.Hub.CallAsync(TaskHubPaths.TerminateInstance, new TerminateRequest { InstanceId = "a" }, TerminateResponse.Parser);
            (await HistoryAsync(sidecar, "a")).ShouldBe(before);
        }
    }

    [Fact]
    public async Task An_archived_instance_can_be_started_again_and_purged()
    {
        await using var sidecar = await SidecarApp.StartAsync(AtOnce, _state.FullName);
        await RunAsync(sidecar, "a");
        await ArchivedAsync(sidecar);
        await RunAsync(sidecar, "a");
        await ArchivedAsync(sidecar);
        (await sidecar.Hub.GetAsync("a")).Exists.ShouldBeTrue();

        var purged = await sidecar.Hub.CallAsync(TaskHubPaths.PurgeInstances, new PurgeInstancesRequest { InstanceId = "a" }, PurgeInstancesResponse.Parser);
        purged.DeletedInstanceCount.ShouldBe(1);
        (await sidecar.Hub.GetAsync("a")).Exists.ShouldBeFalse();
    }

    [Fact]
    public async Task A_purge_takes_archived_children_along()
    {
        await using var sidecar = await SidecarApp.StartAsync(AtOnce, _state.FullName);
        await using (var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn => turn.Started.Name == "child" || turn.Has(e => e.ChildWorkflowInstanceCompleted)
            ? [Complete("done")]
            : [new WorkflowAction { Id = 1, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "child" } }]))
        {
            await sidecar.Hub.StartAsync("parent", "p");
            await sidecar.Hub.WaitAsync("p");
        }

        await ArchivedAsync(sidecar);
        sidecar.Service<StateStore>().Archived.Keys.ShouldBe(["p:0001", "p"], ignoreOrder: true);
        var purged = await sidecar.Hub.CallAsync(
            TaskHubPaths.PurgeInstances, new PurgeInstancesRequest { InstanceId = "p", Recursive = true }, PurgeInstancesResponse.Parser);
        purged.DeletedInstanceCount.ShouldBe(2);
        (await sidecar.Hub.GetAsync("p:0001")).Exists.ShouldBeFalse();
    }

    [Fact]
    public async Task An_archive_of_mostly_purged_instances_is_copied_and_the_rest_still_reads()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => AtOnce(o) with { CompactAtBytes = 1 }, _state.FullName);
        await RunAsync(sidecar, [.. Enumerable.Range(0, 20).Select(i => $"i{i}")]);
        await ArchivedAsync(sidecar);
        for (var i = 1; i < 20; i++)
            await sidecar.Hub.CallAsync(TaskHubPaths.PurgeInstances, new PurgeInstancesRequest { InstanceId = $"i{i}" }, PurgeInstancesResponse.Parser);
        await RunAsync(sidecar, "last");
        await ArchivedAsync(sidecar);

        _state.GetFiles("archive-*").Single().Name.ShouldNotBe("archive-1");
        (await sidecar.Hub.GetAsync("i0")).WorkflowState.Output.ShouldBe("a(in)");
        (await sidecar.Hub.GetAsync("last")).WorkflowState.Output.ShouldBe("a(in)");
    }

    [Fact]
    public async Task A_damaged_archive_is_told_to_who_reads_it_and_stops_nothing_else()
    {
        await using (var sidecar = await SidecarApp.StartAsync(AtOnce, _state.FullName))
        {
            await RunAsync(sidecar, "a");
            await ArchivedAsync(sidecar);
        }

        var file = _state.GetFiles("archive-*").Single().FullName;
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        await using (var sidecar = await SidecarApp.StartAsync(AtOnce, _state.FullName))
        {
            (await Should.ThrowAsync<RpcException>(HistoryAsync(sidecar, "a"))).Detail.ShouldContain("archive-1");
            await RunAsync(sidecar, "b");
        }

        await File.WriteAllBytesAsync(file, bytes[..^1]);
        await Should.ThrowAsync<LeanPipe.Contracts.LeanPipeException>(SidecarApp.StartAsync(AtOnce, _state.FullName));
    }

    [Fact]
    public async Task Damaged_instances_can_be_purged_replaced_and_named_by_others_and_take_no_sidecar_with_them()
    {
        List<long> places;
        await using (var sidecar = await SidecarApp.StartAsync(AtOnce, _state.FullName))
        {
            await using (var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Parent))
            {
                foreach (var id in (string[])["p", "q", "r"])
                {
                    await sidecar.Hub.StartAsync("parent", id);
                    await sidecar.Hub.WaitAsync(id);
                }
            }

            await ArchivedAsync(sidecar);
            var archived = sidecar.Service<StateStore>().Archived;
            places = [.. archived.Where(a => a.Key is not "p").Select(a => a.Value.Entry.Offset + a.Value.Entry.Length - 1)];
            places.Count.ShouldBe(5);
        }

        var file = _state.GetFiles("archive-*").Single().FullName;
        var bytes = await File.ReadAllBytesAsync(file);
        foreach (var at in places)
            bytes[at] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        await using (var sidecar = await SidecarApp.StartAsync(AtOnce, _state.FullName))
        {
            // Its child cannot be read.
            (await PurgeAsync(sidecar, "p")).ShouldBe(2);
            // It cannot be read itself, so nobody knows that it has a child.
            (await PurgeAsync(sidecar, "q")).ShouldBe(1);
            (await sidecar.Hub.GetAsync("q")).Exists.ShouldBeFalse();

            // A new workflow of the same id, whose child has the id of one that cannot be read, too.
            await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Parent);
            await sidecar.Hub.StartAsync("parent", "r");
            (await sidecar.Hub.WaitAsync("r")).WorkflowStatus.ShouldBe(OrchestrationStatus.Completed);
            (await sidecar.Http.GetAsync("/v1.0/healthz")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        }

        static IReadOnlyList<WorkflowAction> Parent(TurnView turn) => turn.Started.Name == "child" || turn.Has(e => e.ChildWorkflowInstanceCompleted)
            ? [Complete("done")]
            : [new WorkflowAction { Id = 1, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "child" } }];

        static async Task<int> PurgeAsync(SidecarApp sidecar, string id) => (await sidecar.Hub.CallAsync(
            TaskHubPaths.PurgeInstances, new PurgeInstancesRequest { InstanceId = id, Recursive = true }, PurgeInstancesResponse.Parser)).DeletedInstanceCount;
    }

    [Fact]
    public async Task Retention_purges_by_status_when_its_time_is_over_also_after_a_restart()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        RetentionOptions retention = new() { Completed = TimeSpan.FromDays(7), Terminated = null };
        await using (var sidecar = await SidecarApp.StartAsync(o => AtOnce(o) with { Retention = retention }, _state.FullName, time))
        {
            await RunAsync(sidecar, "old");
            await sidecar.Hub.StartAsync("nobody", "terminated");
            await sidecar.Hub.CallAsync(TaskHubPaths.TerminateInstance, new TerminateRequest { InstanceId = "terminated" }, TerminateResponse.Parser);
            await ArchivedAsync(sidecar);
            time.Advance(TimeSpan.FromDays(6));
            await RunAsync(sidecar, "young");
            (await sidecar.Hub.GetAsync("old")).Exists.ShouldBeTrue();
            time.Advance(TimeSpan.FromDays(1) + TimeSpan.FromSeconds(1));
            (await sidecar.Hub.GetAsync("old")).Exists.ShouldBeFalse();
            (await sidecar.Hub.GetAsync("young")).Exists.ShouldBeTrue();
            await ArchivedAsync(sidecar);
        }

        await using (var sidecar = await SidecarApp.StartAsync(o => o with { Retention = retention }, _state.FullName, time))
        {
            time.Advance(TimeSpan.FromDays(7));
            (await sidecar.Hub.GetAsync("young")).Exists.ShouldBeFalse();
            (await sidecar.Hub.GetAsync("terminated")).Exists.ShouldBeTrue();
        }
    }

    internal static SidecarOptions AtOnce(SidecarOptions options) => options with { ArchiveAtBytes = 0, Retention = RetentionOptions.Forever };

    static async Task RunAsync(SidecarApp sidecar, params string[] ids)
    {
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn => turn.Results.Count == 0 ? [Task(0, "a", turn.Started.Input)] : [Complete(turn.Results[0])]);
        foreach (var id in ids)
            await sidecar.Hub.StartAsync("w", id, "in");
        foreach (var id in ids)
            (await sidecar.Hub.WaitAsync(id)).Output.ShouldBe("a(in)");
    }

    // A pass may have begun before the last end; the one after it takes everything.
    internal static async Task ArchivedAsync(SidecarApp sidecar)
    {
        var engine = sidecar.Service<WorkflowEngine>();
        while (sidecar.Service<StateStore>().FinishedBytes > 0)
        {
            await engine.WhenArchivedAsync();
            await engine.ChangeAsync(_ => 0);
        }

        await engine.WhenArchivedAsync();
    }

    static Task<GetInstanceHistoryResponse> HistoryAsync(SidecarApp sidecar, string id) =>
        sidecar.Hub.CallAsync(TaskHubPaths.GetInstanceHistory, new GetInstanceHistoryRequest { InstanceId = id }, GetInstanceHistoryResponse.Parser);
}
