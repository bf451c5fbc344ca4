using System.Text.Json;

namespace LeanPipe.Sidecar.PubSub;

/// <param name="Match">A condition on the event; null = always.</param>
/// <param name="Path">Where the app takes it, with a leading slash.</param>
sealed record Route(string? Match, string Path);

/// <summary>One topic that the app asked for.</summary>
/// <param name="RawPayload">Messages of this topic carry no envelope; the sidecar makes one around their bytes.</param>
sealed record Subscription(string PubSubName, string Topic, IReadOnlyList<Route> Routes, string? DeadLetterTopic, bool RawPayload);

/// <summary>Reads what GET /dapr/subscribe answers. Names are taken in any case, as the official sidecar takes them.</summary>
static class Subscriptions
{
    /// <summary>Null when the body is not a JSON array of objects.</summary>
    public static IReadOnlyList<Subscription>? TryParse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Array
                ? [.. document.RootElement.EnumerateArray().Select(Parse).OfType<Subscription>()]
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is a text that is no UTF-8.
            return null;
        }
    }

    static Subscription? Parse(JsonElement element)
    {
        if (Text(element, "pubsubname") is not { } pubsub || Text(element, "topic") is not { } topic)
            return null;

        var routes = new List<Route>();
        if (Member(element, "routes") is { ValueKind: JsonValueKind.Object } several)
        {
            if (Member(several, "rules") is { ValueKind: JsonValueKind.Array } rules)
            {
                routes.AddRange(rules.EnumerateArray()
                    .Select(rule => (Match: Text(rule, "match"), Path: Text(rule, "path")))
                    .Where(rule => rule.Path is not null)
                    .Select(rule => new Route(string.IsNullOrWhiteSpace(rule.Match) ? null : rule.Match, Slashed(rule.Path!))));
            }

            if (Text(several, "default") is { Length: > 0 } fallback)
                routes.Add(new Route(Match: null, Slashed(fallback)));
        }
        else if (Text(element, "route") is { } route)
        {
            routes.Add(new Route(Match: null, Slashed(route)));
        }

        var raw = Member(element, "metadata") is { ValueKind: JsonValueKind.Object } metadata
            && bool.TryParse(Text(metadata, "rawPayload"), out var wanted) && wanted;
        return new Subscription(pubsub, topic, routes, Text(element, "deadLetterTopic") is { Length: > 0 } dead ? dead : null, raw);
    }

    static string Slashed(string path) => path.StartsWith('/') ? path : "/" + path;

    static string? Text(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    static JsonElement? Member(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return null;
        foreach (var member in element.EnumerateObject())
        {
            if (member.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                return member.Value;
        }

        return null;
    }
}
