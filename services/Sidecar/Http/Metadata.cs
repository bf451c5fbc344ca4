using System.Text.Json.Serialization;
using LeanPipe.Sidecar.PubSub;
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

/// <summary>What the sidecar is, told over REST and gRPC alike. Each app sees its own workers; subscriptions and bindings are the main app's.</summary>
sealed class Metadata(WorkflowEngine engine, Deliveries deliveries, SidecarOptions options, SidecarEndpoints endpoints)
{
    public const string Full = "too much extended metadata: 1000 entries, and 64 KiB each, are the most";

    // The protocol's version that is served; the extended part says who serves it.
    const string RuntimeVersion = "1.18.3";

    const int MostEntries = 1000;
    const int LongestEntry = 64 * 1024;

    readonly Dictionary<string, string> _extended = new(StringComparer.Ordinal) { ["daprRuntimeVersion"] = RuntimeVersion, ["sidecar"] = "leanpipe" };

    /// <summary>False when there is no room.</summary>
    public bool TrySet(string key, string value)
    {
        lock (_extended)
        {
            if (key.Length + value.Length > LongestEntry || (_extended.Count >= MostEntries && !_extended.ContainsKey(key)))
                return false;
            _extended[key] = value;
            return true;
        }
    }

    /// <param name="app">Null = the main app.</param>
    /// <returns>Null when there is no such app.</returns>
    public MetadataBody? Of(string? app)
    {
        var isMain = app is null || app == options.AppId;
        if (!isMain && options.Apps.All(a => a.AppId != app))
            return null;
        var (id, workers) = isMain ? (options.AppId, engine.ConnectedWorkers(app: null)) : (app!, engine.ConnectedWorkers(app));
        var subscriptions = isMain ? Subscriptions() : [];
        return new MetadataBody(
            id,
            RuntimeVersion,
            workers == 0 ? null : [.. new[] { "workflow", "activity", "retentioner" }.Select(kind => new ActorBody($"dapr.internal.default.{id}.{kind}"))],
            isMain ? [new ComponentBody(options.PubSubName, "pubsub.leanpipe", "v1"), .. options.CronBindings.Select(b => new ComponentBody(b.Name, "bindings.cron", "v1"))] : [],
            Extended(),
            subscriptions.Count == 0 ? null : subscriptions,
            isMain && endpoints.AppPort is { } port ? new AppConnectionBody(port, "http", "127.0.0.1") : null,
            new ActorRuntimeBody("RUNNING", HostReady: true),
            workers == 0 ? null : new WorkflowsBody(workers));
    }

    List<SubscriptionBody> Subscriptions() =>
    [
        .. deliveries.Subscriptions.Select(s => new SubscriptionBody(
            s.PubSubName, s.Topic, [.. s.Routes.Select(r => new RuleBody(r.Match, r.Path))], s.DeadLetterTopic, "PROGRAMMATIC")),
    ];

    Dictionary<string, string> Extended()
    {
        lock (_extended)
            return new Dictionary<string, string>(_extended, StringComparer.Ordinal);
    }
}
