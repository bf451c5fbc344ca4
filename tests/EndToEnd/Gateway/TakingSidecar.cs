using System.Text.Json;
using System.Threading.Channels;
using LeanPipe.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.EndToEnd.Gateway;

/// <summary>Takes every event of sealed windows and lives longer than any gateway.</summary>
sealed class TakingSidecar : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly HashSet<WindowSealed> _events = [];
    readonly Channel<bool> _arrivals = Channel.CreateUnbounded<bool>();

    TakingSidecar(WebApplication app) => _app = app;

    public Uri Endpoint { get; private set; } = null!;

    public HashSet<WindowSealed> Events
    {
        get
        {
            lock (_events) return [.. _events];
        }
    }

    public ValueTask<bool> NextAsync(CancellationToken stop) => _arrivals.Reader.ReadAsync(stop);

    public static async Task<TakingSidecar> StartAsync()
    {
        var app = LoopbackApp.Create();
        var sidecar = new TakingSidecar(app);
        app.MapPost("/v1.0/publish/{pubsub}/{topic}", async context =>
        {
            var window = (await JsonSerializer.DeserializeAsync(context.Request.Body, ContractsJson.Default.WindowSealed))!;
            lock (sidecar._events) sidecar._events.Add(window);
            sidecar._arrivals.Writer.TryWrite(true);
            context.Response.StatusCode = 204;
        });
        await app.StartAsync();
        sidecar.Endpoint = app.Address();
        return sidecar;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
