using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using LeanPipe.Integration.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Sidecar;

/// <summary>The Jobs API with a clock that the tests move and an app that answers as they say.</summary>
public sealed class JobTests : IDisposable
{
    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");
    readonly ManualTime _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public void Dispose() => _state.Delete(recursive: true);

    [Theory]
    [InlineData("/v1.0")]
    [InlineData("/v1.0-alpha1")]
    public async Task A_due_job_is_posted_with_its_data_and_is_gone_afterwards(string version)
    {
        await using var app = await JobApp.StartAsync();
        await using var sidecar = await StartAsync(app.Port);
        await ScheduleAsync(sidecar, "once", """{"dueTime":"10s","data":{"a":1}}""", version);
        (await sidecar.Http.GetStringAsync($"{version}/jobs/once")).ShouldBe("""{"name":"once","dueTime":"10s","data":{"a":1}}""");

        _time.Advance(TimeSpan.FromSeconds(11));
        (await app.NextAsync()).ShouldBe(("once", """{"a":1}"""));
        app.Answer(200);
        await GoneAsync(sidecar, "once");
    }

    [Fact]
    public async Task A_job_comes_again_as_often_as_asked()
    {
        await using var app = await JobApp.StartAsync();
        await using var sidecar = await StartAsync(app.Port);
        await ScheduleAsync(sidecar, "twice", """{"schedule":"@every 1m","repeats":2}""");
        for (var i = 0; i < 2; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(61));
            (await app.NextAsync()).ShouldBe(("twice", ""));
            app.Answer(200);
            if (i == 0)
                await RecordedAsync(sidecar, "twice", triggered: 1);
        }

