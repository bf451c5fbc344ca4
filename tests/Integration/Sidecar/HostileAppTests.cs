using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Threading.Channels;
using LeanPipe.Sidecar.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Sidecar;

/// <summary>Bytes that are JSON but no text: neither an app nor a publisher stops the sidecar with them.</summary>
public sealed class HostileAppTests
{
    static readonly byte[] NoText = [0xff, 0xfe];

    [Fact]
    public async Task Subscriptions_that_are_no_text_are_asked_for_again()
    {
        var asked = 0;
        var got = Channel.CreateUnbounded<string>();
        await using var app = LoopbackApp.Create();
        app.MapGet("/dapr/subscribe", () => Results.Bytes(
            Interlocked.Increment(ref asked) == 1 ? [.. "[{\"pubsubname\":\"pubsub\",\"route\":\"x\",\"topic\":\""u8, .. NoText, .. "\"}]"u8] : "[{\"pubsubname\":\"pubsub\",\"route\":\"take\",\"topic\":\"t\"}]"u8.ToArray(),
            "application/json"));
        app.MapPost("/take", (HttpContext http) => got.Writer.TryWrite(http.Request.Path));
        await app.StartAsync();
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Address().Port });
        await PublishAsync(sidecar, "{}"u8.ToArray(), "application/json");
        await got.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task An_answer_whose_status_is_no_text_is_an_answer()
    {
        await using var app = LoopbackApp.Create();
        app.MapGet("/dapr/subscribe", () => Results.Text("[{\"pubsubname\":\"pubsub\",\"route\":\"take\",\"topic\":\"t\"}]", "application/json"));
        app.MapPost("/take", () => Results.Bytes([.. "{\"status\":\""u8, .. NoText, .. "\"}"u8], "application/json"));
        await app.StartAsync();
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Address().Port });
        await PublishAsync(sidecar, "{}"u8.ToArray(), "application/json");
        await sidecar.MessagesGoneAsync();
    }

    [Fact]
    public async Task An_event_whose_data_is_no_text_is_delivered_by_its_rules()
    {
        var got = Channel.CreateUnbounded<byte[]>();
        await using var app = LoopbackApp.Create();
        app.MapGet("/dapr/subscribe", () => Results.Text(
            "[{\"pubsubname\":\"pubsub\",\"topic\":\"t\",\"routes\":{\"rules\":[{\"match\":\"event.data.kind == \\\"a\\\"\",\"path\":\"/a\"}],\"default\":\"/b\"}}]", "application/json"));
        app.MapPost("/b", async (HttpContext http) =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            got.Writer.TryWrite(body.ToArray());
        });
        await app.StartAsync();
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Address().Port });
        (await PublishAsync(sidecar, [.. "{\"kind\":\""u8, .. NoText, .. "\"}"u8], "application/json")).ShouldBe(HttpStatusCode.NoContent);
        Encoding.Latin1.GetString(await got.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2))).ShouldContain("kind");
        await sidecar.MessagesGoneAsync();
    }

    static async Task<HttpStatusCode> PublishAsync(SidecarApp sidecar, byte[] body, string contentType)
    {
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };
        using var answer = await sidecar.Http.PostAsync("/v1.0/publish/pubsub/t", content);
        return answer.StatusCode;
    }
}

static class WaitingMessages
{
    /// <summary>The app's answer has been sent; what it came to is recorded soon. Every look is a round trip.</summary>
    public static async Task MessagesGoneAsync(this SidecarApp sidecar)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        while (sidecar.Service<StateStore>().MessageBytes > 0)
            await sidecar.Http.GetAsync("/v1.0/healthz", limit.Token);
    }
}
