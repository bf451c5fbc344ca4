using Dapr.Workflow;
using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Benchmarks.Sidecar;

/// <summary>A durable sidecar and one worker with its client, over the loopback as in a deployment, in one process.</summary>
sealed class Lab : IAsyncDisposable
{
    readonly WebApplication _sidecar;
    readonly IHost _worker;

    Lab(WebApplication sidecar, IHost worker) => (_sidecar, _worker) = (sidecar, worker);

    public DaprWorkflowClient Client => _worker.Services.GetRequiredService<DaprWorkflowClient>();

    public static async Task<WebApplication> StartSidecarAsync(string state)
    {
        var app = LoopbackApp.CreateSidecar(new() { GrpcPort = 0, HttpPort = 0, StateDirectory = state });
        await app.StartAsync();
        return app;
    }

    public static async Task<Lab> StartAsync(string state, Action<WorkflowRuntimeOptions> configure)
    {
        var sidecar = await StartSidecarAsync(state);
        var port = sidecar.Services.GetRequiredService<SidecarEndpoints>().GrpcPort;
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["DAPR_GRPC_ENDPOINT"] = $"http://127.0.0.1:{port}" });
        builder.Logging.ClearProviders();
        builder.Services.AddDaprWorkflow(configure);
        var worker = builder.Build();
        await worker.StartAsync();
        return new Lab(sidecar, worker);
    }

    /// <summary>The best of several runs, each over a state of its own, after one that warms the code up.</summary>
    public static async Task<double> BestAsync(int runs, Action<WorkflowRuntimeOptions> configure, Func<DaprWorkflowClient, Task<double>> measure)
    {
        var best = 0.0;
        for (var run = 0; run <= runs; run++)
        {
            var state = Directory.CreateTempSubdirectory("leanpipe-benchmark-");
            await using (var lab = await StartAsync(state.FullName, configure))
            {
                var value = await measure(lab.Client);
                if (run > 0)
                    best = Math.Max(best, value);
            }

            state.Delete(recursive: true);
        }

        return best;
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.StopAsync();
        _worker.Dispose();
        await _sidecar.StopAsync(new CancellationToken(canceled: true));
        await _sidecar.DisposeAsync();
    }
}
