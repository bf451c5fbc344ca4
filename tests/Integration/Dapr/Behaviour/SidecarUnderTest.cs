using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Integration.DaprBehaviour;

/// <summary>
/// The sidecar that a test talks to: the one that runs at LEANPIPE_DAPR_GRPC and LEANPIPE_DAPR_HTTP (two addresses, <c>http://host:port</c>) if they
/// are set, otherwise the embedded one, in this process, with a folder that outlives its restarts.
/// </summary>
sealed class SidecarUnderTest : IAsyncDisposable
{
    static readonly string? RunningGrpc = Environment.GetEnvironmentVariable("LEANPIPE_DAPR_GRPC");
    static readonly string? RunningHttp = Environment.GetEnvironmentVariable("LEANPIPE_DAPR_HTTP");

    readonly string? _token;
    readonly DirectoryInfo? _state;
    WebApplication? _app;

    SidecarUnderTest(string? token)
    {
        _token = token;
        if (!IsRunning)
            _state = Directory.CreateTempSubdirectory("leanpipe-behaviour-");
    }

    static bool IsRunning => RunningGrpc is not null && RunningHttp is not null;

    public Uri Grpc => IsRunning ? new Uri(RunningGrpc!) : new Uri($"http://127.0.0.1:{Ports.GrpcPort}");

    public Uri Http => IsRunning ? new Uri(RunningHttp!) : new Uri($"http://127.0.0.1:{Ports.HttpPort}");

    SidecarEndpoints Ports => _app!.Services.GetRequiredService<SidecarEndpoints>();

    /// <summary>For what a test cannot do to a sidecar that somebody else runs.</summary>
    public static void RequireOwn(string reason) => Assert.SkipWhen(IsRunning, reason);

    public static async Task<SidecarUnderTest> StartAsync(string? token = null)
    {
        var sidecar = new SidecarUnderTest(token);
        if (!IsRunning)
            await sidecar.StartAsync(FreePort.Next(), FreePort.Next());
        return sidecar;
    }

    /// <summary>Stops it and starts it again on the same ports over the same state.</summary>
    public async Task RestartAsync()
    {
        var (grpc, http) = (Ports.GrpcPort, Ports.HttpPort);
        await StopAsync();
        await StartAsync(grpc, http);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await StopAsync();
        _state?.Delete(recursive: true);
    }

    async Task StartAsync(int grpcPort, int httpPort)
    {
        _app = LoopbackApp.CreateSidecar(new() { GrpcPort = grpcPort, HttpPort = httpPort, StateDirectory = _state!.FullName, ApiToken = _token });
        await _app.StartAsync();
    }

    // Streams of work items never end by themselves; a graceful stop would wait for them.
    async Task StopAsync()
    {
        using var now = new CancellationTokenSource();
        now.Cancel();
        await _app!.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
