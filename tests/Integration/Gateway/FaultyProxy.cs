using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LeanPipe.Integration.Gateway;

/// <summary>What a proxy does to one request.</summary>
enum Fault
{
    None,

    /// <summary>The connection is reset before anything of the request is read.</summary>
    Reset,

    /// <summary>500, without asking the store.</summary>
    Error,

    /// <summary>503 SlowDown, without asking the store.</summary>
    SlowDown,

    /// <summary>No answer, ever.</summary>
    Stall,

    /// <summary>The store does it, and the answer is lost.</summary>
    LostAnswer,

    /// <summary>The store does it, and the answer is 500.</summary>
    FalseError,

    /// <summary>Half of the body is read, then the connection is reset.</summary>
    HalfRead,
}

/// <summary>Stands before a real S3 and does to each request what the test says.</summary>
sealed class FaultyProxy : IAsyncDisposable
{
    static readonly HashSet<string> NotForwarded = new(["Transfer-Encoding", "Connection", "Content-Length", "Expect"], StringComparer.OrdinalIgnoreCase);

    readonly WebApplication _app;
    readonly HttpClient _http = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None, UseCookies = false });
    readonly CancellationTokenSource _ending = new();

    FaultyProxy(WebApplication app) => _app = app;

    public Uri Endpoint { get; private set; } = null!;

    public static async Task<FaultyProxy> StartAsync(Uri target, Func<Fault> next)
    {
        var app = LoopbackApp.Create();
        var proxy = new FaultyProxy(app);
        app.Run(context => proxy.ServeAsync(context, target, next()));
        await app.StartAsync();
        proxy.Endpoint = app.Address();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _app.DisposeAsync();
        _http.Dispose();
        _ending.Dispose();
    }

    async Task ServeAsync(HttpContext context, Uri target, Fault fault)
    {
        switch (fault)
        {
            case Fault.Reset:
                context.Abort();
                return;
            case Fault.Error or Fault.SlowDown:
                await context.Request.Body.CopyToAsync(Stream.Null);
                await FailAsync(context, fault == Fault.Error ? 500 : 503);
                return;
            case Fault.Stall:
                var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using (_ending.Token.Register(() => gone.TrySetResult()))
                await using (context.RequestAborted.Register(() => gone.TrySetResult())) await gone.Task;
                context.Abort();
                return;
            case Fault.HalfRead:
                _ = await context.Request.Body.ReadAsync(new byte[16]);
                context.Abort();
                return;
        }

        using var request = new HttpRequestMessage(new(context.Request.Method), new Uri(target, context.Features.Get<IHttpRequestFeature>()!.RawTarget));
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        if (body.Length > 0 || context.Request.ContentLength is not null) request.Content = new ByteArrayContent(body.ToArray());
        foreach (var (name, values) in context.Request.Headers)
            if (!NotForwarded.Contains(name) && !request.Headers.TryAddWithoutValidation(name, values.ToArray())) request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (fault == Fault.LostAnswer)
        {
            context.Abort();
            return;
        }
        if (fault == Fault.FalseError)
        {
            await FailAsync(context, 500);
            return;
        }
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            if (name is not "Transfer-Encoding" and not "Connection") context.Response.Headers[name] = values.ToArray();
        if (!HttpMethods.IsHead(context.Request.Method)) await answer.Content.CopyToAsync(context.Response.Body);
    }

    static async Task FailAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"<?xml version=\"1.0\"?><Error><Code>{(status == 503 ? "SlowDown" : "InternalError")}</Code><Message>Faulty.</Message></Error>"));
    }
}
