using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Sidecar;

public sealed class PubSubTests
{
    [Fact]
    public async Task A_published_json_value_arrives_in_an_envelope()
    {
        await using var app = await SubscriberApp.StartAsync(_ => Results.Ok());
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Port, AppApiToken = "app-secret" });
        (await PublishAsync(sidecar, "orders", """{"n":1}""", "application/json")).ShouldBe(HttpStatusCode.NoContent);

        var got = await app.NextAsync();
        got.ContentType.ShouldBe("application/cloudevents+json");
        got.Token.ShouldBe("app-secret");
        var e = got.Event;
        Text(e, "specversion").ShouldBe("1.0");
        Text(e, "source").ShouldBe("test");
        Text(e, "type").ShouldBe("com.dapr.event.sent");
        Text(e, "topic").ShouldBe("orders");
        Text(e, "pubsubname").ShouldBe("pubsub");
        Text(e, "datacontenttype").ShouldBe("application/json");
        e.GetProperty("data").GetRawText().ShouldBe("""{"n":1}""");
        Text(e, "traceparent").ShouldBe(Text(e, "traceid"));
        Guid.TryParse(Text(e, "id"), out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData("text/plain", "hello", "\"data\":\"hello\"")]
    [InlineData("application/octet-stream", "hello", "\"data_base64\":\"aGVsbG8=\"")]
    [InlineData("application/json", "no { json", "\"data\":\"no { json\"")]
    [InlineData("application/cloudevents+json", """{"specversion":"1.0","id":"mine","source":"s","type":"t","topic":"other","data":5}""", "\"data\":5")]
    public async Task Other_contents_go_where_the_envelope_has_a_place_for_them(string contentType, string body, string expected)
    {
        await using var app = await SubscriberApp.StartAsync(_ => Results.Ok());
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Port });
        await PublishAsync(sidecar, "orders", body, contentType);
        var e = (await app.NextAsync()).Event;
        e.GetRawText().ShouldContain(expected);
        Text(e, "topic").ShouldBe("orders");
        if (contentType.Contains("cloudevents", StringComparison.Ordinal))
            Text(e, "id").ShouldBe("mine");
    }

    [Theory]
    [InlineData(200, """{"status":"RETRY"}""")]
    [InlineData(200, """{"status":"WHATEVER"}""")]
    [InlineData(500, "")]
    [InlineData(503, "")]
    [InlineData(403, "")]
    public async Task An_event_that_the_app_did_not_take_comes_again(int code, string body)
    {
        var calls = 0;
        await using var app = await SubscriberApp.StartAsync(_ => ++calls < 3 ? Results.Text(body, "application/json", Encoding.UTF8, code) : Results.Ok());
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Port });
        await PublishAsync(sidecar, "orders", "1", "application/json");
        var ids = new[] { await app.NextAsync(), await app.NextAsync(), await app.NextAsync() }.Select(g => Text(g.Event, "id"));
        ids.Distinct().ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(200, """{"status":"SUCCESS"}""")]
    [InlineData(200, """{"status":""}""")]
    [InlineData(204, "")]
    [InlineData(200, "no json")]
    [InlineData(200, """{"status":"DROP"}""")]
    [InlineData(404, "")]
    public async Task An_answered_event_does_not_come_again_not_even_after_a_restart(int code, string body)
    {
        var state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");
        await using var app = await SubscriberApp.StartAsync(e => Text(e, "topic") == "orders" ? Results.Text(body, "application/json", Encoding.UTF8, code) : Results.Ok());
        await using (var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Port }, state.FullName))
        {
            await PublishAsync(sidecar, "orders", "1", "application/json");
            await app.NextAsync();
            await PublishAsync(sidecar, "other", "2", "application/json");
            Text((await app.NextAsync()).Event, "topic").ShouldBe("other");
        }

        await using (var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Port }, state.FullName))
        {
            await PublishAsync(sidecar, "other", "3", "application/json");
            var again = await app.NextAsync();
            while (again.Event.GetProperty("data").GetInt32() != 3)
            {
                // The removal of an answered event may be cut off by the stop; the other topic's is allowed to repeat for that reason only.
                Text(again.Event, "topic").ShouldBe("other");
                again = await app.NextAsync();
            }
        }

        state.Delete(recursive: true);
    }

    [Fact]
    public async Task A_message_waits_for_an_app_that_comes_later_even_over_a_restart()
    {
        var state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");
        await using (var sidecar = await SidecarApp.StartAsync(stateDirectory: state.FullName))
            (await PublishAsync(sidecar, "orders", "1", "application/json")).ShouldBe(HttpStatusCode.NoContent);

        await using (var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = 1 }, state.FullName))
        {
            await using var app = await SubscriberApp.StartAsync(_ => Results.Ok());
            sidecar.Endpoints.AppPort = app.Port;
            (await app.NextAsync()).Event.GetProperty("data").GetInt32().ShouldBe(1);
        }

        state.Delete(recursive: true);
    }

    [Fact]
    public async Task A_dropped_event_goes_to_its_dead_letter_topic()
    {
        await using var app = await SubscriberApp.StartAsync(
            e => Text(e, "type") == "bad" ? Results.Json(new { status = "DROP" }) : Results.Ok(),
            """[{"pubsubName":"pubsub","topic":"orders","route":"take/orders","deadLetterTopic":"dead"},{"pubsubname":"pubsub","topic":"dead","route":"/take/dead"}]""");
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Port });
        await PublishAsync(sidecar, "orders", "1", "application/json", "?metadata.cloudevent.type=bad");
        (await app.NextAsync()).Path.ShouldBe("/take/orders");
        (await app.NextAsync()).Path.ShouldBe("/take/dead");
    }

    [Fact]
    public async Task Rules_choose_the_path_and_the_default_takes_the_rest()
    {
        await using var app = await SubscriberApp.StartAsync(
            _ => Results.Ok(),
            """[{"pubsubname":"pubsub","topic":"orders","routes":{"rules":[{"match":"event.type == \"a\"","path":"/take/a"}],"default":"/take/rest"}}]""");
        await using var sidecar = await SidecarApp.StartAsync(o => o with { AppPort = app.Port });
        await PublishAsync(sidecar, "orders", "1", "application/json", "?metadata.cloudevent.type=a");
        (await app.NextAsync()).Path.ShouldBe("/take/a");
        await PublishAsync(sidecar, "orders", "1", "application/json", "?metadata.cloudevent.type=b");
        (await app.NextAsync()).Path.ShouldBe("/take/rest");
    }

    [Fact]
    public async Task An_unknown_broker_is_not_found_and_a_full_one_refuses()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { MaxPendingMessages = 1 });
        using var unknown = await sidecar.Http.PostAsync("/v1.0/publish/nope/orders", new StringContent("1"));
        unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await unknown.Content.ReadAsStringAsync()).ShouldContain("ERR_PUBSUB_NOT_FOUND");
        (await PublishAsync(sidecar, "orders", "1", "text/plain")).ShouldBe(HttpStatusCode.NoContent);
        (await PublishAsync(sidecar, "orders", "1", "text/plain")).ShouldBe(HttpStatusCode.InternalServerError);
    }

    static string? Text(JsonElement e, string name) => e.GetProperty(name).GetString();

    static async Task<HttpStatusCode> PublishAsync(SidecarApp sidecar, string topic, string body, string contentType, string query = "")
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(contentType);
        using var response = await sidecar.Http.PostAsync($"/v1.0/publish/pubsub/{topic}{query}", content);
        return response.StatusCode;
    }
}

