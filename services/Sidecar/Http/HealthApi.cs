using System.Collections.Concurrent;
using System.Text.Json.Serialization;
using LeanPipe.Sidecar.PubSub;
using LeanPipe.Sidecar.State;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Sidecar.Http;

sealed record ComponentBody(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("version")] string Version);

sealed record ActorBody([property: JsonPropertyName("type")] string Type);

sealed record RuleBody([property: JsonPropertyName("match")] string? Match, [property: JsonPropertyName("path")] string Path);

sealed record SubscriptionBody(
    [property: JsonPropertyName("pubsubname")] string PubSubName,
    [property: JsonPropertyName("topic")] string Topic,
    [property: JsonPropertyName("rules")] IReadOnlyList<RuleBody> Rules,
    [property: JsonPropertyName("deadLetterTopic")] string? DeadLetterTopic,
    [property: JsonPropertyName("type")] string Type);

sealed record AppConnectionBody(
    [property: JsonPropertyName("port")] int Port,
    [property: JsonPropertyName("protocol")] string Protocol,
    [property: JsonPropertyName("channelAddress")] string ChannelAddress);

sealed record ActorRuntimeBody(
    [property: JsonPropertyName("runtimeStatus")] string RuntimeStatus,
    [property: JsonPropertyName("hostReady")] bool HostReady);

sealed record WorkflowsBody([property: JsonPropertyName("connectedWorkers")] int ConnectedWorkers);

sealed record MetadataBody(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("runtimeVersion")] string RuntimeVersion,
    [property: JsonPropertyName("actors")] IReadOnlyList<ActorBody>? Actors,
    [property: JsonPropertyName("components")] IReadOnlyList<ComponentBody> Components,
    [property: JsonPropertyName("extended")] IReadOnlyDictionary<string, string> Extended,
    [property: JsonPropertyName("subscriptions")] IReadOnlyList<SubscriptionBody>? Subscriptions,
    [property: JsonPropertyName("appConnectionProperties")] AppConnectionBody? AppConnection,
    [property: JsonPropertyName("actorRuntime")] ActorRuntimeBody ActorRuntime,
    [property: JsonPropertyName("workflows")] WorkflowsBody? Workflows);

/// <summary>Whether the sidecar can be used, and what it is.</summary>
static class HealthApi
{
    // The protocol's version that is served; the extended part says who serves it.
    const string RuntimeVersion = "1.18.3";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var extended = new ConcurrentDictionary<string, string>(StringComparer.Ordinal) { ["daprRuntimeVersion"] = RuntimeVersion, ["sidecar"] = "leanpipe" };
        routes.MapGet("/v1.0/healthz", (HttpContext http, StateStore store, SidecarOptions options) => Health(http, store, options));
        routes.MapGet("/v1.0/healthz/outbound", (StateStore store) => store.IsHealthy
            ? Results.NoContent()
            : ApiErrors.Error(500, "ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready: the journal cannot be written"));
        routes.MapGet("/v1.0/metadata", (WorkflowEngine engine, Deliveries deliveries, SidecarOptions options, SidecarEndpoints endpoints) =>
            ApiErrors.Json(200, Metadata(engine, deliveries, options, endpoints, extended), ApiErrors.Shapes.MetadataBody));
        routes.MapPut("/v1.0/metadata/{key}", async (HttpContext http, string key) =>
        {
            using var reader = new StreamReader(http.Request.Body);
            extended[key] = await reader.ReadToEndAsync(http.RequestAborted);
            return Results.NoContent();
        });
        routes.MapPost("/v1.0/shutdown", (IHostApplicationLifetime lifetime) =>
        {
            lifetime.StopApplication();
            return Results.NoContent();
        });
    }

    static IResult Health(HttpContext http, StateStore store, SidecarOptions options)
    {
        if (!store.IsHealthy)
            return ApiErrors.Error(500, "ERR_HEALTH_NOT_READY", "dapr is not ready: the journal cannot be written");
        return http.Request.Query["appid"].ToString() is { Length: > 0 } wanted && wanted != options.AppId
            ? ApiErrors.Error(500, "ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match")
            : Results.NoContent();
    }

    static MetadataBody Metadata(
        WorkflowEngine engine, Deliveries deliveries, SidecarOptions options, SidecarEndpoints endpoints, ConcurrentDictionary<string, string> extended)
    {
        var workers = engine.ConnectedWorkers(app: null);
        var subscriptions = deliveries.Subscriptions
            .Select(s => new SubscriptionBody(
                s.PubSubName, s.Topic, [.. s.Routes.Select(r => new RuleBody(r.Match, r.Path))], s.DeadLetterTopic, "PROGRAMMATIC"))
            .ToList();
        return new MetadataBody(
            options.AppId,
            RuntimeVersion,
            workers == 0 ? null : [.. new[] { "workflow", "activity", "retentioner" }.Select(kind => new ActorBody($"dapr.internal.default.{options.AppId}.{kind}"))],
            [new ComponentBody(options.PubSubName, "pubsub.leanpipe", "v1"), .. options.CronBindings.Select(b => new ComponentBody(b.Name, "bindings.cron", "v1"))],
            extended,
            subscriptions.Count == 0 ? null : subscriptions,
            endpoints.AppPort is { } port ? new AppConnectionBody(port, "http", "127.0.0.1") : null,
            new ActorRuntimeBody("RUNNING", HostReady: true),
            workers == 0 ? null : new WorkflowsBody(workers));
    }
}
