using Dapr.Workflow;
using Google.Protobuf;
using LeanPipe.DaprWire;
using Wire = LeanPipe.DaprWire;

namespace LeanPipe.Integration.DaprStandIns;

public sealed class WorkflowClientTests
{
    static CancellationToken Out => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_start_has_a_guid_an_input_that_is_never_absent_and_the_token()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.Answer(TaskHubPaths.StartInstance, (context, message) =>
            ScriptedSidecar.OkAsync(context, new CreateInstanceResponse { InstanceId = CreateInstanceRequest.Parser.ParseFrom(message).InstanceId }));
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { }, token: "secret");

        var id = await worker.Client.ScheduleNewWorkflowAsync("w");

        Guid.TryParse(id, out _).ShouldBeTrue();
        await foreach (var call in sidecar.Received.Reader.ReadAllAsync(Out))
        {
            (call.Token, call.Te).ShouldBe(("secret", "trailers"));
            if (call.Path == TaskHubPaths.StartInstance)
            {
                var request = CreateInstanceRequest.Parser.ParseFrom(call.Message);
                (request.Name, request.InstanceId, request.Input, request.ScheduledStartTimestamp).ShouldBe(("w", id, "", null));
                return;
            }
        }
    }

    [Fact]
    public async Task A_start_can_be_for_later()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.Answer(TaskHubPaths.StartInstance, new CreateInstanceResponse { InstanceId = "mine" });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });
        await worker.Client.ScheduleNewWorkflowAsync("w", "mine", new { Number = 5 }, new DateTimeOffset(2030, 1, 1, 2, 0, 0, TimeSpan.FromHours(2)), Out);
        var request = await sidecar.NextAsync(TaskHubPaths.StartInstance, CreateInstanceRequest.Parser);
        (request.InstanceId, request.Input).ShouldBe(("mine", """{"number":5}"""));
        request.ScheduledStartTimestamp.ToDateTime().ShouldBe(new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
    }

    [Fact]
    public async Task A_state_is_read_with_its_payloads()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.Answer(TaskHubPaths.GetInstance, new GetInstanceResponse
        {
            Exists = true,
            WorkflowState = new Wire.WorkflowState
            {
                Name = "w",
                WorkflowStatus = OrchestrationStatus.Failed,
                Input = "[1,2]",
                Output = "",
                CustomStatus = "\"half\"",
                FailureDetails = new TaskFailureDetails { ErrorType = "E", ErrorMessage = "m" },
            },
        });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });

        var state = await worker.Client.GetWorkflowStateAsync("i", cancellation: Out);

        (state.Exists, state.WorkflowName, state.RuntimeStatus, state.IsWorkflowCompleted, state.IsWorkflowRunning)
            .ShouldBe((true, "w", WorkflowRuntimeStatus.Failed, true, false));
        state.ReadInputAs<int[]>().ShouldBe([1, 2]);
        state.ReadOutputAs<string>().ShouldBeNull();
        state.ReadCustomStatusAs<string>().ShouldBe("half");
        state.FailureDetails!.ToString().ShouldBe("E: m");
    }

    [Fact]
    public async Task An_instance_that_does_not_exist_is_a_state_to_look_at_and_an_error_to_wait_for()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.Answer(TaskHubPaths.GetInstance, new GetInstanceResponse());
        sidecar.Answer(TaskHubPaths.WaitForInstanceStart, new GetInstanceResponse());
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });

        var state = await worker.Client.GetWorkflowStateAsync("none", cancellation: Out);

        (state.Exists, state.RuntimeStatus).ShouldBe((false, WorkflowRuntimeStatus.Unknown));
        await Should.ThrowAsync<InvalidOperationException>(() => worker.Client.WaitForWorkflowStartAsync("none", cancellation: Out));
    }

    [Fact]
    public async Task Waiting_for_the_end_outlives_a_sidecar_that_is_away_and_then_asks_for_the_payloads()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        var attempts = 0;
        sidecar.Answer(TaskHubPaths.WaitForInstanceCompletion, (context, message) =>
        {
            GetInstanceRequest.Parser.ParseFrom(message).GetInputsAndOutputs.ShouldBeFalse();
            return ++attempts switch
            {
                1 => ScriptedSidecar.TrailersOnly(context, GrpcStatusCode.Unavailable, "starting"),
                2 => ScriptedSidecar.TrailersOnly(context, GrpcStatusCode.DeadlineExceeded),
                _ => ScriptedSidecar.OkAsync(context, new GetInstanceResponse { Exists = true, WorkflowState = new() }),
            };
        });
        sidecar.Answer(TaskHubPaths.GetInstance, new GetInstanceResponse { Exists = true, WorkflowState = new() { Output = "9" } });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });

        var state = await worker.Client.WaitForWorkflowCompletionAsync("i", cancellation: Out);

        (attempts, state.ReadOutputAs<int>()).ShouldBe((3, 9));
        (await sidecar.NextAsync(TaskHubPaths.GetInstance, GetInstanceRequest.Parser)).GetInputsAndOutputs.ShouldBeTrue();
    }

    [Fact]
    public async Task A_wait_that_a_stopping_sidecar_cancels_is_the_callers_to_repeat_as_with_the_official_client()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        var attempts = 0;
        sidecar.Answer(TaskHubPaths.WaitForInstanceCompletion, (context, _) =>
        {
            attempts++;
            return ScriptedSidecar.TrailersOnly(context, GrpcStatusCode.Cancelled, "shutting down");
        });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });
        var failure = await Should.ThrowAsync<Exception>(() => worker.Client.WaitForWorkflowCompletionAsync("i", cancellation: Out));
        failure.ShouldNotBeAssignableTo<OperationCanceledException>("the caller has not cancelled anything");
        failure.Message.ShouldBe("Status(StatusCode=\"Cancelled\", Detail=\"shutting down\")");
        attempts.ShouldBe(1);
    }

    [Fact]
    public async Task A_missing_sidecar_is_told_with_its_address_and_what_to_do()
    {
        var port = FreePort.Next();
        await using var worker = await WorkerHost.StartAsync($"http://127.0.0.1:{port}", _ => { });
        var failure = await Should.ThrowAsync<Exception>(() => worker.Client.RaiseEventAsync("i", "e", cancellation: Out));
        failure.Message.ShouldStartWith($"Status(StatusCode=\"Unavailable\", Detail=\"No sidecar answers at http://127.0.0.1:{port}/");
        failure.Message.ShouldContain("DAPR_GRPC_ENDPOINT");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_refusal_is_told_with_its_code_and_its_decoded_text(bool trailersOnly)
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.Answer(TaskHubPaths.SuspendInstance, async (context, _) =>
        {
            if (trailersOnly)
            {
                await ScriptedSidecar.TrailersOnly(context, GrpcStatusCode.Unauthenticated, "kein Schlüssel: 100 %");
            }
            else
            {
                await ScriptedSidecar.SendAsync(context, new SuspendResponse());
                ScriptedSidecar.End(context, GrpcStatusCode.Unauthenticated, "kein Schlüssel: 100 %");
            }
        });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });
        var failure = await Should.ThrowAsync<Exception>(() => worker.Client.SuspendWorkflowAsync("i", cancellation: Out));
        failure.Message.ShouldBe("Status(StatusCode=\"Unauthenticated\", Detail=\"kein Schlüssel: 100 %\")");
    }

    [Fact]
    public async Task A_server_that_speaks_no_grpc_is_told_by_its_http_status()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.Answer(TaskHubPaths.PurgeInstances, (context, _) =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });
        (await Should.ThrowAsync<Exception>(() => worker.Client.PurgeInstanceAsync("i", Out))).Message.ShouldStartWith("Status(StatusCode=\"Unimplemented\"");
    }

    [Fact]
    public async Task A_cancelled_call_is_a_cancellation_and_the_sidecar_sees_it()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        var (arrived, gone) = (new TaskCompletionSource(), new TaskCompletionSource());
        sidecar.Answer(TaskHubPaths.WaitForInstanceStart, async (context, _) =>
        {
            arrived.SetResult();
            await ScriptedSidecar.HoldAsync(context);
            gone.SetResult();
        });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });
        using var enough = new CancellationTokenSource();
        var wait = worker.Client.WaitForWorkflowStartAsync("i", cancellation: enough.Token);
        await arrived.Task.WaitAsync(Out);
        enough.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(() => wait);
        await gone.Task.WaitAsync(Out);
    }

    [Fact]
    public async Task Every_other_call_says_what_the_official_client_says()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.Answer(TaskHubPaths.TerminateInstance, new TerminateResponse());
        sidecar.Answer(TaskHubPaths.ResumeInstance, new ResumeResponse());
        sidecar.Answer(TaskHubPaths.PurgeInstances, new PurgeInstancesResponse { DeletedInstanceCount = 1 });
        sidecar.Answer(TaskHubPaths.ListInstanceIDs, new ListInstanceIDsResponse { InstanceIds = { "a", "b" }, ContinuationToken = "next" });
        sidecar.Answer(TaskHubPaths.GetInstanceHistory, new GetInstanceHistoryResponse { Events = { new HistoryEvent { EventId = 3, TimerCreated = new() } } });
        sidecar.Answer(TaskHubPaths.RerunWorkflowFromEvent, new RerunWorkflowFromEventResponse { NewInstanceID = "again" });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });
        var client = worker.Client;

        await client.TerminateWorkflowAsync("i", new { Why = "x" }, Out);
        (await Next(sidecar, TaskHubPaths.TerminateInstance, TerminateRequest.Parser)).ShouldBe(
            new TerminateRequest { InstanceId = "i", Output = """{"why":"x"}""", Recursive = true });
        await client.ResumeWorkflowAsync("i", cancellation: Out);
        (await Next(sidecar, TaskHubPaths.ResumeInstance, ResumeRequest.Parser)).ShouldBe(new ResumeRequest { InstanceId = "i", Reason = "" });
        (await client.PurgeInstanceAsync("i", Out)).ShouldBeTrue();
        (await Next(sidecar, TaskHubPaths.PurgeInstances, PurgeInstancesRequest.Parser)).ShouldBe(new PurgeInstancesRequest { InstanceId = "i", Recursive = true });
        var page = await client.ListInstanceIdsAsync("here", 2, Out);
        page.InstanceIds.ShouldBe(["a", "b"]);
        page.ContinuationToken.ShouldBe("next");
        (await client.GetInstanceHistoryAsync("i", Out)).ShouldHaveSingleItem().EventType.ShouldBe(Dapr.Workflow.Client.WorkflowHistoryEventType.TimerCreated);
        (await client.RerunWorkflowFromEventAsync("i", 4, new() { Input = 1, OverwriteInput = true }, Out)).ShouldBe("again");
        await Should.ThrowAsync<ArgumentException>(() => client.RerunWorkflowFromEventAsync("i", 4, new() { Input = 1 }, Out));
        await Should.ThrowAsync<ArgumentException>(() => client.ListInstanceIdsAsync(pageSize: 0, cancellation: Out));
    }

    [Fact]
    public async Task The_clients_json_is_set_with_the_client_and_not_with_the_worker()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.Answer(TaskHubPaths.TerminateInstance, new TerminateResponse());
        var upper = new System.Text.Json.JsonSerializerOptions { PropertyNamingPolicy = System.Text.Json.JsonNamingPolicy.SnakeCaseUpper };
        await using var set = await WorkerHost.StartAsync(
            sidecar.Endpoint, _ => { }, services: services => services.AddDaprWorkflowBuilder(_ => { }, (_, client) => client.UseJsonSerializer(upper)));
        await set.Client.TerminateWorkflowAsync("i", new { OneWord = "x" }, Out);
        (await Next(sidecar, TaskHubPaths.TerminateInstance, TerminateRequest.Parser)).Output.ShouldBe("""{"ONE_WORD":"x"}""");

        await using var unset = await WorkerHost.StartAsync(
            sidecar.Endpoint, _ => { }, services: services => services.AddDaprWorkflowBuilder(_ => { }).WithJsonSerializer(upper));
        await unset.Client.TerminateWorkflowAsync("i", new { OneWord = "x" }, Out);
        (await Next(sidecar, TaskHubPaths.TerminateInstance, TerminateRequest.Parser)).Output.ShouldBe("""{"oneWord":"x"}""");
    }

    static Task<T> Next<T>(ScriptedSidecar sidecar, string path, MessageParser<T> parser)
        where T : IMessage<T> => sidecar.NextAsync(path, parser);
}
