using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Integration.Sidecar;

/// <summary>An embedded sidecar in this process, on free ports and its own folder.</summary>
sealed class SidecarApp : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly DirectoryInfo? _owned;

    SidecarApp(WebApplication app, DirectoryInfo? owned)
    {
        (_app, _owned) = (app, owned);
        Endpoints = app.Services.GetRequiredService<SidecarEndpoints>();
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Endpoints.HttpPort}") };
        Hub = new TaskHubClient(Endpoints.GrpcPort);
    }

    public SidecarEndpoints Endpoints { get; }

    /// <summary>For what only this process can see: what is in memory.</summary>
    public T Service<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public HttpClient Http { get; }

    public TaskHubClient Hub { get; }

    /// <param name="configure">Changes the defaults of a test.</param>
    /// <param name="stateDirectory">Kept afterwards; null = a new one, deleted at the end.</param>
    /// <param name="time">The sidecar's clock.</param>
    public static async Task<SidecarApp> StartAsync(Func<SidecarOptions, SidecarOptions>? configure = null, string? stateDirectory = null, TimeProvider? time = null)
    {
        var owned = stateDirectory is null ? Directory.CreateTempSubdirectory("leanpipe-sidecar-") : null;
        var options = new SidecarOptions
        {
            AppId = "test",
            HttpPort = 0,
            GrpcPort = 0,
            StateDirectory = stateDirectory ?? owned!.FullName,
            FirstRetryAfter = TimeSpan.FromMilliseconds(10),
            LastRetryAfter = TimeSpan.FromMilliseconds(50),
        };
        var app = LoopbackApp.CreateSidecar(configure?.Invoke(options) ?? options, time);
        await app.StartAsync();
        return new SidecarApp(app, owned);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Hub.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _owned?.Delete(recursive: true);
    }
}
