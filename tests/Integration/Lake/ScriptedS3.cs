using System.Collections.Concurrent;
using System.Xml.Linq;
using LeanPipe.Lake;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Lake;

/// <summary>An S3 service on a real socket that answers as a test says, for the answers that a healthy one never gives.</summary>
public sealed class ScriptedS3 : IAsyncDisposable
{
    readonly WebApplication app;

    ScriptedS3(WebApplication app) => this.app = app;

    /// <summary>Of the request, where an answer needs it.</summary>
    public static byte[] Body(HttpContext context) => ((MemoryStream)context.Items["body"]!).ToArray();

    /// <summary>Method, path and query of every request, in order of arrival.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public LakeOptions Options => new()
    {
        Root = "s3://bucket/lake",
        Endpoint = app.Address(),
        AccessKey = "AKIDTEST",
        SecretKey = "a-secret-that-nobody-may-see",
    };

    public static async Task<ScriptedS3> StartAsync(Func<HttpContext, Task> answer)
    {
        var server = new ScriptedS3(LoopbackApp.Create());
        server.app.Run(async context =>
        {
            server.Requests.Enqueue($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}");
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            context.Items["body"] = body;
            await answer(context);
        });
        await server.app.StartAsync();
        return server;
    }

    public static async Task ErrorAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        if (context.Request.Method != "HEAD") await context.Response.WriteAsync(new XElement("Error", new XElement("Code", code), new XElement("Message", "as scripted")).ToString());
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
