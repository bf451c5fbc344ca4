using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Dapr;

/// <summary>One element of <c>GET /dapr/subscribe</c>; nulls are not written.</summary>
sealed record Subscription(
    string Topic,
    string PubsubName,
    string? Route,
    SubscriptionRoutes? Routes,
    IReadOnlyDictionary<string, string>? Metadata,
    string? DeadLetterTopic);

sealed record SubscriptionRoutes(IReadOnlyList<SubscriptionRule>? Rules, string? Default);

sealed record SubscriptionRule(string Match, string Path);

/// <summary>Collects what the application's endpoints subscribe to, in a fixed order: pub/sub, then topic, then priority.</summary>
static partial class Subscriptions
{
    public static IReadOnlyList<Subscription> Of(EndpointDataSource endpoints, SubscribeOptions options, ILogger logger) =>
    [
        .. endpoints.Endpoints
            .OfType<RouteEndpoint>()
            .SelectMany(endpoint => endpoint.Metadata.GetOrderedMetadata<TopicOptions>().Select(topic => (Topic: topic, Path: PathOf(endpoint))))
            .GroupBy(entry => (PubsubName: entry.Topic.PubsubName!, Name: entry.Topic.Name!))
            .OrderBy(group => group.Key.PubsubName, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Name, StringComparer.Ordinal)
            .Select(group => Merge(group.Key.PubsubName, group.Key.Name, [.. group], options, logger)),
    ];

    static Subscription Merge(
        string pubsubName, string name, (TopicOptions Topic, string Path)[] entries, SubscribeOptions options, ILogger logger)
    {
        var rules = entries
            .Where(entry => !string.IsNullOrEmpty(entry.Topic.Match))
            .OrderBy(entry => entry.Topic.Priority)
            .Select(entry => new SubscriptionRule(entry.Topic.Match!, entry.Path))
            .ToArray();
        var defaults = entries.Where(entry => string.IsNullOrEmpty(entry.Topic.Match)).Select(entry => entry.Path).ToArray();
        if (defaults.Length > 1)
        {
            LogSecondDefault(logger, name, pubsubName, defaults[0], string.Join(", ", defaults[1..]));
        }

        return new Subscription(
            name,
            pubsubName,
            rules.Length == 0 ? defaults[0] : null,
            rules.Length == 0 ? null : new SubscriptionRoutes(rules, defaults.FirstOrDefault()),
            MetadataOf(entries, options),
            entries.Select(entry => entry.Topic.DeadLetterTopic).FirstOrDefault(topic => !string.IsNullOrEmpty(topic)));
    }

    static Dictionary<string, string>? MetadataOf((TopicOptions Topic, string Path)[] entries, SubscribeOptions options)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in entries.SelectMany(entry => entry.Topic.Metadata ?? new Dictionary<string, string>()))
        {
            metadata[name] = value;
        }

        if (options.EnableRawPayload || entries.Any(entry => entry.Topic.EnableRawPayload))
        {
            metadata["rawPayload"] = "true";
        }

        return metadata.Count == 0 ? null : metadata;
    }

    // The official handler writes routes without a leading slash; the sidecar adds it.
    static string PathOf(RouteEndpoint endpoint) => (endpoint.RoutePattern.RawText ?? string.Empty).TrimStart('/');

    [LoggerMessage(1, LogLevel.Error, "Topic '{Topic}' of '{Pubsub}' has more than one route without a match rule: '{Used}' is used, {Ignored} get nothing. Give all but one a match rule.")]
    static partial void LogSecondDefault(ILogger logger, string topic, string pubsub, string used, string ignored);
}
