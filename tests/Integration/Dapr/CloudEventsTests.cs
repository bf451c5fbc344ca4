using System.Net;
using System.Text;
using Dapr;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.DaprStandIns;

/// <summary>What a handler behind the CloudEvents middleware sees, and what the subscribe handler answers, over real HTTP.</summary>
public sealed class CloudEventsTests : IAsyncLifetime
{
    static CancellationToken Out => TestContext.Current.CancellationToken;

    readonly WebApplication _app;
    readonly HttpClient _http = new();

    public CloudEventsTests()
    {
        _app = LoopbackApp.Create();
        _app.UseCloudEvents();
        _app.MapSubscribeHandler();
        _app.MapPost("/echo", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            return $"{context.Request.ContentType ?? "none"}|{context.Request.ContentLength}|{Encoding.UTF8.GetString(body.ToArray())}";
        });
        _app.MapPost("/sealed", (Sealed e) => $"{e.Stream}:{e.Revision}").WithTopic("bus", "sealed");
        _app.MapPost("/late", () => "").WithTopic(new TopicOptions { PubsubName = "bus", Name = "sealed", Match = "event.type == \"late\"", Priority = 2 });
        _app.MapPost("/early", () => "").WithTopic(new TopicOptions { PubsubName = "bus", Name = "sealed", Match = "event.type == \"early\"", Priority = 1 });
        _app.MapPost("/raw", () => "").WithTopic(new TopicOptions { PubsubName = "abus", Name = "z", EnableRawPayload = true, DeadLetterTopic = "dead" });
        _app.MapPost("/meta", () => "").WithTopic("abus", "m", new Dictionary<string, string> { ["queue"] = "q1" });
    }

    public async ValueTask InitializeAsync()
    {
        await _app.StartAsync();
        _http.BaseAddress = _app.Address();
    }

    [Theory]
    [InlineData("""{"data":{"a":1}}""", "application/json|7|{\"a\":1}")]
    [InlineData("""{"data":"text","datacontenttype":"text/plain; charset=latin1"}""", "text/plain|4|text")]
    [InlineData("""{"data":"text"}""", "application/json|6|\"text\"")]
    [InlineData("""{"data":[1],"datacontenttype":"text/plain"}""", "text/plain|3|[1]")]
    [InlineData("""{"data":{"a":1},"datacontenttype":"application/vnd.x+json"}""", "application/vnd.x+json|7|{\"a\":1}")]
    [InlineData("""{"data_base64":"aGk=","datacontenttype":"application/octet-stream"}""", "application/octet-stream|2|hi")]
    [InlineData("""{"id":"1"}""", "none|0|")]
    public async Task A_handler_sees_the_data_of_the_envelope(string envelope, string seen) =>
        (await PostAsync("/echo", envelope)).ShouldBe((HttpStatusCode.OK, seen));

    [Theory]
    [InlineData("""{"data":1,"data_base64":"aGk="}""")]
    [InlineData("""{"data_base64":"no base64!"}""")]
    [InlineData("[]")]
    [InlineData("{")]
    public async Task An_envelope_that_cannot_be_opened_is_the_senders_fault(string envelope) =>
        (await PostAsync("/echo", envelope)).Status.ShouldBe(HttpStatusCode.BadRequest);

    [Fact]
    public async Task Other_content_passes_untouched() =>
        (await PostAsync("/echo", """{"data":1}""", "application/json")).Body.ShouldBe("""application/json; charset=utf-8|10|{"data":1}""");

    [Fact]
    public async Task Data_binds_to_a_handlers_parameter() =>
        (await PostAsync("/sealed", """{"specversion":"1.0","data":{"stream":"telemetry","revision":3}}""")).ShouldBe((HttpStatusCode.OK, "telemetry:3"));

    [Fact]
    public async Task Subscriptions_are_answered_in_a_fixed_order_with_rules_by_priority() =>
        (await _http.GetStringAsync("/dapr/subscribe", Out)).ShouldBe(
            "["
            + """{"topic":"m","pubsubName":"abus","route":"meta","metadata":{"queue":"q1"}},"""
            + """{"topic":"z","pubsubName":"abus","route":"raw","metadata":{"rawPayload":"true"},"deadLetterTopic":"dead"},"""
            + """{"topic":"sealed","pubsubName":"bus","routes":{"rules":[{"match":"event.type == \u0022early\u0022","path":"early"},"""
            + """{"match":"event.type == \u0022late\u0022","path":"late"}],"default":"sealed"}}"""
            + "]");

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }

    async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string body, string contentType = "application/cloudevents+json")
    {
        using var content = new StringContent(body, Encoding.UTF8, contentType);
        using var response = await _http.PostAsync(path, content, Out);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Out));
    }

    sealed record Sealed(string Stream, int Revision);
}
