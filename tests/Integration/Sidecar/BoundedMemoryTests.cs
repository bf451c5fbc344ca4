using System.Net;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Integration.Gateway;
using LeanPipe.Sidecar.Jobs;
using LeanPipe.Sidecar.Workflows;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

/// <summary>What callers can ask for without end does not stay in memory without end.</summary>
public sealed class BoundedMemoryTests : IDisposable
{
    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");

    public void Dispose() => _state.Delete(recursive: true);

    [Fact]
    public async Task Who_waited_for_an_instance_leaves_nothing_behind()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => [Complete("done")]);
        for (var i = 0; i < 20; i++)
        {
            await sidecar.Hub.StartAsync("w", $"i{i}");
            await sidecar.Hub.WaitAsync($"i{i}");
            await sidecar.Hub.WaitAsync($"i{i}");
        }

        sidecar.Service<WorkflowEngine>().Awaited.ShouldBe(0);
    }

    [Fact]
    public async Task Messages_that_nobody_takes_are_refused_by_their_bytes_too()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { MaxPendingMessageBytes = 5000 });
        (await PublishAsync(2000)).ShouldBe(HttpStatusCode.NoContent);
        (await PublishAsync(4000)).ShouldBe(HttpStatusCode.InternalServerError);
        (await PublishAsync(1000)).ShouldBe(HttpStatusCode.NoContent);

        async Task<HttpStatusCode> PublishAsync(int bytes) =>
            (await sidecar.Http.PostAsync("/v1.0/publish/pubsub/orders", new StringContent(new string('x', bytes)))).StatusCode;
    }

    [Fact]
    public async Task Events_that_no_turn_could_take_are_refused_also_without_a_worker()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { MaxMessageBytes = 64 * 1024 });
        await sidecar.Hub.StartAsync("w", "i");
        var taken = 0;
        var refusal = await Should.ThrowAsync<RpcException>(async () =>
        {
            for (; taken < 20; taken++)
                await sidecar.Hub.RaiseAsync("i", "e", new string('x', 10_000));
        });
        (refusal.Detail, taken).ShouldBe(("workflow is stalled", 7));
        await sidecar.Hub.CallAsync(TaskHubPaths.TerminateInstance, new TerminateRequest { InstanceId = "i" }, TerminateResponse.Parser);
        (await sidecar.Hub.WaitAsync("i")).WorkflowStatus.ShouldBe(OrchestrationStatus.Terminated);
    }

    [Fact]
    public async Task A_job_that_is_overwritten_again_and_again_leaves_no_triggers_behind()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        for (var i = 0; i < 100; i++)
            (await sidecar.Http.PostAsync("/v1.0/jobs/j", new StringContent("""{"schedule":"@yearly","overwrite":true}"""))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        sidecar.Service<JobRunner>().Armed.ShouldBeLessThan(20);
    }

    [Fact]
    public async Task Times_beyond_the_calendar_are_taken_or_refused_and_fail_nothing()
    {
        await using var sidecar = await SidecarApp.StartAsync(stateDirectory: _state.FullName, time: new ManualTime(DateTimeOffset.UtcNow));
        (await sidecar.Http.PostAsync($"/v1.0/publish/pubsub/orders?metadata.ttlInSeconds={long.MaxValue}", new StringContent("1"))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await sidecar.Http.PostAsync("/v1.0/jobs/j", new StringContent("""{"schedule":"@every 90000000h"}"""))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var request = new CreateInstanceRequest { Name = "w", InstanceId = "i", ScheduledStartTimestamp = new Timestamp { Seconds = long.MaxValue } };
        await sidecar.Hub.CallAsync(TaskHubPaths.StartInstance, request, CreateInstanceResponse.Parser);
    }

    [Fact]
    public async Task A_pause_between_two_attempts_of_a_job_that_no_timer_can_count_ends_nothing()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var app = await JobApp.StartAsync();
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Port }, _state.FullName, time);
        (await sidecar.Http.PostAsync("/v1.0/jobs/j", new StringContent("""{"dueTime":"1s","failurePolicy":{"constant":{"interval":"100000h"}}}"""))).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        time.Advance(TimeSpan.FromSeconds(2));
        await app.NextAsync();
        var pausing = time.NextTimerAsync();
        app.Answer(500);
        await pausing;
        time.Advance(TimeSpan.FromDays(25));
        (await app.NextAsync()).Name.ShouldBe("j");
    }
}
