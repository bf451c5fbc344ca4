using LeanPipe.Sidecar.PubSub;

namespace LeanPipe.Sidecar.Http;

/// <summary>Publishing over REST.</summary>
static class PublishApi
{
    const string MetadataPrefix = "metadata.";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapMethods("/v1.0/publish/{pubsub}/{*topic}", [HttpMethods.Post, HttpMethods.Put], PublishAsync);

    static async Task<IResult> PublishAsync(HttpContext http, Deliveries deliveries, SidecarOptions options, TimeProvider time, string pubsub, string? topic)
    {
        if (pubsub != options.PubSubName)
            return ApiErrors.Error(404, "ERR_PUBSUB_NOT_FOUND", $"pubsub {pubsub} is not found");
        if (string.IsNullOrEmpty(topic))
            return ApiErrors.Error(404, "ERR_TOPIC_NAME_EMPTY", $"topic is empty in pubsub {pubsub}");

        if (await RequestBody.TryReadAsync(http, options) is not { } body)
            return RequestBody.TooLarge();

        var metadata = http.Request.Query
            .Where(q => q.Key.StartsWith(MetadataPrefix, StringComparison.Ordinal))
            .ToDictionary(q => q.Key[MetadataPrefix.Length..], q => q.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var message = new Publication(pubsub, topic, options.AppId, body, http.Request.ContentType, metadata, http.Request.Headers.TraceParent, http.Request.Headers.TraceState);
        if (!CloudEvents.TryEnvelope(message, time.GetUtcNow(), out var payload, out var expiresAt, out var error))
            return ApiErrors.Error(400, "ERR_PUBSUB_CLOUD_EVENTS_SER", $"cannot create cloudevent for topic {topic} of pubsub {pubsub}: {error}");

        return await deliveries.PublishAsync(pubsub, topic, payload, expiresAt)
            ? Results.NoContent()
            : ApiErrors.Error(
                500,
                "ERR_PUBSUB_PUBLISH_MESSAGE",
                $"error when publishing to topic {topic} in pubsub {pubsub}: {options.MaxPendingMessages} messages wait for delivery already. Start the app that takes them");
    }
}
