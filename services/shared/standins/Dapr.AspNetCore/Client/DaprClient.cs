using System.Text.Json;

namespace Dapr.Client;

/// <summary>The sidecar's publish, health and metadata API. Thread-safe; one per process.</summary>
public abstract class DaprClient : IDisposable
{
    // The official class has more abstract members: a subclass written against this one would not compile against it.
    private protected DaprClient()
    {
    }

    /// <summary>How event data is written; <see cref="JsonSerializerDefaults.Web"/> unless the builder was told otherwise.</summary>
    public abstract JsonSerializerOptions JsonSerializerOptions { get; }

    /// <summary>Publishes <paramref name="data"/> as JSON; a <see cref="CloudEvent"/> is passed through as the envelope.</summary>
    /// <exception cref="DaprException">The sidecar was not reached, or refused the event.</exception>
    public abstract Task PublishEventAsync<TData>(
        string pubsubName, string topicName, TData data, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="PublishEventAsync{TData}(string, string, TData, CancellationToken)"/>
    public abstract Task PublishEventAsync<TData>(
        string pubsubName, string topicName, TData data, Dictionary<string, string> metadata, CancellationToken cancellationToken = default);

    /// <summary>Publishes an event without data.</summary>
    /// <inheritdoc cref="PublishEventAsync{TData}(string, string, TData, CancellationToken)"/>
    public abstract Task PublishEventAsync(string pubsubName, string topicName, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="PublishEventAsync(string, string, CancellationToken)"/>
    public abstract Task PublishEventAsync(
        string pubsubName, string topicName, Dictionary<string, string> metadata, CancellationToken cancellationToken = default);

    /// <summary>Publishes bytes as they are.</summary>
    /// <inheritdoc cref="PublishEventAsync{TData}(string, string, TData, CancellationToken)"/>
    public abstract Task PublishByteEventAsync(
        string pubsubName,
        string topicName,
        ReadOnlyMemory<byte> data,
        string dataContentType = "application/json",
        Dictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default);

    /// <summary>True when the sidecar and the application behind it are ready; a sidecar that is not reached is not ready.</summary>
    public abstract Task<bool> CheckHealthAsync(CancellationToken cancellationToken = default);

    /// <summary>True when the sidecar's components are loaded, whether or not the application listens yet.</summary>
    public abstract Task<bool> CheckOutboundHealthAsync(CancellationToken cancellationToken = default);

    /// <summary>Returns once <see cref="CheckOutboundHealthAsync"/> is true; asks every 500 ms.</summary>
    public abstract Task WaitForSidecarAsync(CancellationToken cancellationToken = default);

    /// <summary>Adds an entry to the sidecar's metadata, or changes it.</summary>
    /// <exception cref="DaprException">The sidecar was not reached, or refused it.</exception>
    public abstract Task SetMetadataAsync(string attributeName, string attributeValue, CancellationToken cancellationToken = default);

    /// <summary>Asks the sidecar to stop; returns when it has heard.</summary>
    /// <exception cref="DaprException">The sidecar was not reached, or refused.</exception>
    public abstract Task ShutdownSidecarAsync(CancellationToken cancellationToken = default);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}
