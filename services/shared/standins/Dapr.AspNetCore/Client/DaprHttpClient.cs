using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Dapr.Client;

sealed class DaprHttpClient(HttpClient http, JsonSerializerOptions json) : DaprClient
{
    const string Json = "application/json";
    const string CloudEventJson = "application/cloudevents+json";
    const int LongestRefusalShown = 1024;

    static readonly TimeSpan HealthPoll = TimeSpan.FromMilliseconds(500);

    public override JsonSerializerOptions JsonSerializerOptions => json;

    public override Task PublishEventAsync<TData>(
        string pubsubName, string topicName, TData data, CancellationToken cancellationToken = default) =>
        PublishAsync(pubsubName, topicName, JsonContent(data), metadata: null, cancellationToken);

    public override Task PublishEventAsync<TData>(
        string pubsubName, string topicName, TData data, Dictionary<string, string> metadata, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return PublishAsync(pubsubName, topicName, JsonContent(data), metadata, cancellationToken);
    }

    public override Task PublishEventAsync(string pubsubName, string topicName, CancellationToken cancellationToken = default) =>
        PublishAsync(pubsubName, topicName, content: null, metadata: null, cancellationToken);

    public override Task PublishEventAsync(
        string pubsubName, string topicName, Dictionary<string, string> metadata, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return PublishAsync(pubsubName, topicName, content: null, metadata, cancellationToken);
    }

    public override Task PublishByteEventAsync(
        string pubsubName,
        string topicName,
        ReadOnlyMemory<byte> data,
        string dataContentType = Json,
        Dictionary<string, string>? metadata = null,
        CancellationToken cancellationToken = default)
    {
        var content = new ReadOnlyMemoryContent(data);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(dataContentType);
        return PublishAsync(pubsubName, topicName, content, metadata, cancellationToken);
    }

    public override Task<bool> CheckHealthAsync(CancellationToken cancellationToken = default) =>
        IsHealthyAsync("/v1.0/healthz", cancellationToken);

    public override Task<bool> CheckOutboundHealthAsync(CancellationToken cancellationToken = default) =>
        IsHealthyAsync("/v1.0/healthz/outbound", cancellationToken);

    public override async Task WaitForSidecarAsync(CancellationToken cancellationToken = default)
    {
        while (!await CheckOutboundHealthAsync(cancellationToken))
        {
            await Task.Delay(HealthPoll, cancellationToken);
        }
    }

    public override async Task SetMetadataAsync(string attributeName, string attributeValue, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(attributeName);
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1.0/metadata/{Uri.EscapeDataString(attributeName)}") { Content = new StringContent(attributeValue) };
        await SendAsync(request, $"the metadata '{attributeName}'", cancellationToken);
    }

    public override async Task ShutdownSidecarAsync(CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1.0/shutdown");
        await SendAsync(request, "the call to stop", cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            http.Dispose();
        }
    }

    ByteArrayContent JsonContent<TData>(TData data)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(data, data?.GetType() ?? typeof(TData), json));
        content.Headers.ContentType = new MediaTypeHeaderValue(data is CloudEvent ? CloudEventJson : Json);
        return content;
    }

    async Task PublishAsync(
        string pubsubName, string topicName, HttpContent? content, Dictionary<string, string>? metadata, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(pubsubName);
        ArgumentException.ThrowIfNullOrEmpty(topicName);
        using var request = new HttpRequestMessage(HttpMethod.Post, PublishPath(pubsubName, topicName, metadata)) { Content = content };
        await SendAsync(request, $"an event for topic '{topicName}' of '{pubsubName}'", cancellationToken);
    }

    async Task SendAsync(HttpRequestMessage request, string what, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                throw Refused(what, response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
            }
        }
        catch (HttpRequestException e)
        {
            throw new DaprException($"The sidecar at {http.BaseAddress} was not reached with {what}: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DaprException($"The sidecar at {http.BaseAddress} did not answer {what} within {http.Timeout}.", e);
        }
    }

    static string PublishPath(string pubsubName, string topicName, Dictionary<string, string>? metadata)
    {
        var path = new StringBuilder($"/v1.0/publish/{Uri.EscapeDataString(pubsubName)}/{Uri.EscapeDataString(topicName)}");
        var separator = '?';
        foreach (var (name, value) in metadata ?? [])
        {
            path.Append(separator).Append("metadata.").Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }

        return path.ToString();
    }

    static DaprException Refused(string what, HttpStatusCode status, string body)
    {
        var said = body.Length > LongestRefusalShown ? body[..LongestRefusalShown] : body;
        return new DaprException($"The sidecar refused {what} with status {(int)status}: {said}", new HttpRequestException(HttpRequestError.Unknown, said, inner: null, status));
    }

    async Task<bool> IsHealthyAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