        await GoneAsync(sidecar, "twice");
    }

    [Fact]
    public async Task Missed_times_are_made_up_for_once_after_a_restart()
    {
        await using (var sidecar = await StartAsync(appPort: null))
            await ScheduleAsync(sidecar, "nightly", """{"schedule":"CRON_TZ=UTC 0 0 3 * * *"}""");

        _time.Advance(TimeSpan.FromDays(5));
        await using var app = await JobApp.StartAsync();
        await using (var sidecar = await StartAsync(app.Port))
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            (await app.NextAsync()).Name.ShouldBe("nightly");
            app.Answer(204);
            await RecordedAsync(sidecar, "nightly", triggered: 1);
            var job = sidecar.Service<LeanPipe.Sidecar.State.StateStore>().Jobs["nightly"];
            DateTimeOffset.FromUnixTimeMilliseconds(job.NextAt).ShouldBe(new DateTimeOffset(2026, 1, 6, 3, 0, 0, TimeSpan.Zero));
        }
    }

    [Fact]
    public async Task A_clock_that_is_set_back_a_little_brings_no_time_twice()
    {
        await using var app = await JobApp.StartAsync();
        await using var sidecar = await StartAsync(app.Port);
        await ScheduleAsync(sidecar, "hourly", """{"schedule":"CRON_TZ=UTC 0 0 * * * *"}""");
        _time.Advance(TimeSpan.FromHours(1) + TimeSpan.FromMilliseconds(20));
        (await app.NextAsync()).Name.ShouldBe("hourly");
        _time.Advance(TimeSpan.FromMilliseconds(-50));
        app.Answer(200);
        await RecordedAsync(sidecar, "hourly", triggered: 1);
        var job = sidecar.Service<LeanPipe.Sidecar.State.StateStore>().Jobs["hourly"];
        DateTimeOffset.FromUnixTimeMilliseconds(job.NextAt).ShouldBe(new DateTimeOffset(2026, 1, 1, 2, 0, 0, TimeSpan.Zero));
    }

    [Theory]
    [InlineData("""{"dueTime":"1s"}""", 4)]
    [InlineData("""{"dueTime":"1s","failurePolicy":{"drop":{}}}""", 1)]
    [InlineData("""{"dueTime":"1s","failurePolicy":{"constant":{"interval":"5s","maxRetries":1}}}""", 2)]
    public async Task A_failing_job_is_tried_as_its_policy_says(string job, int attempts)
    {
        await using var app = await JobApp.StartAsync();
        await using var sidecar = await StartAsync(app.Port);
        await ScheduleAsync(sidecar, "failing", job);
        _time.Advance(TimeSpan.FromSeconds(2));
        for (var attempt = 1; attempt <= attempts; attempt++)
        {
            (await app.NextAsync()).Name.ShouldBe("failing");
            var pausing = _time.NextTimerAsync();
            app.Answer(500);
            if (attempt == attempts)
                continue;
            await pausing;
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        await GoneAsync(sidecar, "failing");
    }

    [Fact]
    public async Task A_404_drops_it_and_a_ttl_ends_it()
    {
        await using var app = await JobApp.StartAsync();
        await using var sidecar = await StartAsync(app.Port);
        await ScheduleAsync(sidecar, "unknown", """{"dueTime":"1s"}""");
        _time.Advance(TimeSpan.FromSeconds(2));
        await app.NextAsync();
        app.Answer(404);
        await GoneAsync(sidecar, "unknown");

        await ScheduleAsync(sidecar, "short", """{"schedule":"@every 10s","ttl":"15s"}""");
        _time.Advance(TimeSpan.FromSeconds(11));
        await app.NextAsync();
        app.Answer(200);
        await GoneAsync(sidecar, "short");
    }

    [Fact]
    public async Task A_deleted_or_overwritten_job_does_not_come()
    {
        await using var app = await JobApp.StartAsync();
        await using var sidecar = await StartAsync(app.Port);
        await ScheduleAsync(sidecar, "deleted", """{"dueTime":"1s"}""");
        await ScheduleAsync(sidecar, "changed", """{"dueTime":"1s","data":"old"}""");
        (await sidecar.Http.DeleteAsync("/v1.0/jobs/deleted")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await sidecar.Http.DeleteAsync("/v1.0/jobs/never-was")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await ErrorAsync(sidecar, "changed", """{"dueTime":"1s","data":"new"}""")).ShouldBe((500, "DAPR_SCHEDULER_SCHEDULE_JOB"));
        await ScheduleAsync(sidecar, "changed", """{"dueTime":"2s","data":"new","overwrite":true}""");

        _time.Advance(TimeSpan.FromSeconds(3));
        (await app.NextAsync()).ShouldBe(("changed", "\"new\""));
        app.Answer(200);
        await GoneAsync(sidecar, "changed");
    }

    [Fact]
    public async Task A_job_waits_for_its_app()
    {
        await using var sidecar = await StartAsync(appPort: null);
        await ScheduleAsync(sidecar, "waiting", """{"dueTime":"1s"}""");
        _time.Advance(TimeSpan.FromSeconds(2));
        await using var app = await JobApp.StartAsync();
        sidecar.Endpoints.AppPort = app.Port;
        (await app.NextAsync()).Name.ShouldBe("waiting");
        app.Answer(200);
        await GoneAsync(sidecar, "waiting");
    }

    [Theory]
    [InlineData("{}", "DAPR_SCHEDULER_SCHEDULE_EMPTY")]
    [InlineData("""{"name":"x","schedule":"@daily"}""", "DAPR_SCHEDULER_JOB_NAME")]
    [InlineData("""{"schedule":"often"}""", "DAPR_SCHEDULER_SCHEDULE_JOB")]
    [InlineData("""{"schedule":"0 0 0 30 2 *"}""", "DAPR_SCHEDULER_SCHEDULE_JOB")]
    [InlineData("""{"dueTime":"soon"}""", "DAPR_SCHEDULER_SCHEDULE_JOB")]
    [InlineData("""{"dueTime":"1s","ttl":"later"}""", "DAPR_SCHEDULER_SCHEDULE_JOB")]
    [InlineData("""{"dueTime":"1s","repeats":-1}""", "ERR_MALFORMED_REQUEST")]
    [InlineData("""{"dueTime":1}""", "ERR_MALFORMED_REQUEST")]
    [InlineData("""{"dueTime":"1s","failurePolicy":{"other":1}}""", "ERR_MALFORMED_REQUEST")]
    [InlineData("""{"dueTime":"1s","failurePolicy":1}""", "ERR_MALFORMED_REQUEST")]
    [InlineData("[]", "ERR_MALFORMED_REQUEST")]
    [InlineData("{", "ERR_MALFORMED_REQUEST")]
    public async Task What_is_no_job_is_refused(string body, string code)
    {
        await using var sidecar = await StartAsync(appPort: null);
        (await ErrorAsync(sidecar, "bad", body)).ShouldBe((400, code));
    }

    Task<SidecarApp> StartAsync(int? appPort) => SidecarApp.StartAsync(o => o with { AppPort = appPort }, _state.FullName, _time);

    static async Task ScheduleAsync(SidecarApp sidecar, string name, string body, string version = "/v1.0") =>
        (await sidecar.Http.PostAsync($"{version}/jobs/{name}", new StringContent(body, Encoding.UTF8, "application/json"))).StatusCode.ShouldBe(HttpStatusCode.NoContent);

    static async Task<(int, string?)> ErrorAsync(SidecarApp sidecar, string name, string body)
    {
        var response = await sidecar.Http.PostAsync($"/v1.0/jobs/{name}", new StringContent(body));
        using var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return ((int)response.StatusCode, error.RootElement.GetProperty("errorCode").GetString());
    }

    // The app's answer has been sent; what it came to is recorded soon. Every look is a round trip.
    static async Task GoneAsync(SidecarApp sidecar, string name)
    {
        while ((await sidecar.Http.GetAsync($"/v1.0/jobs/{name}")).StatusCode != HttpStatusCode.NoContent)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    static async Task RecordedAsync(SidecarApp sidecar, string name, uint triggered)
    {
        var store = sidecar.Service<LeanPipe.Sidecar.State.StateStore>();
        while (Triggered() != triggered)
            await sidecar.Http.GetAsync($"/v1.0/jobs/{name}", TestContext.Current.CancellationToken);

        uint Triggered()
        {
            lock (store.Gate)
                return store.Jobs[name].Triggered;
        }
    }
}

/// <summary>An app that shows which jobs came and answers each when told.</summary>
sealed class JobApp : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly Channel<(string, string)> _seen = Channel.CreateUnbounded<(string, string)>();
    readonly Channel<int> _answers = Channel.CreateUnbounded<int>();

    JobApp()
    {
        _app = LoopbackApp.Create();
        _app.MapPost("/job/{name}", async (HttpContext http, string name) =>
        {
            using var body = new StreamReader(http.Request.Body);
            _seen.Writer.TryWrite((name, await body.ReadToEndAsync(http.RequestAborted)));
            return Results.StatusCode(await _answers.Reader.ReadAsync(http.RequestAborted));
        });
    }

    public int Port => _app.Address().Port;

    public static async Task<JobApp> StartAsync()
    {
        var app = new JobApp();
        await app._app.StartAsync();
        return app;
    }

    public async Task<(string Name, string Body)> NextAsync() => await _seen.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2));

    public void Answer(int status) => _answers.Writer.TryWrite(status);

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
