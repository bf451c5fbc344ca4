using Dapr.Workflow;
using LeanPipe.DaprWire;
using LeanPipe.Integration.DaprStandIns;

namespace LeanPipe.Integration.DaprPeer;

/// <summary>Our client's calls, decoded by the official SDK's stubs on grpc-js.</summary>
public sealed class JsTaskHubClientTests
{
    static CancellationToken Out => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_request_is_what_the_stubs_read_to_the_last_byte()
    {
        await using var hub = await JsTaskHub.StartAsync();
        await hub.AnswerAsync("startInstance", new CreateInstanceResponse { InstanceId = "i" });
        await hub.AnswerAsync("purgeInstances", new PurgeInstancesResponse { DeletedInstanceCount = 1 });
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, _ => { });
        var client = host.Client;

        (await client.ScheduleNewWorkflowAsync("w", "i", new { A = 1 }, new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero), Out)).ShouldBe("i");
        await Reads("startInstance", """{"instanceid":"i","name":"w","input":{"value":"{\"a\":1}"},"scheduledstarttimestamp":{"seconds":1893553445,"nanos":0},"tagsMap":[]}""");

        await client.ScheduleNewWorkflowAsync("w", "i");
        await Reads("startInstance", """{"instanceid":"i","name":"w","input":{"value":""},"tagsMap":[]}""");

        await client.RaiseEventAsync("i", "go", 7, Out);
        await Reads("raiseEvent", """{"instanceid":"i","name":"go","input":{"value":"7"}}""");

        await client.SuspendWorkflowAsync("i", "why", Out);
        await Reads("suspendInstance", """{"instanceid":"i","reason":{"value":"why"}}""");

        await client.ResumeWorkflowAsync("i", cancellation: Out);
        await Reads("resumeInstance", """{"instanceid":"i","reason":{"value":""}}""");

        await client.TerminateWorkflowAsync("i", "enough", Out);
        await ReadsAllButRecursive("terminateInstance", """{"instanceid":"i","output":{"value":"\"enough\""}}""");

        (await client.PurgeInstanceAsync("i", Out)).ShouldBeTrue();
        await ReadsAllButRecursive("purgeInstances", """{"instanceid":"i"}""");

        async Task Reads(string method, string expected) => Json.Same((await hub.NextAsync(method)).Whole(), expected);

        // The stubs are older than the field recursive, which is 3 in both requests.
        async Task ReadsAllButRecursive(string method, string expected)
        {
            var call = await hub.NextAsync(method);
            Json.Same(call.Message, expected);
            call.Bytes.ShouldBe(call.Again + "1801");
        }
    }

    [Fact]
    public async Task A_state_comes_through_the_stubs_whole()
    {
        await using var hub = await JsTaskHub.StartAsync();
        var created = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTime(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        var answer = new GetInstanceResponse
        {
            Exists = true,
            WorkflowState = new()
            {
                InstanceId = "i",
                Name = "w",
                WorkflowStatus = OrchestrationStatus.Failed,
                CreatedTimestamp = created,
                LastUpdatedTimestamp = created,
                Input = "1",
                CustomStatus = "\"half\"",
                FailureDetails = new() { ErrorType = "E", ErrorMessage = "disk gone", StackTrace = "at A" },
            },
        };
        await hub.AnswerAsync("waitForInstanceCompletion", answer);
        await hub.AnswerAsync("getInstance", answer);
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, _ => { });

        var state = await host.Client.WaitForWorkflowCompletionAsync("i", cancellation: Out);

        Json.Same((await hub.NextAsync("waitForInstanceCompletion")).Whole(), """{"instanceid":"i","getinputsandoutputs":false}""");
        Json.Same((await hub.NextAsync("getInstance")).Whole(), """{"instanceid":"i","getinputsandoutputs":true}""");
        (state.RuntimeStatus, state.WorkflowName, state.ReadInputAs<int>(), state.ReadCustomStatusAs<string>(), state.CreatedAt.UtcDateTime)
            .ShouldBe((WorkflowRuntimeStatus.Failed, "w", 1, "half", created.ToDateTime()));
        state.FailureDetails!.ToString().ShouldContain("disk gone");
    }

    [Fact]
    public async Task The_token_goes_with_every_call_and_a_wrong_one_is_told()
    {
        await using var hub = await JsTaskHub.StartAsync("right");
        await hub.AnswerAsync("getInstance", new GetInstanceResponse { Exists = false });
        await using var welcome = await WorkerHost.StartAsync(hub.Endpoint, _ => { }, "right");
        (await welcome.Client.GetWorkflowStateAsync("i", cancellation: Out)).Exists.ShouldBeFalse();
        (await hub.NextAsync("getInstance")).Metadata.GetProperty("dapr-api-token").GetString().ShouldBe("right");

        await using var stranger = await WorkerHost.StartAsync(hub.Endpoint, _ => { }, "wrong");
        (await Should.ThrowAsync<Exception>(() => stranger.Client.GetWorkflowStateAsync("i", cancellation: Out)))
            .Message.ShouldBe("Status(StatusCode=\"Unauthenticated\", Detail=\"authentication error: api token mismatch\")");
    }

    // grpc-js answers an error before any message with trailers alone, percent-encoded.
    [Fact]
    public async Task A_trailers_only_error_is_told_with_its_code_and_its_text()
    {
        await using var hub = await JsTaskHub.StartAsync();
        await hub.AnswerAsync("raiseEvent", (object)new { code = 2, details = "no such instance exists: 100 % größer" });
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, _ => { });
        (await Should.ThrowAsync<Exception>(() => host.Client.RaiseEventAsync("i", "go", cancellation: Out)))
            .Message.ShouldBe("Status(StatusCode=\"Unknown\", Detail=\"no such instance exists: 100 % größer\")");
    }

    [Fact]
    public async Task A_call_that_the_peer_does_not_have_is_told_as_such()
    {
        await using var hub = await JsTaskHub.StartAsync();
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, _ => { });
        (await Should.ThrowAsync<Exception>(() => host.Client.ListInstanceIdsAsync(cancellation: Out))).Message.ShouldStartWith("Status(StatusCode=\"Unimplemented\"");
    }

    [Fact]
    public async Task A_wait_goes_on_when_the_sidecar_is_unavailable()
    {
        await using var hub = await JsTaskHub.StartAsync();
        await hub.AnswerAsync(
            "waitForInstanceStart",
            new { code = 14, details = "not yet" },
            new { hex = Convert.ToHexStringLower(Google.Protobuf.MessageExtensions.ToByteArray(new GetInstanceResponse { Exists = true, WorkflowState = new() { Name = "w" } })) });
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, _ => { });
        (await host.Client.WaitForWorkflowStartAsync("i", cancellation: Out)).WorkflowName.ShouldBe("w");
    }
}
