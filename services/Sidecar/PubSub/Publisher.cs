namespace LeanPipe.Sidecar.PubSub;

/// <summary>Why a message was not taken.</summary>
/// <param name="Status">Of HTTP.</param>
/// <param name="Code">As the official sidecar has it in errorCode.</param>
sealed record PublishFault(int Status, string Code, string Message);

/// <summary>Takes a message from REST or gRPC: checks it, puts it into its envelope and makes it durable.</summary>
sealed class Publisher(Deliveries deliveries, SidecarOptions options, TimeProvider time)
{
    /// <summary>Null = taken, and durable.</summary>
    public async Task<PublishFault?> PublishAsync(Publication message)
    {
        var (pubsub, topic) = (message.PubSub, message.Topic);
        if (pubsub != options.PubSubName)
            return new PublishFault(404, "ERR_PUBSUB_NOT_FOUND", $"pubsub {pubsub} is not found");
        if (topic.Length == 0)
            return new PublishFault(404, "ERR_TOPIC_NAME_EMPTY", $"topic is empty in pubsub {pubsub}");
        if (!CloudEvents.TryEnvelope(message, time.GetUtcNow(), out var payload, out var expiresAt, out var error))
            return new PublishFault(400, "ERR_PUBSUB_CLOUD_EVENTS_SER", $"cannot create cloudevent for topic {topic} of pubsub {pubsub}: {error}");

        return await deliveries.PublishAsync(pubsub, topic, payload, expiresAt)
            ? null
            : new PublishFault(
                500,
                "ERR_PUBSUB_PUBLISH_MESSAGE",
                $"error when publishing to topic {topic} in pubsub {pubsub}: too many messages wait for delivery already (at most {options.MaxPendingMessages}, "
                + $"and {options.MaxPendingMessageBytes} bytes of them). Start the app that takes them");
    }
}
