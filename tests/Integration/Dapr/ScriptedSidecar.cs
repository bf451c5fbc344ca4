using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Google.Protobuf;
using LeanPipe.DaprWire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Integration.DaprStandIns;

sealed record ReceivedCall(string Path, byte[] Message, string Token, string Te);

/// <summary>A gRPC server on a real socket that does what a test says: a script per stream of work items, an answer per call.</summary>
sealed class ScriptedSidecar : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly Channel<Func<HttpContext, Task>> _streams = Channel.CreateUnbounded<Func<HttpContext, Task>>();
    readonly ConcurrentDictionary<string, Func<HttpContext, byte[], Task>> _calls = new();

    ScriptedSidecar(WebApplication app) => _app = app;

    /// <summary>Every call but the stream of work items, in order of arrival.</summary>
    public Channel<ReceivedCall> Received { get; } = Channel.CreateUnbounded<ReceivedCall>();

    public int Port { get; private init; }

    public string Endpoint => $"http://127.0.0.1:{Port}";

    public static async Task<ScriptedSidecar> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        ListenOptions? bound = null;
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            bound = listen;
        }));
        var app = builder.Build();
        ScriptedSidecar? sidecar = null;
        app.Run(context => sidecar!.HandleAsync(context));
        await app.StartAsync();
        return sidecar = new ScriptedSidecar(app) { Port = bound!.IPEndPoint!.Port };
    }

    /// <summary>What the next stream of work items does; streams without a script stay open and silent.</summary>
    public void NextStream(Func<HttpContext, Task> script) => _streams.Writer.TryWrite(script);

    public void Answer(string path, Func<HttpContext, byte[], Task> answer) => _calls[path] = answer;

    public void Answer(string path, IMessage message) => Answer(path, (context, _) => OkAsync(context, message));

    /// <summary>The next completion that a worker sends.</summary>
    public async Task<T> NextAsync<T>(string path, MessageParser<T> parser)
        where T : IMessage<T>
    {
        await foreach (var call in Received.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            if (call.Path == path)
            {
                return parser.ParseFrom(call.Message);
            }
        }

        throw new InvalidOperationException("The server was stopped.");
    }

    public static async Task OkAsync(HttpContext context, IMessage message)
    {
        await SendAsync(context, message);
        End(context, GrpcStatusCode.Ok);
    }

    public static async Task SendAsync(HttpContext context, IMessage message)
    {
        Begin(context);
        await context.Response.Body.WriteAsync(GrpcFrames.ToBytes(message));
        await context.Response.Body.FlushAsync();
    }

    /// <summary>The status as trailers, after headers and messages.</summary>
    public static void End(HttpContext context, GrpcStatusCode status, string message = "")
    {
        Begin(context);
        context.Response.AppendTrailer(GrpcHeaders.Status, $"{(int)status}");
        context.Response.AppendTrailer(GrpcHeaders.Message, GrpcHeaders.EncodeMessage(message));
    }

    /// <summary>The status in the headers of an answer without a body.</summary>
    public static Task TrailersOnly(HttpContext context, GrpcStatusCode status, string message = "")
    {
        context.Response.ContentType = GrpcHeaders.ContentType;
        context.Response.Headers[GrpcHeaders.Status] = $"{(int)status}";
        context.Response.Headers[GrpcHeaders.Message] = GrpcHeaders.EncodeMessage(message);
        return Task.CompletedTask;
    }

    /// <summary>Keeps a stream open until the worker or the server ends it.</summary>
    public static async Task HoldAsync(HttpContext context)
    {
        var gone = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        now.Cancel();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    static void Begin(HttpContext context)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = GrpcHeaders.ContentType;
        }
    }

    async Task HandleAsync(HttpContext context)
    {
        var request = await GrpcFrames.ReadAsync(context.Request.Body);
        var path = context.Request.Path.Value!;
        var call = new ReceivedCall(path, request.Message.ToArray(), $"{context.Request.Headers[GrpcHeaders.ApiToken]}", $"{context.Request.Headers.TE}");
        if (path == TaskHubPaths.GetWorkItems)
        {
            await (_streams.Reader.TryRead(out var script) ? script(context) : HoldAsync(context));
            return;
        }

        if (_calls.TryGetValue(path, out var answer))
        {
            await answer(context, call.Message);
        }
        else if (path is TaskHubPaths.CompleteActivityTask or TaskHubPaths.CompleteOrchestratorTask or TaskHubPaths.Hello)
        {
            await OkAsync(context, new CompleteTaskResponse());
        }
        else
        {
            await TrailersOnly(context, GrpcStatusCode.Unimplemented);
        }

        await Received.Writer.WriteAsync(call);
    }
}
