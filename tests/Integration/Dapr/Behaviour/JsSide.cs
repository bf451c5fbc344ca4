using System.Text.Json;
using LeanPipe.Integration.DaprPeer;

namespace LeanPipe.Integration.DaprBehaviour;

/// <summary>The official JavaScript client.</summary>
sealed class JsClient(NodeScript script) : IClient
{
    static readonly JsonSerializerOptions Names = new(JsonSerializerDefaults.Web);

    public static async Task<JsClient> ConnectAsync(Uri grpc, string? token = null)
    {
        var script = await NodeScript.StartAsync("peer.js");
        await script.CallAsync("connect", new { grpc.Host, grpc.Port, token });
        return new JsClient(script);
    }

    public Task StartAsync(string workflow, object? input, string instance, DateTimeOffset? startAt = null) =>
        script.CallAsync("start", new { workflow, input, instance, startAt });

    public async Task<Seen?> GetAsync(string instance) => (await script.CallAsync("get", new { instance })).Deserialize<Seen>(Names);

    public async Task<Seen> WaitForStartAsync(string instance) => (await script.CallAsync("waitForStart", new { instance })).Deserialize<Seen>(Names)!;

    public async Task<Seen> WaitForEndAsync(string instance) => (await script.CallAsync("waitForEnd", new { instance })).Deserialize<Seen>(Names)!;

    public Task RaiseAsync(string instance, string name, object? payload) => script.CallAsync("raise", new { instance, name, payload });

    public Task SuspendAsync(string instance) => script.CallAsync("suspend", new { instance });

    public Task ResumeAsync(string instance) => script.CallAsync("resume", new { instance });

    public Task TerminateAsync(string instance, object? output) => script.CallAsync("terminate", new { instance, output });

    public async Task<bool> PurgeAsync(string instance) => (await script.CallAsync("purge", new { instance })).GetBoolean();

    public ValueTask DisposeAsync() => script.DisposeAsync();
}

/// <summary>The official JavaScript worker with the suite's workflows.</summary>
static class JsWorker
{
    public static async Task<IAsyncDisposable> StartAsync(Uri grpc, string? token = null)
    {
        var script = await NodeScript.StartAsync("peer.js");
        await script.CallAsync("startWorker", new { grpc.Host, grpc.Port, token });
        return script;
    }
}
