using System.Net;
using System.Threading.Channels;
using LeanPipe.Contracts;
using LeanPipe.Integration.Gateway;
using LeanPipe.Integration.Sidecar;
using LeanPipe.Orchestrator;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>Schedules over restarts, outages, edited documents and clocks that differ.</summary>
public sealed class ScheduleTests : IDisposable
{
    const string Nightly = "pipeline: p\ntrigger: { schedule: \"0 3 * * *\" }\nsteps: { one: { inputs: { f: { file: x.csv } }, sql: one.sql } }\n";

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-schedule-");
    readonly ManualTime _serviceTime = new(new(2026, 1, 1, 4, 0, 0, TimeSpan.Zero));

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_time_that_passed_while_the_service_was_down_is_made_up_for_when_it_is_back()
    {
        var time = new ManualTime(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = FreePort.Next() }, time: time);
        Write("p", Nightly);
        await LifeAsync(sidecar, "p");
        time.Advance(TimeSpan.FromHours(4));

        Write("z", Nightly.Replace("pipeline: p", "pipeline: z", StringComparison.Ordinal));
        await LifeAsync(sidecar, "z");
        await using var app = await JobApp.StartAsync();
        sidecar.Endpoints.AppPort = app.Port;
        var next = app.NextAsync();
        while (!next.IsCompleted)
        {
            // Past whatever pause the sidecar makes; every look is a round trip.
            time.Advance(TimeSpan.FromMilliseconds(10));
            await sidecar.Http.GetAsync("/v1.0/healthz");
        }
        (await next).Name.ShouldBe("pipeline-p");
    }

    [Fact]
    public async Task A_trigger_that_fails_is_tried_until_it_is_taken()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        Write("p", Nightly);
        await LifeAsync(sidecar, "p");
        // Without a policy of its own a job is given up after three more attempts, a second apart: a lake that is away for ten seconds at night would cost the night's run.
        (await sidecar.Http.GetStringAsync("/v1.0/jobs/pipeline-p")).ShouldContain("""
            "failurePolicy":{"constant":{"interval":"10s"}}
            """);
    }

    [Fact]
    public async Task A_document_that_is_being_edited_loses_neither_its_job_nor_a_time()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        Write("p", Nightly);
        using var jobs = Jobs(sidecar);
        await jobs.StartAsync(default);
        await RegisteredAsync(sidecar, "p");

        Write("p", "pipeline: p\ntrigger: { schedule");
        foreach (var other in (string[])["y", "z"])
        {
            Write(other, Nightly.Replace("pipeline: p", $"pipeline: {other}", StringComparison.Ordinal));
            _serviceTime.Advance(TimeSpan.FromSeconds(31));
            await RegisteredAsync(sidecar, other);
        }
        (await sidecar.Http.GetAsync("/v1.0/jobs/pipeline-p")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Should.ThrowAsync<LeanPipeException>(() => jobs.FireAsync("pipeline-p", default))).IsTransient.ShouldBeTrue();
        await jobs.StopAsync(default);
    }

    [Fact]
    public async Task A_clock_that_is_behind_the_schedulers_takes_the_window_that_was_meant()
    {
        await using var lab = await OrchestratorLab.StartAsync(Nightly.Replace("0 3 * * *", "0 * * * *", StringComparison.Ordinal), ("one.sql", "SELECT 1 AS a"), ("x.csv", "a\n1\n"));
        var time = new ManualTime(new(2026, 1, 1, 9, 59, 59, 700, TimeSpan.Zero));
        using var jobs = new ScheduleJobs(new(lab.Config), new(lab.Store, lab.Workflows), new ConfigurationBuilder().Build(), time, NullLogger<ScheduleJobs>.Instance);
        (await jobs.FireAsync("pipeline-p", default)).ShouldBeTrue();
        var ended = (RunEnded)await lab.WaitForAsync(e => e is RunEnded);
        ended.Run.Value.ShouldBe("p-2026-01-01T09-20260101T1000");
    }

    [Fact]
    public async Task An_answer_that_nobody_expects_does_not_end_the_services()
    {
        var asked = Channel.CreateUnbounded<string>();
        await using var app = LoopbackApp.Create();
        app.Map("{**path}", (HttpContext http) =>
        {
            asked.Writer.TryWrite($"{http.Request.Method} {http.Request.Path}");
            http.Response.StatusCode = http.Request.Method == "GET" ? 200 : 500;
            http.Response.ContentType = "application/json; charset=none-such";
            return http.Response.WriteAsync("x");
        });
        await app.StartAsync();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("DAPR_HTTP_ENDPOINT", app.Address().ToString())]).Build();
        Write("p", Nightly);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "housekeeping.yaml"), "housekeeping:\n  schedule: \"@daily\"\n");
        using var jobs = new ScheduleJobs(new(_folder.FullName), null!, configuration, _serviceTime, NullLogger<ScheduleJobs>.Instance);
        await AskAgainAsync(jobs);
        using var housekeeping = new HousekeepingSchedule(
            new() { Lake = new() { Root = "." }, Config = _folder.FullName }, configuration, _serviceTime, NullLogger<HousekeepingSchedule>.Instance);
        await AskAgainAsync(housekeeping);

        async Task AskAgainAsync(BackgroundService service)
        {
            var pausing = _serviceTime.NextTimerAsync();
            await service.StartAsync(default);
            await asked.Reader.ReadAsync();
            await Task.WhenAny(pausing, service.ExecuteTask!);
            while (asked.Reader.TryRead(out _)) continue;
            _serviceTime.Advance(TimeSpan.FromMinutes(2));
            var again = asked.Reader.ReadAsync().AsTask();
            (await Task.WhenAny(again, service.ExecuteTask!).WaitAsync(TimeSpan.FromMinutes(2))).ShouldBe(again);
            await service.StopAsync(default);
        }
    }

    /// <summary>A life of the service, up to when it has registered a pipeline's job.</summary>
    async Task LifeAsync(SidecarApp sidecar, string last)
    {
        using var jobs = Jobs(sidecar);
        await jobs.StartAsync(default);
        await RegisteredAsync(sidecar, last);
        await jobs.StopAsync(default);
    }

    ScheduleJobs Jobs(SidecarApp sidecar) => new(
        new(_folder.FullName), null!, new ConfigurationBuilder().AddInMemoryCollection([new("DAPR_HTTP_PORT", $"{sidecar.Endpoints.HttpPort}")]).Build(), _serviceTime, NullLogger<ScheduleJobs>.Instance);

    // Every look is a round trip.
    static async Task RegisteredAsync(SidecarApp sidecar, string pipeline)
    {
        while ((await sidecar.Http.GetAsync($"/v1.0/jobs/pipeline-{pipeline}")).StatusCode != HttpStatusCode.OK)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    void Write(string pipeline, string yaml)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, "pipelines", pipeline)).FullName;
        File.WriteAllText(Path.Combine(folder, "pipeline.yaml"), yaml);
        File.WriteAllText(Path.Combine(folder, "one.sql"), "SELECT 1 AS a");
        File.WriteAllText(Path.Combine(folder, "x.csv"), "a\n1\n");
    }
}
