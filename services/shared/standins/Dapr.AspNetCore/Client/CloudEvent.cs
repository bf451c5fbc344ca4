using System.Text.Json.Serialization;

namespace Dapr;

/// <summary>Attributes a publisher sets itself; the sidecar fills in the others (CloudEvents 1.0, JSON format).</summary>
public class CloudEvent
{
    [JsonPropertyName("source")]
    public Uri? Source { get; init; }

    [JsonPropertyName("type")]
    public string? Type { get; init; }

    [JsonPropertyName("subject")]
    public string? Subject { get; init; }
}

/// <summary>A CloudEvent with JSON data.</summary>
public class CloudEvent<TData>(TData data) : CloudEvent
{
    [JsonPropertyName("data")]
    public TData Data { get; } = data;

    [JsonPropertyName("datacontenttype")]
    public string DataContentType { get; } = "application/json";
}
