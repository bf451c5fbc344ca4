namespace Dapr;

/// <summary>A subscription of one endpoint to one topic.</summary>
public class TopicOptions
{
    public string? Name { get; set; }

    /// <summary>The pub/sub component.</summary>
    public string? PubsubName { get; set; }

    /// <summary>True delivers the publisher's bytes without an envelope.</summary>
    public bool EnableRawPayload { get; set; }

    /// <summary>A CEL expression over <c>event</c>; without one the endpoint is the topic's default route.</summary>
    public string? Match { get; set; }

    /// <summary>Rules of one topic are tried from the lowest to the highest.</summary>
    public int Priority { get; set; }

    /// <summary>Where the broker puts an event that was dropped or ran out of redeliveries.</summary>
    public string? DeadLetterTopic { get; set; }

    /// <summary>Passed to the component as it is.</summary>
    public IDictionary<string, string>? Metadata;
}

/// <summary>What holds for every subscription of this application.</summary>
public class SubscribeOptions
{
    /// <summary>True delivers the publisher's bytes without an envelope.</summary>
    public bool EnableRawPayload { get; set; }
}
