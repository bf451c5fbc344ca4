using System.Threading.Channels;
using LeanPipe.Contracts;
using LeanPipe.Integration.Gateway;
using LeanPipe.Sidecar;
using LeanPipe.Sidecar.Bindings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Sidecar;

/// <summary>Cron bindings with a clock that the tests move and an app that answers as they say.</summary>
public sealed class CronBindingTests : IDisposable
{
    static readonly CronBinding Nightly = new("nightly", "CRON_TZ=UTC 0 0 3 * * *");

    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");
    readonly ManualTime _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public void Dispose() => _state.Delete(recursive: true);

    [Theory]
    [InlineData(200, null, "/nightly")]
    [InlineData(405, "/on/night", "/on/night")]
    [InlineData(204, "on/night", "/on/night")]
    public async Task An_app_that_takes_the_binding_gets_every_tick(int answersOptions, string? route, string path)
    {
        await using var app = await BindingApp.StartAsync(answersOptions);
        await using var sidecar = await StartAsync(app.Port, Nightly with { Route = route });
        (await app.NextAsync()).ShouldBe(("OPTIONS", path, "", "", ""));
        await TakenAsync(sidecar);

        for (var day = 1; day <= 2; day++)
        {
            _time.Advance(TimeSpan.FromHours(day == 1 ? 3 : 24));
            _time.Advance(TimeSpan.FromSeconds(1));
            (await app.NextAsync()).ShouldBe(("POST", path, "application/json", $"2026-01-0{day} 03:00:0{(day == 1 ? 0 : 1)} +0000 UTC", "Local"));
        }
    }

    [Fact]
    public async Task An_app_that_does_not_take_it_is_left_alone_until_it_moves()
    {
        await using var refusing = await BindingApp.StartAsync(404);
        await using var app = await BindingApp.StartAsync(200);
        await using var sidecar = await StartAsync(refusing.Port, Nightly);
        (await refusing.NextAsync()).Method.ShouldBe("OPTIONS");
        _time.Advance(TimeSpan.FromHours(4));

        sidecar.Endpoints.AppPort = app.Port;
        (await app.NextAsync()).Method.ShouldBe("OPTIONS");
        await TakenAsync(sidecar);
        _time.Advance(TimeSpan.FromHours(24));
        (await app.NextAsync()).Method.ShouldBe("POST");
        refusing.Requests.ShouldBe(1);
    }

    [Fact]
    public async Task Ticks_without_an_app_are_lost_and_a_refused_one_does_not_come_again()
    {
        await using var sidecar = await StartAsync(appPort: null, new CronBinding("often", "@every 10s"));
        _time.Advance(TimeSpan.FromSeconds(35));

        await using var app = await BindingApp.StartAsync(200, answersPost: 500);
        sidecar.Endpoints.AppPort = app.Port;
        (await app.NextAsync()).Method.ShouldBe("OPTIONS");
        await TakenAsync(sidecar, "often");
        for (var tick = 1; tick <= 2; tick++)
        {
            _time.Advance(TimeSpan.FromSeconds(11));
            (await app.NextAsync()).Method.ShouldBe("POST");
        }

        app.Requests.ShouldBe(3);
    }

    [Fact]
    public async Task The_bindings_are_components_of_the_sidecar()
    {
        await using var sidecar = await StartAsync(appPort: null, Nightly);
        (await sidecar.Http.GetStringAsync("/v1.0/metadata")).ShouldContain("""{"name":"nightly","type":"bindings.cron","version":"v1"}""");
    }

    [Theory]
    [InlineData("", "@daily", null, "no name")]
    [InlineData("b", "often", null, "'often'")]
    [InlineData("b", "@daily", "on night", "no path")]
    public async Task What_is_no_binding_is_refused(string name, string schedule, string? route, string says) =>
        (await Should.ThrowAsync<LeanPipeException>(() => StartAsync(appPort: null, new CronBinding(name, schedule, route)))).Message.ShouldContain(says);

    [Fact]
    public async Task Two_bindings_of_one_name_are_refused() =>
        (await Should.ThrowAsync<LeanPipeException>(() => StartAsync(appPort: null, Nightly, Nightly))).Message.ShouldContain("'nightly' 2 times");

    Task<SidecarApp> StartAsync(int? appPort, params CronBinding[] bindings) =>
        SidecarApp.StartAsync(o => o with { AppPort = appPort, CronBindings = bindings }, _state.FullName, _time);

    // The app's answer has been sent; the sidecar knows it soon. Every look is a round trip.
    static async Task TakenAsync(SidecarApp sidecar, string binding = "nightly")
    {
        while (!sidecar.Service<CronTicker>().IsTaken(binding))
            await sidecar.Http.GetAsync("/v1.0/healthz", TestContext.Current.CancellationToken);
    }
}

/// <summary>An app that shows what it is asked.</summary>
sealed class BindingApp : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly Channel<(string, string, string, string, string)> _seen = Channel.CreateUnbounded<(string, string, string, string, string)>();
    int _requests;

    BindingApp(int answersOptions, int answersPost)
    {
        _app = LoopbackApp.Create();
        _app.Run(http =>
        {
            http.Response.StatusCode = http.Request.Method == "OPTIONS" ? answersOptions : http.Request.Method == "POST" ? answersPost : 404;
            // Deliveries ask for something else.
            if (http.Request.Method == "GET")
                return Task.CompletedTask;
            Interlocked.Increment(ref _requests);
            _seen.Writer.TryWrite((
                http.Request.Method, http.Request.Path, http.Request.ContentType ?? "", http.Request.Headers["readTimeUTC"].ToString(), http.Request.Headers["timeZone"].ToString()));
            return Task.CompletedTask;
        });
    }

    public int Requests => Volatile.Read(ref _requests);

    public int Port => _app.Address().Port;

    public static async Task<BindingApp> StartAsync(int answersOptions, int answersPost = 200)
    {
        var app = new BindingApp(answersOptions, answersPost);
        await app._app.StartAsync();
        return app;
    }

    public async Task<(string Method, string Path, string ContentType, string At, string Zone)> NextAsync() =>
        await _seen.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2));

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
