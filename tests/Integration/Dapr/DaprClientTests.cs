using System.Net;
using System.Text;
using Dapr;
using Dapr.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Integration.DaprStandIns;

/// <summary>What the publish and health client puts on the wire, and what it makes of the answers.</summary>
public sealed class DaprClientTests : IAsyncLifetime
{
    static CancellationToken Out => TestContext.Current.CancellationToken;

    readonly WebApplication _sidecar;
    string _seen = "";
    int _status = StatusCodes.Status204NoContent;

    public DaprClientTests()
    {
        _sidecar = LoopbackApp.Create();
        _sidecar.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var request = context.Request;
            _seen = $"{request.Method} {request.Path}{request.QueryString} {request.ContentType}|{request.Headers["dapr-api-token"]}|{await reader.ReadToEndAsync()}";
            context.Response.StatusCode = _status;
            if (_status >= 400)
            {
                await context.Response.WriteAsync("""{"errorCode":"ERR_PUBSUB_NOT_FOUND","message":"pubsub bus is not found"}""");
            }
        });
    }

    public async ValueTask InitializeAsync() => await _sidecar.StartAsync();

    [Fact]
    public async Task An_event_is_posted_as_camel_case_json_with_the_token_and_metadata()
    {
        using var client = Client();
        await client.PublishEventAsync("bus", "window sealed", new { Stream = "telemetry" }, new Dictionary<string, string> { ["ttlInSeconds"] = "5" }, Out);
        _seen.ShouldBe("""POST /v1.0/publish/bus/window%20sealed?metadata.ttlInSeconds=5 application/json|secret|{"stream":"telemetry"}""");
    }

    [Fact]
    public async Task A_cloud_event_is_posted_as_the_envelope()
    {
        using var client = Client();
        await client.PublishEventAsync("bus", "t", new CloudEvent<int>(4) { Type = "x", Source = new Uri("urn:here") }, Out);
        _seen.ShouldBe("""POST /v1.0/publish/bus/t application/cloudevents+json|secret|{"data":4,"datacontenttype":"application/json","source":"urn:here","type":"x","subject":null}""");
    }

    [Fact]
    public async Task Bytes_and_nothing_are_posted_as_they_are()
    {
        using var client = Client();
        await client.PublishByteEventAsync("bus", "t", Encoding.UTF8.GetBytes("a,b"), "text/csv", cancellationToken: Out);
        _seen.ShouldBe("POST /v1.0/publish/bus/t text/csv|secret|a,b");
        await client.PublishEventAsync("bus", "t", Out);
        _seen.ShouldBe("POST /v1.0/publish/bus/t |secret|");
    }

    [Fact]
    public async Task Metadata_is_set_and_the_sidecar_is_told_to_stop()
    {
        using var client = Client();
        await client.SetMetadataAsync("a b", "blue", Out);
        _seen.ShouldBe("PUT /v1.0/metadata/a%20b text/plain; charset=utf-8|secret|blue");
        await client.ShutdownSidecarAsync(Out);
        _seen.ShouldBe("POST /v1.0/shutdown |secret|");
        _status = 500;
        (await Should.ThrowAsync<DaprException>(() => client.SetMetadataAsync("a", "b", Out))).Message.ShouldStartWith("The sidecar refused the metadata 'a' with status 500");
    }

    [Fact]
    public async Task A_refusal_is_a_dapr_exception_with_the_sidecars_words()
    {
        using var client = Client();
        _status = 404;
        var failure = await Should.ThrowAsync<DaprException>(() => client.PublishEventAsync("bus", "t", 1, Out));
        failure.Message.ShouldBe("""The sidecar refused an event for topic 't' of 'bus' with status 404: {"errorCode":"ERR_PUBSUB_NOT_FOUND","message":"pubsub bus is not found"}""");
        failure.InnerException.ShouldBeOfType<HttpRequestException>().StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_missing_sidecar_is_a_dapr_exception_with_its_address_and_is_not_healthy()
    {
        var nowhere = $"http://127.0.0.1:{FreePort.Next()}";
        using var client = Client(nowhere);
        var failure = await Should.ThrowAsync<DaprException>(() => client.PublishEventAsync("bus", "t", 1, Out));
        failure.Message.ShouldContain(nowhere);
        (await client.CheckHealthAsync(Out)).ShouldBeFalse();
    }

    [Fact]
    public async Task Health_is_a_2xx_of_the_two_health_calls()
    {
        using var client = Client();
        (await client.CheckHealthAsync(Out)).ShouldBeTrue();
        _seen.ShouldStartWith("GET /v1.0/healthz ");
        await client.WaitForSidecarAsync(Out);
        _seen.ShouldStartWith("GET /v1.0/healthz/outbound ");
        _status = 500;
        (await client.CheckOutboundHealthAsync(Out)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_call_that_the_caller_ends_is_a_cancellation()
    {
        using var client = Client();
        using var over = new CancellationTokenSource();
        over.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(() => client.PublishEventAsync("bus", "t", 1, over.Token));
    }

    public async ValueTask DisposeAsync() => await _sidecar.DisposeAsync();

    DaprClient Client(string? endpoint = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["DAPR_HTTP_ENDPOINT"] = endpoint ?? _sidecar.Urls.Single(), ["DAPR_API_TOKEN"] = "secret" }).Build());
        services.AddDaprClient(builder => builder.UseTimeout(TimeSpan.FromSeconds(30)));
        return services.BuildServiceProvider().GetRequiredService<DaprClient>();
    }
}
