using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Integration.DaprStandIns;

/// <summary>The embedded sidecar on ports of its own and a state folder that outlives a restart.</summary>
sealed class EmbeddedSidecar : IAsyncDisposable
{
    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-dapr-");
    WebApplication _app;

    EmbeddedSidecar() => _app = Build(FreePort.Next());

    public int GrpcPort => _app.Services.GetRequiredService<SidecarEndpoints>().GrpcPort;

    public string Endpoint => $"http://127.0.0.1:{GrpcPort}";

    public static async Task<EmbeddedSidecar> StartAsync()
    {
        var sidecar = new EmbeddedSidecar();
        await sidecar._app.StartAsync();
        return sidecar;
    }

    /// <summary>Stops it and starts another on the same port over the same state.</summary>
    public async Task RestartAsync()
    {
        var port = GrpcPort;
        await StopAsync();
        _app = Build(port);
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _state.Delete(recursive: true);
    }

    // Streams of work items never end by themselves; a graceful stop would wait for them.
    async Task StopAsync()
    {
        using var now = new CancellationTokenSource();
        now.Cancel();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    WebApplication Build(int grpcPort) => LoopbackApp.CreateSidecar(new() { GrpcPort = grpcPort, HttpPort = 0, StateDirectory = _state.FullName });
}
