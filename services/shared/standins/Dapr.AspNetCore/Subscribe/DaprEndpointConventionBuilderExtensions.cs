using Dapr;

namespace Microsoft.AspNetCore.Builder;

public static class DaprEndpointConventionBuilderExtensions
{
    /// <summary>Subscribes the endpoint to topic <paramref name="name"/> of <paramref name="pubsubName"/>.</summary>
    public static T WithTopic<T>(this T builder, string pubsubName, string name)
        where T : IEndpointConventionBuilder => WithTopic(builder, new TopicOptions { PubsubName = pubsubName, Name = name });

    /// <inheritdoc cref="WithTopic{T}(T, string, string)"/>
    public static T WithTopic<T>(this T builder, string pubsubName, string name, IDictionary<string, string> metadata)
        where T : IEndpointConventionBuilder =>
        WithTopic(builder, new TopicOptions { PubsubName = pubsubName, Name = name, Metadata = metadata });

    /// <inheritdoc cref="WithTopic{T}(T, string, string)"/>
    /// <param name="builder">The endpoint.</param>
    /// <param name="pubsubName">The pub/sub component.</param>
    /// <param name="name">The topic.</param>
    /// <param name="enableRawPayload">True delivers the publisher's bytes without an envelope.</param>
    public static T WithTopic<T>(this T builder, string pubsubName, string name, bool enableRawPayload)
        where T : IEndpointConventionBuilder =>
        WithTopic(builder, new TopicOptions { PubsubName = pubsubName, Name = name, EnableRawPayload = enableRawPayload });

    /// <inheritdoc cref="WithTopic{T}(T, string, string, bool)"/>
    public static T WithTopic<T>(this T builder, string pubsubName, string name, bool enableRawPayload, IDictionary<string, string> metadata)
        where T : IEndpointConventionBuilder =>
        WithTopic(builder, new TopicOptions { PubsubName = pubsubName, Name = name, EnableRawPayload = enableRawPayload, Metadata = metadata });

    /// <inheritdoc cref="WithTopic{T}(T, string, string)"/>
    public static T WithTopic<T>(this T builder, TopicOptions topicOptions)
        where T : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(topicOptions);
        ArgumentException.ThrowIfNullOrEmpty(topicOptions.PubsubName);
        ArgumentException.ThrowIfNullOrEmpty(topicOptions.Name);
        builder.Add(endpoint => endpoint.Metadata.Add(topicOptions));
        return builder;
    }
}