/// <summary>An app that subscribes, and answers events as a test says.</summary>
sealed class SubscriberApp : IAsyncDisposable
{
    const string TwoTopics = """[{"pubsubname":"pubsub","topic":"orders","route":"take/orders"},{"pubsubname":"pubsub","topic":"other","route":"/take/other"}]""";

    readonly WebApplication _app;
    readonly Channel<Delivery> _got = Channel.CreateUnbounded<Delivery>();

    SubscriberApp(WebApplication app) => _app = app;

    public sealed record Delivery(string Path, string ContentType, string? Token, JsonElement Event);

    public int Port { get; private set; }

    public static async Task<SubscriberApp> StartAsync(Func<JsonElement, IResult> answer, string subscriptions = TwoTopics)
    {
        var app = LoopbackApp.Create();
        var subscriber = new SubscriberApp(app);
        app.MapGet("/dapr/subscribe", () => Results.Text(subscriptions, "application/json"));
        app.MapPost("/take/{name}", async (HttpContext http) =>
        {
            using var body = await JsonDocument.ParseAsync(http.Request.Body);
            var e = body.RootElement.Clone();
            var result = answer(e);
            subscriber._got.Writer.TryWrite(new Delivery(http.Request.Path, http.Request.ContentType!, http.Request.Headers["dapr-api-token"], e));
            return result;
        });
        await app.StartAsync();
        subscriber.Port = app.Address().Port;
        return subscriber;
    }

    public async Task<Delivery> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        return await _got.Reader.ReadAsync(limit.Token);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
