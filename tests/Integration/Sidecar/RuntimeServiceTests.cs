using System.Net;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Integration.Gateway;
using LeanPipe.Sidecar;

namespace LeanPipe.Integration.Sidecar;

/// <summary>What the runtime service offers over gRPC besides workflows, with a clock that the tests move.</summary>
public sealed class RuntimeServiceTests : IDisposable
{
    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");
    readonly ManualTime _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public void Dispose() => _state.Delete(recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData(RuntimePaths.Alpha)]
    public async Task A_job_is_scheduled_read_triggered_and_over(string version)
    {
        await using var app = await JobApp.StartAsync();
        await using var sidecar = await StartAsync(app.Port);
        var job = new Job
        {
            Name = "once",
            DueTime = "10s",
            Data = Any.Pack(new StringValue { Value = "hello" }),
            FailurePolicy = new FailurePolicy { Constant = new FailurePolicyConstant { Interval = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)), MaxRetries = 1 } },
        };
        await ScheduleAsync(sidecar, job, version: version);
        (await GetAsync(sidecar, "once", version)).ShouldBe(job);
        (await sidecar.Http.GetStringAsync("/v1.0/jobs/once")).ShouldBe(
            """{"name":"once","dueTime":"10s","data":"hello","failurePolicy":{"constant":{"interval":"2s","maxRetries":1}}}""");

        _time.Advance(TimeSpan.FromSeconds(11));
        (await app.NextAsync()).ShouldBe(("once", "\"hello\""));
        app.Answer(200);
        while ((await sidecar.Http.GetAsync("/v1.0/jobs/once")).StatusCode != HttpStatusCode.NoContent)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        (await Should.ThrowAsync<RpcException>(GetAsync(sidecar, "once", version))).Code.ShouldBe(GrpcStatusCode.NotFound);
    }

    [Fact]
    public async Task Data_of_any_kind_comes_back_as_it_was_and_reaches_the_app_also_after_a_restart()
    {
        var own = new Any { TypeUrl = "dapr.io/schedule/jobpayload", Value = ByteString.CopyFromUtf8("{\"own\":1}") };
        var typed = Any.Pack(new Struct { Fields = { ["a"] = Value.ForNumber(1) } });
        await using var app = await JobApp.StartAsync();
        await using (var sidecar = await StartAsync(appPort: null))
        {
            await ScheduleAsync(sidecar, new Job { Name = "own", DueTime = "1s", Data = own });
            await ScheduleAsync(sidecar, new Job { Name = "typed", DueTime = "2s", Data = typed });
            await sidecar.Http.PostAsync("/v1.0/jobs/rest", new StringContent("""{"dueTime":"3s","data":{"b":2}}"""));
        }

        await using (var sidecar = await StartAsync(app.Port))
        {
            (await GetAsync(sidecar, "own")).Data.ShouldBe(own);
            (await GetAsync(sidecar, "typed")).Data.ShouldBe(typed);
            (await GetAsync(sidecar, "rest")).Data.Unpack<Value>().StructValue.Fields["b"].NumberValue.ShouldBe(2);
            (await sidecar.Http.GetStringAsync("/v1.0/jobs/own")).ShouldContain("""{"@type":"dapr.io/schedule/jobpayload","value":"eyJvd24iOjF9"}""");
            (await sidecar.Http.GetStringAsync("/v1.0/jobs/typed")).Replace(" ", "", StringComparison.Ordinal).ShouldContain("""{"a":1}""");
            foreach (var (name, body) in new[] { ("own", """{"own":1}"""), ("typed", """{"a":1}"""), ("rest", """{"b":2}""") })
            {
                _time.Advance(TimeSpan.FromSeconds(1.1));
                var seen = await app.NextAsync();
                (seen.Name, seen.Body.Replace(" ", "", StringComparison.Ordinal)).ShouldBe((name, body));
                app.Answer(200);
            }
        }
    }

    [Fact]
    public async Task A_job_is_overwritten_when_asked_deleted_and_refused_when_it_is_none()
    {
        await using var sidecar = await StartAsync(appPort: null);
        var job = new Job { Name = "j", Schedule = "@daily", FailurePolicy = new FailurePolicy { Drop = new FailurePolicyDrop() }, Repeats = 3, Ttl = "1000h" };
        await ScheduleAsync(sidecar, job);
        (await GetAsync(sidecar, "j")).ShouldBe(job);
        (await CodeAsync(new ScheduleJobRequest { Job = job })).ShouldBe(GrpcStatusCode.AlreadyExists);
        await ScheduleAsync(sidecar, new Job { Name = "j", Schedule = "@hourly" }, overwrite: true);
        (await GetAsync(sidecar, "j")).ShouldBe(new Job { Name = "j", Schedule = "@hourly" });
        for (var i = 0; i < 2; i++)
            await sidecar.Hub.CallAsync(RuntimePaths.DeleteJob, new DeleteJobRequest { Name = "j" }, DeleteJobResponse.Parser);
        (await Should.ThrowAsync<RpcException>(GetAsync(sidecar, "j"))).Code.ShouldBe(GrpcStatusCode.NotFound);

        foreach (var bad in new[]
        {
            new ScheduleJobRequest(),
            new ScheduleJobRequest { Job = new Job { Schedule = "@daily" } },
            new ScheduleJobRequest { Job = new Job { Name = "..", Schedule = "@daily" } },
            new ScheduleJobRequest { Job = new Job { Name = "x" } },
            new ScheduleJobRequest { Job = new Job { Name = "x", Schedule = "often" } },
            new ScheduleJobRequest { Job = new Job { Name = "x", Schedule = "@every 99999999h" } },
            new ScheduleJobRequest { Job = new Job { Name = "x", DueTime = "1s", Data = new Any { TypeUrl = "type.googleapis.com/google.protobuf.StringValue", Value = ByteString.CopyFrom(0xFF) } } },
        })
        {
            (await CodeAsync(bad)).ShouldBe(GrpcStatusCode.InvalidArgument, bad.ToString());
        }

        async Task<GrpcStatusCode> CodeAsync(ScheduleJobRequest request) =>
            (await Should.ThrowAsync<RpcException>(sidecar.Hub.CallAsync(RuntimePaths.ScheduleJob, request, ScheduleJobResponse.Parser))).Code;
    }

    [Fact]
    public async Task What_is_published_over_gRPC_is_delivered_like_anything_else()
    {
        await using var app = await SubscriberApp.StartAsync(_ => Microsoft.AspNetCore.Http.Results.Ok());
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Port });
        await PublishAsync(new PublishEventRequest
        {
            PubsubName = "pubsub",
            Topic = "orders",
            Data = ByteString.CopyFromUtf8("""{"a":1}"""),
            DataContentType = "application/json",
            Metadata = { ["cloudevent.type"] = "own" },
        });
        var seen = (await app.NextAsync()).Event;
        (seen.GetProperty("data").GetRawText(), seen.GetProperty("type").GetString()).ShouldBe(("""{"a":1}""", "own"));

        (await RefusedAsync(new PublishEventRequest { PubsubName = "nobody", Topic = "orders" })).ShouldBe((GrpcStatusCode.InvalidArgument, "pubsub nobody is not found"));
        (await RefusedAsync(new PublishEventRequest { PubsubName = "pubsub" })).ShouldBe((GrpcStatusCode.InvalidArgument, "topic is empty in pubsub pubsub"));

        Task PublishAsync(PublishEventRequest request) => sidecar.Hub.CallAsync(RuntimePaths.PublishEvent, request, Empty.Parser);

        async Task<(GrpcStatusCode, string)> RefusedAsync(PublishEventRequest request)
        {
            var e = await Should.ThrowAsync<RpcException>(PublishAsync(request));
            return (e.Code, e.Detail);
        }
    }

    [Fact]
    public async Task Each_app_sees_itself_and_its_own_workers()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = 9, Apps = [new SidecarAppOptions("other")] }, _state.FullName);
        using var hub = new TaskHubClient(sidecar.Endpoints.GrpcPortOf("other"));
        (await MetadataAsync(hub)).ShouldSatisfyAllConditions(m => m.Id.ShouldBe("other"), m => m.Workflows.ShouldBeNull());
        await using var first = await ScriptedWorker.ConnectAsync(hub, _ => []);
        await using var second = await ScriptedWorker.ConnectAsync(hub, _ => []);

        (await MetadataAsync(hub)).ShouldSatisfyAllConditions(
            m => m.Workflows.ConnectedWorkers.ShouldBe(2),
            m => m.ActiveActorsCount.Select(a => a.Type).ShouldContain("dapr.internal.default.other.workflow"),
            m => m.AppConnectionProperties.ShouldBeNull());
        (await MetadataAsync(sidecar.Hub)).ShouldSatisfyAllConditions(
            m => m.Id.ShouldBe("test"), m => m.Workflows.ShouldBeNull(), m => m.RuntimeVersion.ShouldBe("1.18.3"), m => m.AppConnectionProperties.Port.ShouldBe(9));
        (await sidecar.Http.GetStringAsync("/v1.0/metadata")).ShouldNotContain("connectedWorkers");
        (await sidecar.Http.GetStringAsync("/v1.0/metadata?appid=other")).ShouldContain("\"workflows\":{\"connectedWorkers\":2}");
        (await sidecar.Http.GetAsync("/v1.0/metadata?appid=third")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        // Jobs and messages are the main app's.
        foreach (var path in new[] { RuntimePaths.ScheduleJob, RuntimePaths.PublishEvent })
            (await Should.ThrowAsync<RpcException>(hub.CallAsync(path, new ScheduleJobRequest(), Empty.Parser))).Code.ShouldBe(GrpcStatusCode.Unimplemented);
    }

    [Fact]
    public async Task Extended_metadata_is_set_shown_and_bounded()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await SetAsync("colour", "blue");
        (await MetadataAsync(sidecar.Hub)).ExtendedMetadata["colour"].ShouldBe("blue");
        (await sidecar.Http.GetStringAsync("/v1.0/metadata")).ShouldContain("\"colour\":\"blue\"");
        (await Should.ThrowAsync<RpcException>(SetAsync("big", new string('x', 65 * 1024)))).Code.ShouldBe(GrpcStatusCode.ResourceExhausted);
        for (var i = 0; i < 997; i++)
            await SetAsync($"k{i}", "v");
        using var full = await sidecar.Http.PutAsync("/v1.0/metadata/one-more", new StringContent("v"));
        full.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        await SetAsync("colour", "red");

        Task SetAsync(string key, string value) => sidecar.Hub.CallAsync(RuntimePaths.SetMetadata, new SetMetadataRequest { Key = key, Value = value }, Empty.Parser);
    }

    [Fact]
    public async Task A_call_that_is_not_served_says_so()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        foreach (var name in new[] { "ListJobs", "GetState", "InvokeBinding", "StartWorkflowBeta1", "" })
            (await Should.ThrowAsync<RpcException>(sidecar.Hub.CallAsync(RuntimePaths.Service + name, new Empty(), Empty.Parser))).Code.ShouldBe(GrpcStatusCode.Unimplemented, name);
    }

    Task<SidecarApp> StartAsync(int? appPort) => SidecarApp.StartAsync(o => o with { AppPort = appPort }, _state.FullName, _time);

    static Task ScheduleAsync(SidecarApp sidecar, Job job, bool overwrite = false, string version = "") =>
        sidecar.Hub.CallAsync(RuntimePaths.ScheduleJob + version, new ScheduleJobRequest { Job = job, Overwrite = overwrite }, ScheduleJobResponse.Parser);

    static async Task<Job> GetAsync(SidecarApp sidecar, string name, string version = "") =>
        (await sidecar.Hub.CallAsync(RuntimePaths.GetJob + version, new GetJobRequest { Name = name }, GetJobResponse.Parser)).Job;

    static Task<GetMetadataResponse> MetadataAsync(TaskHubClient hub) => hub.CallAsync(RuntimePaths.GetMetadata, new GetMetadataRequest(), GetMetadataResponse.Parser);
}
