namespace LeanPipe.Integration.DaprBehaviour;

/// <summary>Which SDK plays a part.</summary>
public enum Sdk
{
    CSharp,
    JavaScript,
}

/// <summary>A client and a worker at one sidecar, started with the first test that needs them.</summary>
public abstract class Pair(Sdk client, Sdk worker) : IAsyncDisposable
{
    SidecarUnderTest? _sidecar;
    IClient? _client;
    IAsyncDisposable? _worker;

    internal SidecarUnderTest Sidecar => _sidecar!;

    internal async Task<IClient> StartedAsync()
    {
        _sidecar ??= await SidecarUnderTest.StartAsync();
        _worker ??= await StartWorkerAsync(worker, _sidecar.Grpc);
        return _client ??= await ConnectAsync(client, _sidecar.Grpc);
    }

    internal static async Task<IClient> ConnectAsync(Sdk sdk, Uri grpc, string? token = null) =>
        sdk == Sdk.CSharp ? CsClient.Connect(grpc, token) : await JsClient.ConnectAsync(grpc, token);

    internal static Task<IAsyncDisposable> StartWorkerAsync(Sdk sdk, Uri grpc, string? token = null) =>
        sdk == Sdk.CSharp ? CsWorker.StartAsync(grpc, token) : JsWorker.StartAsync(grpc, token);

    /// <summary>Restarts the sidecar under its worker.</summary>
    internal async Task RestartSidecarAsync()
    {
        await _sidecar!.RestartAsync();

        // The JavaScript worker gives up when its first stream ends, "shutting down" included; its process manager starts it again.
        if (worker == Sdk.JavaScript)
            await ReplaceWorkerAsync();
    }

    /// <summary>Kills the worker and starts another.</summary>
    internal async Task ReplaceWorkerAsync()
    {
        await _worker!.DisposeAsync();
        _worker = await StartWorkerAsync(worker, _sidecar!.Grpc);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new[] { _client, _worker, _sidecar })
        {
            if (part is not null)
                await part.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }
}

public sealed class JsClientJsWorker() : Pair(Sdk.JavaScript, Sdk.JavaScript);

public sealed class CsClientCsWorker() : Pair(Sdk.CSharp, Sdk.CSharp);

public sealed class JsClientCsWorker() : Pair(Sdk.JavaScript, Sdk.CSharp);

public sealed class CsClientJsWorker() : Pair(Sdk.CSharp, Sdk.JavaScript);
