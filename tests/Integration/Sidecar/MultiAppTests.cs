using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using LeanPipe.Integration.DaprStandIns;
using LeanPipe.Sidecar;

namespace LeanPipe.Integration.Sidecar;

/// <summary>Two apps on one sidecar: our packages as worker and client of each.</summary>
public sealed class MultiAppTests : IDisposable
{
    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");

    public void Dispose() => _state.Delete(recursive: true);

    [Fact]
    public async Task Activities_and_children_run_in_the_app_that_they_name()
    {
        await using var sidecar = await StartAsync("other");
        await using var main = await MainAsync(sidecar);
        await using var other = await OtherAsync(sidecar);

        (await RunAsync(main, "asks-activity", "i", "x")).ShouldBe("other did x");
        (await RunAsync(main, "asks-child", "j", "y")).ShouldBe("other: other did y");

        // The child is the other app's, and calls its own app's activities without naming it.
        (await main.Client.GetWorkflowStateAsync("j-kid")).Exists.ShouldBeFalse();
        var kid = await other.Client.GetWorkflowStateAsync("j-kid");
        kid.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed);
        await main.Client.ScheduleNewWorkflowAsync("asks-unregistered", "k", "x");
        (await main.Client.WaitForWorkflowCompletionAsync("k")).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Failed);
    }

    [Fact]
    public async Task One_id_is_an_instance_of_each_app()
    {
        await using var sidecar = await StartAsync("other");
        await using var main = await MainAsync(sidecar);
        await using var other = await OtherAsync(sidecar);
        using var hub = new TaskHubClient(sidecar.Endpoints.GrpcPortOf("other"));

        (await RunAsync(main, "asks-activity", "same", "x")).ShouldBe("other did x");
        (await hub.GetAsync("same")).Exists.ShouldBeFalse();
        (await RunAsync(other, "child", "same", "z")).ShouldBe("other: other did z");
        (await sidecar.Hub.GetAsync("same")).WorkflowState.Name.ShouldBe("asks-activity");
        (await ListAsync(hub)).ShouldBe(["same"]);
        (await ListAsync(sidecar.Hub)).ShouldBe(["same"]);

        (await PurgeAsync(hub, "same")).ShouldBe(1);
        (await ListAsync(hub)).ShouldBeEmpty();
        (await ListAsync(sidecar.Hub)).ShouldBe(["same"]);
    }

    [Fact]
    public async Task An_app_that_is_not_there_is_waited_for_across_a_restart()
    {
        await using (var sidecar = await StartAsync())
        await using (var main = await MainAsync(sidecar))
        {
            await main.Client.ScheduleNewWorkflowAsync("asks-activity", "i", "x");
            await main.Client.ScheduleNewWorkflowAsync("asks-child", "j", "y");
            // Whatever waits for the absent app holds up nobody else.
            (await RunAsync(main, "alone", "k", "z")).ShouldBe("main did z");
            await main.Client.WaitForWorkflowStartAsync("i");
            await main.Client.WaitForWorkflowStartAsync("j");
        }

        await using (var sidecar = await StartAsync("other"))
        await using (var main = await MainAsync(sidecar))
        {
            (await main.Client.GetWorkflowStateAsync("i")).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Running);
            await using var other = await OtherAsync(sidecar);
            (await main.Client.WaitForWorkflowCompletionAsync("i")).ReadOutputAs<string>().ShouldBe("other did x");
            (await main.Client.WaitForWorkflowCompletionAsync("j")).ReadOutputAs<string>().ShouldBe("other: other did y");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Terminating_and_purging_with_children_follow_them_into_their_app(bool archived)
    {
        await using var sidecar = await SidecarApp.StartAsync(
            o => (archived ? ArchiveTests.AtOnce(o) : o) with { Apps = [new SidecarAppOptions("other")] }, _state.FullName);
        await using var main = await MainAsync(sidecar);
        await using var other = await OtherAsync(sidecar);
        using var hub = new TaskHubClient(sidecar.Endpoints.GrpcPortOf("other"));
        await main.Client.ScheduleNewWorkflowAsync("asks-waiter", "p", "x");
        await other.Client.WaitForWorkflowStartAsync("p-kid");

        await sidecar.Hub.CallAsync(TaskHubPaths.TerminateInstance, new TerminateRequest { InstanceId = "p", Recursive = true }, TerminateResponse.Parser);
        (await hub.WaitAsync("p-kid")).WorkflowStatus.ShouldBe(OrchestrationStatus.Terminated);
        (await sidecar.Hub.WaitAsync("p")).WorkflowStatus.ShouldBe(OrchestrationStatus.Terminated);

        if (archived)
            await ArchiveTests.ArchivedAsync(sidecar);
        (await PurgeAsync(sidecar.Hub, "p")).ShouldBe(2);
        (await hub.GetAsync("p-kid")).Exists.ShouldBeFalse();
    }

    [Fact]
    public async Task An_activity_of_two_workflows_with_one_id_goes_back_to_the_one_that_asked()
    {
        await using var sidecar = await StartAsync("other", "third");
        await using var main = await MainAsync(sidecar);
        await using var third = await WorkerHost.StartAsync(Endpoint(sidecar.Endpoints.GrpcPortOf("third")), AddAsking);
        await main.Client.ScheduleNewWorkflowAsync("asks-activity", "same", "1");
        await third.Client.ScheduleNewWorkflowAsync("asks-activity", "same", "2");
        await main.Client.WaitForWorkflowStartAsync("same");
        await third.Client.WaitForWorkflowStartAsync("same");

        await using var other = await OtherAsync(sidecar);
        (await main.Client.WaitForWorkflowCompletionAsync("same")).ReadOutputAs<string>().ShouldBe("other did 1");
        (await third.Client.WaitForWorkflowCompletionAsync("same")).ReadOutputAs<string>().ShouldBe("other did 2");
    }

    [Fact]
    public async Task Cut_after_any_transaction_the_work_of_both_apps_ends_with_the_same_results()
    {
        var whole = await RunBothAsync(_state.CreateSubdirectory("whole").FullName);
        foreach (var cut in TornRunTests.FrameEnds(whole))
        {
            var folder = _state.CreateSubdirectory($"cut-{cut}").FullName;
            await File.WriteAllBytesAsync(Path.Combine(folder, "journal"), whole[..cut]);
            await RunBothAsync(folder);
        }
    }

    [Fact]
    public async Task A_workflow_continues_as_new_over_work_in_another_app()
    {
        await using var sidecar = await StartAsync("other");
        await using var main = await MainAsync(sidecar);
        await using var other = await OtherAsync(sidecar);
        (await RunAsync(main, "rounds", "i", "")).ShouldBe("other did 0, other: other did 0, other did 1, other: other did 1, other did 2, other: other did 2, ");

        // Children of an earlier generation are named anew, in their own app.
        using var hub = new TaskHubClient(sidecar.Endpoints.GrpcPortOf("other"));
        (await ListAsync(hub)).Count.ShouldBe(3);
        (await ListAsync(sidecar.Hub)).ShouldBe(["i"]);
    }

    [Fact]
    public async Task The_official_JavaScript_worker_is_the_other_app()
    {
        await DaprPeer.NodePackages.RequireAsync();
        await using var sidecar = await StartAsync("other");
        await using var js = await DaprBehaviour.JsWorker.StartAsync(new Uri(Endpoint(sidecar.Endpoints.GrpcPortOf("other"))));
        await using var main = await WorkerHost.StartAsync(Endpoint(sidecar.Endpoints.GrpcPort), options => options.RegisterWorkflow<string, string>("asks-js", async (context, name) =>
        {
            var greeting = await context.CallActivityAsync<string>("greet", name, new WorkflowTaskOptions(TargetAppId: "other"));
            var chained = await context.CallChildWorkflowAsync<string>("chain", name, new ChildWorkflowTaskOptions(TargetAppId: "other"));
            return $"{greeting} {chained}";
        }));
        (await RunAsync(main, "asks-js", "i", "you")).ShouldBe("Hello you! Hello Hello you!!");
    }

    [Fact]
    public async Task A_rerun_does_the_work_of_the_other_app_again()
    {
        await using var sidecar = await StartAsync("other");
        await using var main = await MainAsync(sidecar);
        await using var other = await OtherAsync(sidecar);
        using var hub = new TaskHubClient(sidecar.Endpoints.GrpcPortOf("other"));
        (await RunAsync(main, "asks-activity", "i", "x")).ShouldBe("other did x");
        (await RunAsync(main, "asks-child", "j", "y")).ShouldBe("other: other did y");

        await RerunAsync(new() { SourceInstanceID = "i", EventID = 0, NewInstanceID = "i2", OverwriteInput = true, Input = "\"z\"" });
        (await main.Client.WaitForWorkflowCompletionAsync("i2")).ReadOutputAs<string>().ShouldBe("other did z");
        await RerunAsync(new() { SourceInstanceID = "j", EventID = 0, NewInstanceID = "j2" });
        (await main.Client.WaitForWorkflowCompletionAsync("j2")).ReadOutputAs<string>().ShouldBe("other: other did y");
        (await ListAsync(hub)).ShouldBe(["j-kid", "j2:0000"]);
        (await Should.ThrowAsync<RpcException>(hub.CallAsync(
            TaskHubPaths.RerunWorkflowFromEvent, new RerunWorkflowFromEventRequest { SourceInstanceID = "j-kid", EventID = 0 }, RerunWorkflowFromEventResponse.Parser)))
            .Detail.ShouldContain("child-workflows");

        Task RerunAsync(RerunWorkflowFromEventRequest request) => sidecar.Hub.CallAsync(TaskHubPaths.RerunWorkflowFromEvent, request, RerunWorkflowFromEventResponse.Parser);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_child_belongs_to_the_parent_of_its_own_app_not_to_another_ones_of_the_same_id(bool archived)
    {
        await using var sidecar = await SidecarApp.StartAsync(
            o => (archived ? ArchiveTests.AtOnce(o) : o) with { Apps = [new SidecarAppOptions("other")] }, _state.FullName);
        using var hub = new TaskHubClient(sidecar.Endpoints.GrpcPortOf("other"));
        await using var main = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn => Parent(turn, "other"));
        await using (await ScriptedWorker.ConnectAsync(hub, turn => turn.Started.Name == "child" ? [] : Parent(turn, target: null)))
        {
            // The child is the main app's; the other app's parent of the same id wants one of the same name, and is refused.
            await sidecar.Hub.StartAsync("parent", "p");
            await hub.WaitUntilAsync("kid", OrchestrationStatus.Running);
            await hub.StartAsync("parent", "p");
            (await hub.WaitAsync("p")).Output.ShouldBe("refused");
            await hub.CallAsync(TaskHubPaths.TerminateInstance, new TerminateRequest { InstanceId = "kid" }, TerminateResponse.Parser);
            (await sidecar.Hub.WaitAsync("p")).Output.ShouldBe("refused");
        }

        if (archived)
            await ArchiveTests.ArchivedAsync(sidecar);
        (await PurgeAsync(hub, "p")).ShouldBe(1);
        (await hub.GetAsync("kid")).Exists.ShouldBeTrue();
        (await PurgeAsync(sidecar.Hub, "p")).ShouldBe(2);
        (await hub.GetAsync("kid")).Exists.ShouldBeFalse();

        static IEnumerable<WorkflowAction> Parent(TurnView turn, string? target)
        {
            if (turn.Has(e => e.ChildWorkflowInstanceFailed))
                return [TurnView.Complete("refused")];
            if (turn.Has(e => e.ChildWorkflowInstanceCreated))
                return [];
            var action = new WorkflowAction { Id = 1, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "child", InstanceId = "kid" } };
            if (target is not null)
                action.Router = new TaskRouter { TargetAppID = target };
            return [action];
        }
    }

    [Theory]
    [InlineData("test", "called too")]
    [InlineData("a b", "letters, digits")]
    [InlineData("", "letters, digits")]
    public async Task What_is_no_app_is_refused(string appId, string says) =>
        (await Should.ThrowAsync<LeanPipeException>(() => StartAsync(appId))).Message.ShouldContain(says);

    static async Task<byte[]> RunBothAsync(string folder)
    {
        await using (var sidecar = await SidecarApp.StartAsync(o => o with { Apps = [new SidecarAppOptions("other")] }, folder))
        await using (var main = await MainAsync(sidecar))
        await using (var other = await OtherAsync(sidecar))
        {
            foreach (var (name, id) in new[] { ("asks-activity", "i"), ("asks-child", "j") })
            {
                if (!(await sidecar.Hub.GetAsync(id)).Exists)
                    await main.Client.ScheduleNewWorkflowAsync(name, id, "x");
            }

            (await main.Client.WaitForWorkflowCompletionAsync("i")).ReadOutputAs<string>().ShouldBe("other did x", folder);
            (await main.Client.WaitForWorkflowCompletionAsync("j")).ReadOutputAs<string>().ShouldBe("other: other did x", folder);
        }

        return await File.ReadAllBytesAsync(Path.Combine(folder, "journal"));
    }

    Task<SidecarApp> StartAsync(params string[] apps) =>
        SidecarApp.StartAsync(o => o with { Apps = [.. apps.Select(a => new SidecarAppOptions(a))] }, _state.FullName);

    static string Endpoint(int port) => $"http://127.0.0.1:{port}";

    static Task<WorkerHost> MainAsync(SidecarApp sidecar) => WorkerHost.StartAsync(Endpoint(sidecar.Endpoints.GrpcPort), options =>
    {
        AddAsking(options);
        options.RegisterActivity<string, string>("do", (_, input) => Task.FromResult("main did " + input));
        options.RegisterWorkflow<string, string>("alone", (context, input) => context.CallActivityAsync<string>("do", input));
        options.RegisterWorkflow<string, string>("asks-child", (context, input) =>
            context.CallChildWorkflowAsync<string>("child", input, new ChildWorkflowTaskOptions(context.InstanceId + "-kid", TargetAppId: "other")));
        options.RegisterWorkflow<string, string>("asks-waiter", (context, input) =>
            context.CallChildWorkflowAsync<string>("waiter", input, new ChildWorkflowTaskOptions(context.InstanceId + "-kid", TargetAppId: "other")));
        options.RegisterWorkflow<string, string>("rounds", async (context, soFar) =>
        {
            var round = soFar.Split("did ").Length / 2;
            var did = await context.CallActivityAsync<string>("do", $"{round}", new WorkflowTaskOptions(TargetAppId: "other"));
            var child = await context.CallChildWorkflowAsync<string>("child", $"{round}", new ChildWorkflowTaskOptions(TargetAppId: "other"));
            var all = $"{soFar}{did}, {child}, ";
            if (round < 2)
                context.ContinueAsNew(all);
            return all;
        });
        options.RegisterWorkflow<string, string>("asks-unregistered", (context, input) =>
            context.CallActivityAsync<string>("nobody-has-it", input, new WorkflowTaskOptions(TargetAppId: "other")));
    });

    static void AddAsking(WorkflowRuntimeOptions options) => options.RegisterWorkflow<string, string>(
        "asks-activity", (context, input) => context.CallActivityAsync<string>("do", input, new WorkflowTaskOptions(TargetAppId: "other")));

    static Task<WorkerHost> OtherAsync(SidecarApp sidecar) => WorkerHost.StartAsync(Endpoint(sidecar.Endpoints.GrpcPortOf("other")), options =>
    {
        options.RegisterActivity<string, string>("do", (_, input) => Task.FromResult("other did " + input));
        options.RegisterWorkflow<string, string>("child", async (context, input) => "other: " + await context.CallActivityAsync<string>("do", input));
        options.RegisterWorkflow<string, string>("waiter", (context, _) => context.WaitForExternalEventAsync<string>("never"));
    });

    static async Task<string?> RunAsync(WorkerHost host, string name, string id, string input)
    {
        await host.Client.ScheduleNewWorkflowAsync(name, id, input);
        return (await host.Client.WaitForWorkflowCompletionAsync(id)).ReadOutputAs<string>();
    }

    static async Task<int> PurgeAsync(TaskHubClient hub, string id) => (await hub.CallAsync(
        TaskHubPaths.PurgeInstances, new PurgeInstancesRequest { InstanceId = id, Recursive = true }, PurgeInstancesResponse.Parser)).DeletedInstanceCount;

    static async Task<IReadOnlyList<string>> ListAsync(TaskHubClient hub) =>
        (await hub.CallAsync(TaskHubPaths.ListInstanceIDs, new ListInstanceIDsRequest(), ListInstanceIDsResponse.Parser)).InstanceIds;
}
