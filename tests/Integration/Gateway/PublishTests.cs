using System.Text;
using System.Text.Json;
using Dapr.Client;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Integration.Gateway;

public sealed class PublishTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-publish-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_event_reaches_the_sidecars_publish_API_as_snake_case_JSON()
    {
        Assert.SkipWhen(typeof(DaprClient).Assembly.GetName().Name == "Dapr.Client", "The official client publishes by gRPC; this sidecar stand-in speaks HTTP.");
        var received = new TaskCompletionSource<string>();
        var refusals = 2;
        await using var sidecar = LoopbackApp.Create();
        sidecar.MapPost("/v1.0/publish/{pubsub}/{topic}", async (string pubsub, string topic, HttpRequest request) =>
        {
            if (refusals-- > 0) return Results.StatusCode(500);
            using var body = new StreamReader(request.Body, Encoding.UTF8);
            received.TrySetResult($"{pubsub}/{topic} {request.ContentType} {await body.ReadToEndAsync()}");
            return Results.NoContent();
        });
        await sidecar.StartAsync();

        var builder = LoopbackApp.Builder();
        builder.Configuration["DAPR_HTTP_ENDPOINT"] = sidecar.Address().ToString();
        builder.AddGateway(GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq));
        await using var app = builder.Build();
        await app.StartAsync();
        using (var client = new System.Net.Sockets.TcpClient())
        {
            await client.ConnectAsync(app.Services.GetRequiredService<GatewayEndpoints>().Streams[new("seq")]);
            using var sender = new Sender(client);
            await sender.SendAsync(Sender.Line(1) + "\n" + Sender.Line(2, "2026-01-01T12:00:00Z") + "\n");
            var sent = await received.Task.WaitAsync(GatewayUnderTest.Timeout());
            sent.ShouldStartWith("pubsub/window-sealed application/json ");
            JsonSerializer.Deserialize(sent[(sent.IndexOf('{', StringComparison.Ordinal))..], ContractsJson.Default.WindowSealed)
                .ShouldBe(new(new("seq"), WindowId.Parse("2026-01-01T10"), 1, "windows/seq/2026-01-01T10/000001.json"));
        }
        await app.StopAsync();
    }
}
