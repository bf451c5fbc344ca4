using System.Text.RegularExpressions;
using LeanPipe.DaprWire;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

/// <summary>Codes and bodies as daprd 1.18.3 was observed to answer.</summary>
public sealed partial class HttpWorkflowTests
{
    const string LongId = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    static readonly string[] Versions = ["v1.0", "v1.0-beta1", "v1.0-alpha1"];

    [Theory]
    [InlineData("POST", "workflows/dapr/w/start?instanceID=e1", 202, """{"instanceID":"e1"}""")]
    [InlineData("POST", "workflows/nope/w/start?instanceID=under_score-dash", 202, """{"instanceID":"under_score-dash"}""")]
    [InlineData("POST", "workflows/dapr/w/start?instanceID=bad:id", 400, """{"errorCode":"ERR_INSTANCE_ID_INVALID","message":"workflow instance ID 'bad:id' is invalid: only alphanumeric and underscore characters are allowed"}""")]
    [InlineData("POST", "workflows/dapr/w/start?instanceID=has%20space", 400, """{"errorCode":"ERR_INSTANCE_ID_INVALID","message":"workflow instance ID 'has space' is invalid: only alphanumeric and underscore characters are allowed"}""")]
    [InlineData("POST", "workflows/dapr/w/start?instanceID=" + LongId, 400, """{"errorCode":"ERR_INSTANCE_ID_TOO_LONG","message":"workflow instance ID exceeds the max length of 64 characters"}""")]
    [InlineData("POST", "workflows/dapr/w/start?instanceID=running", 500, """{"errorCode":"ERR_START_WORKFLOW","message":"error starting workflow 'w': unable to start workflow: failed to start workflow: rpc error: code = AlreadyExists desc = an active workflow with ID 'running' already exists"}""")]
    [InlineData("POST", "workflows/dapr/start?instanceID=w4", 404, """{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id either from the URL path or the header dapr-app-id"}""")]
    [InlineData("POST", "workflows/dapr/running", 404, """{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id either from the URL path or the header dapr-app-id"}""")]
    [InlineData("DELETE", "workflows/dapr/running", 404, """{"errorCode":"ERR_DIRECT_INVOKE","message":"failed getting app id either from the URL path or the header dapr-app-id"}""")]
    [InlineData("GET", "workflows/dapr/unknownid", 404, """{"errorCode":"ERR_INSTANCE_ID_NOT_FOUND","message":"unable to find workflow with the provided instance ID: unknownid"}""")]
    [InlineData("POST", "workflows/dapr/nope1/pause", 500, """{"errorCode":"ERR_PAUSE_WORKFLOW","message":"error pausing workflow nope1: failed to pause workflow nope1: failed to suspend workflow: no such instance exists"}""")]
    [InlineData("POST", "workflows/dapr/nope1/resume", 500, """{"errorCode":"ERR_RESUME_WORKFLOW","message":"error resuming workflow nope1: failed to resume workflow nope1: failed to resume workflow: no such instance exists"}""")]
    [InlineData("POST", "workflows/dapr/nope1/terminate", 404, """{"errorCode":"ERR_INSTANCE_ID_NOT_FOUND","message":"unable to find workflow with the provided instance ID: nope1%!(EXTRA *fmt.wrapError=failed to submit termination request:: no such instance exists)"}""")]
    [InlineData("POST", "workflows/dapr/nope1/raiseEvent/go", 500, """{"errorCode":"ERR_RAISE_EVENT_WORKFLOW","message":"error raising event on workflow 'nope1': failed to raise event go on workflow nope1: failed to raise event: no such instance exists"}""")]
    [InlineData("POST", "workflows/dapr/nope1/purge", 404, """{"errorCode":"ERR_INSTANCE_ID_NOT_FOUND","message":"unable to find workflow with the provided instance ID: nope1%!(EXTRA *fmt.wrapError=failed to purge workflow state: failed to fetch workflow state: no such instance exists)"}""")]
    [InlineData("POST", "workflows/dapr/running/purge?force=true", 500, """{"errorCode":"ERR_PURGE_WORKFLOW","message":"error purging workflow running: failed to Purge workflow running: failed to purge workflow state: orchestration has not yet completed"}""")]
    [InlineData("POST", "workflows/dapr/running/resume", 202, "{}")]
    [InlineData("POST", "workflows/dapr/running/raiseEvent/other", 202, "{}")]
    [InlineData("POST", "workflows/dapr/done/terminate", 202, "{}")]
    [InlineData("POST", "workflows/dapr/done/pause", 202, "{}")]
    [InlineData("POST", "workflows/dapr/done/raiseEvent/go", 202, "{}")]
    [InlineData("POST", "workflows/dapr/done/purge", 202, "{}")]
    [InlineData("POST", "workflows/dapr/w/start?instanceID=done", 202, """{"instanceID":"done"}""")]
    public async Task Every_answer_has_the_observed_code_and_body(string method, string path, int code, string body)
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => t.Request.InstanceId == "done" ? [Complete("1")] : []);
        await sidecar.Hub.StartAsync("w", "running");
        await sidecar.Hub.StartAsync("w", "done");
        await sidecar.Hub.WaitAsync("done");

        foreach (var version in path.Contains("start", StringComparison.Ordinal) || path.Contains("purge", StringComparison.Ordinal) ? ["v1.0"] : Versions)
        {
            using var response = await sidecar.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"/{version}/{path}"));
            ((int)response.StatusCode).ShouldBe(code);
            (await response.Content.ReadAsStringAsync()).ShouldBe(body);
            response.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        }
    }

    [Fact]
    public async Task A_start_without_a_worker_is_accepted_at_once_and_pending()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        (await PostAsync(sidecar, "hang/start?instanceID=hg1", "1")).ShouldBe("""202 {"instanceID":"hg1"}""");
        (await GetAsync(sidecar, "hg1")).ShouldBe("""{"instanceID":"hg1","createdAt":"0001-01-01T00:00:00Z","lastUpdatedAt":"0001-01-01T00:00:00Z","runtimeStatus":"PENDING"}""");
    }

    [Fact]
    public async Task A_generated_id_is_a_guid()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        (await PostAsync(sidecar, "w/start", "1")).ShouldMatch("""^202 \{"instanceID":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"\}$""");
    }

    [Theory]
    [InlineData("\"bob\"", """{"instanceID":"i","workflowName":"echo","createdAt":"T","lastUpdatedAt":"T","runtimeStatus":"COMPLETED","properties":{"dapr.workflow.input":"\"bob\"","dapr.workflow.output":"\"bob\""}}""")]
    [InlineData("hello world {", """{"instanceID":"i","workflowName":"echo","createdAt":"T","lastUpdatedAt":"T","runtimeStatus":"COMPLETED","properties":{"dapr.workflow.input":"hello world {","dapr.workflow.output":"hello world {"}}""")]
    [InlineData("{\"a\": 1,   \"b\":[1,2]}", """{"instanceID":"i","workflowName":"echo","createdAt":"T","lastUpdatedAt":"T","runtimeStatus":"COMPLETED","properties":{"dapr.workflow.input":"{\"a\": 1,   \"b\":[1,2]}","dapr.workflow.output":"{\"a\": 1,   \"b\":[1,2]}"}}""")]
    [InlineData("", """{"instanceID":"i","workflowName":"echo","createdAt":"T","lastUpdatedAt":"T","runtimeStatus":"COMPLETED","properties":{"dapr.workflow.input":"","dapr.workflow.output":""}}""")]
    public async Task The_body_is_the_input_byte_for_byte(string input, string view)
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => [Complete(t.Started.Input)]);
        await PostAsync(sidecar, "echo/start?instanceID=i", input);
        await sidecar.Hub.WaitAsync("i");
        Times().Replace(await GetAsync(sidecar, "i"), "\"T\"").ShouldBe(view);
    }

    [Fact]
    public async Task A_failed_instance_shows_its_failure_and_no_output()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => [new WorkflowAction
        {
            CompleteWorkflow = new CompleteWorkflowAction
            {
                WorkflowStatus = OrchestrationStatus.Failed,
                FailureDetails = new TaskFailureDetails { ErrorType = "Error", ErrorMessage = "wf threw", StackTrace = "at x" },
            },
        }]);
        await PostAsync(sidecar, "throwing/start?instanceID=f2", "\"x\"");
        await sidecar.Hub.WaitAsync("f2");
        Times().Replace(await GetAsync(sidecar, "f2"), "\"T\"").ShouldBe(
            """{"instanceID":"f2","workflowName":"throwing","createdAt":"T","lastUpdatedAt":"T","runtimeStatus":"FAILED","properties":{"dapr.workflow.failure.error_message":"wf threw","dapr.workflow.failure.error_type":"Error","dapr.workflow.failure.stack_trace":"at x","dapr.workflow.input":"\"x\""}}""");
    }

    [Fact]
    public async Task Pause_raise_resume_runs_on_with_the_event_and_terminate_shows_no_output()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, t => t.Raised.Count > 0 ? [Complete(t.Raised[0])] : []);
        await PostAsync(sidecar, "waiter/start?instanceID=xp1", "1");
        await worker.NextAsync(i => i.WorkflowRequest);
        (await PostAsync(sidecar, "xp1/pause", null)).ShouldBe("202 {}");
        (await PostAsync(sidecar, "xp1/pause", null)).ShouldBe("202 {}");
        (await PostAsync(sidecar, "xp1/raiseEvent/go", "\"while paused\"")).ShouldBe("202 {}");
        (await PostAsync(sidecar, "xp1/resume", null)).ShouldBe("202 {}");
        (await sidecar.Hub.WaitAsync("xp1")).Output.ShouldBe("\"while paused\"");

        await PostAsync(sidecar, "waiter/start?instanceID=xt1", "1");
        await PostAsync(sidecar, "xt1/terminate", null);
        await sidecar.Hub.WaitAsync("xt1");
        Times().Replace(await GetAsync(sidecar, "xt1"), "\"T\"").ShouldBe(
            """{"instanceID":"xt1","workflowName":"waiter","createdAt":"T","lastUpdatedAt":"T","runtimeStatus":"TERMINATED","properties":{"dapr.workflow.input":"1"}}""");
    }

    [Fact]
    public async Task A_body_above_the_limit_is_refused()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        (await PostAsync(sidecar, "w/start?instanceID=b", new string('x', (4 * 1024 * 1024) + 1))).ShouldStartWith("400 {\"errorCode\":\"ERR_BODY_READ\"");
    }

    [Fact]
    public async Task Health_and_metadata_tell_whether_a_worker_is_there()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        (await sidecar.Http.GetAsync("/v1.0/healthz")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        (await sidecar.Http.GetAsync("/v1.0/healthz/outbound")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        (await sidecar.Http.GetStringAsync("/v1.0/metadata")).ShouldNotContain("connectedWorkers");
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => []);
        await sidecar.Hub.StartAsync("w", "w1");
        await worker.NextAsync(i => i.WorkflowRequest);
        (await sidecar.Http.GetStringAsync("/v1.0/metadata")).ShouldContain("\"workflows\":{\"connectedWorkers\":1}");
    }

    [Fact]
    public async Task Without_the_token_only_health_answers()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { ApiToken = "secret" });
        (await sidecar.Http.GetAsync("/v1.0/healthz")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
        using var refused = await sidecar.Http.GetAsync("/v1.0/metadata");
        refused.StatusCode.ShouldBe(System.Net.HttpStatusCode.Unauthorized);
        (await refused.Content.ReadAsStringAsync()).ShouldBe("invalid api token");
        (await Should.ThrowAsync<RpcException>(sidecar.Hub.GetAsync("x"))).Message.ShouldBe("Unauthenticated: missing api token in request metadata");
        using var stranger = new TaskHubClient(sidecar.Endpoints.GrpcPort, "guess");
        (await Should.ThrowAsync<RpcException>(stranger.GetAsync("x"))).Detail.ShouldBe("authentication error: api token mismatch");
        using var friend = new TaskHubClient(sidecar.Endpoints.GrpcPort, "secret");
        (await friend.GetAsync("x")).Exists.ShouldBeFalse();
    }

    static async Task<string> GetAsync(SidecarApp sidecar, string id) => await sidecar.Http.GetStringAsync($"/v1.0/workflows/dapr/{id}");

    static async Task<string> PostAsync(SidecarApp sidecar, string path, string? body)
    {
        using var response = await sidecar.Http.PostAsync($"/v1.0/workflows/dapr/{path}", body is null ? null : new StringContent(body));
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
    }

    [GeneratedRegex("\"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]{3}|\\.[0-9]{6}|\\.[0-9]{9})?Z\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Times();
}
