using Dapr.Workflow;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Integration.DaprStandIns;

/// <summary>A host with a worker and a client, as a service composes them.</summary>
sealed class WorkerHost(IHost host) : IAsyncDisposable
{
    public DaprWorkflowClient Client => host.Services.GetRequiredService<DaprWorkflowClient>();

    public static async Task<WorkerHost> StartAsync(
        string endpoint, Action<WorkflowRuntimeOptions> configure, string? token = null, TimeProvider? time = null, Action<IServiceCollection>? services = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["DAPR_GRPC_ENDPOINT"] = endpoint, ["DAPR_API_TOKEN"] = token });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(time ?? new HurriedTime());
        services?.Invoke(builder.Services);
        builder.Services.AddDaprWorkflow(configure);
        var host = builder.Build();
        await host.StartAsync();
        return new WorkerHost(host);
    }

    public Task StopAsync(CancellationToken outOfTime) => host.StopAsync(outOfTime);

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }
}
