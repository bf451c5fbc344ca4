using System.Text.Json;
using Dapr.Workflow;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Integration.DaprBehaviour;

/// <summary>A host with the packages that the services use: its client, and its worker once the host is started.</summary>
static class CsHost
{
    public static IHost Build(Uri grpc, string? token, Action<WorkflowRuntimeOptions> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["DAPR_GRPC_ENDPOINT"] = grpc.AbsoluteUri, ["DAPR_API_TOKEN"] = token });
        builder.Logging.ClearProviders();
        builder.Services.AddDaprWorkflow(configure);
        return builder.Build();
    }
}

/// <summary>Our client. Its host is never started: a started one would be a worker too.</summary>
sealed class CsClient(IHost host) : IClient
{
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);

    readonly DaprWorkflowClient _client = host.Services.GetRequiredService<DaprWorkflowClient>();

    public static CsClient Connect(Uri grpc, string? token = null) => new(CsHost.Build(grpc, token, _ => { }));

    public Task StartAsync(string workflow, object? input, string instance, DateTimeOffset? startAt = null) =>
        _client.ScheduleNewWorkflowAsync(workflow, instance, input, startAt);

    public async Task<Seen?> GetAsync(string instance) => await _client.GetWorkflowStateAsync(instance) is { Exists: true } state ? Of(state) : null;

    public Task<Seen> WaitForStartAsync(string instance) => WithinAsync(end => _client.WaitForWorkflowStartAsync(instance, cancellation: end));

    public Task<Seen> WaitForEndAsync(string instance) => WithinAsync(end => _client.WaitForWorkflowCompletionAsync(instance, cancellation: end));

    public Task RaiseAsync(string instance, string name, object? payload) => _client.RaiseEventAsync(instance, name, payload);

    public Task SuspendAsync(string instance) => _client.SuspendWorkflowAsync(instance);

    public Task ResumeAsync(string instance) => _client.ResumeWorkflowAsync(instance);

    public Task TerminateAsync(string instance, object? output) => _client.TerminateWorkflowAsync(instance, output);

    public Task<bool> PurgeAsync(string instance) => _client.PurgeInstanceAsync(instance);

    public ValueTask DisposeAsync()
    {
        host.Dispose();
        return ValueTask.CompletedTask;
    }

    static async Task<Seen> WithinAsync(Func<CancellationToken, Task<WorkflowState>> wait)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        end.CancelAfter(LongestWait);
        return Of(await wait(end.Token));
    }

    static Seen Of(WorkflowState state) => new(
        $"{state.RuntimeStatus}",
        state.WorkflowName,
        Text(state.ReadInputAs<JsonElement>()),
        Text(state.ReadOutputAs<JsonElement>()),
        Text(state.ReadCustomStatusAs<JsonElement>()),
        state.FailureDetails?.ErrorMessage);

    static string? Text(JsonElement json) => json.ValueKind == JsonValueKind.Undefined ? null : json.GetRawText();
}

/// <summary>Our worker with the suite's workflows.</summary>
sealed class CsWorker(IHost host) : IAsyncDisposable
{
    public static async Task<IAsyncDisposable> StartAsync(Uri grpc, string? token = null)
    {
        var host = CsHost.Build(grpc, token, Workflows.Register);
        await host.StartAsync();
        return new CsWorker(host);
    }

    // As a process that is killed: what it was doing is not waited for.
    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(new CancellationToken(canceled: true));
        host.Dispose();
    }
}
