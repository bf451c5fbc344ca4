using System.Text.Json.Serialization;

namespace LeanPipe.Gateway.Replay;

/// <summary>A line of a segment of rejects, as <see cref="Intake.RejectLine"/> writes it.</summary>
sealed record RejectedFrame
{
    [JsonPropertyName("code")]
    public required string Code { get; init; }

    [JsonPropertyName("connection")]
    public long Connection { get; init; }

    [JsonPropertyName("peer")]
    public string Peer { get; init; } = "";

    /// <summary>The name in the client's certificate; null when it showed none.</summary>
    [JsonPropertyName("client")]
    public string? Client { get; init; }

    [JsonPropertyName("received_at")]
    public DateTimeOffset ReceivedAt { get; init; }

    [JsonPropertyName("bytes")]
    public long Bytes { get; init; }

    [JsonPropertyName("raw_base64")]
    public byte[] Raw { get; init; } = [];

    [JsonPropertyName("raw_truncated")]
    public bool IsTruncated { get; init; }

    /// <summary>Whether the frame is in a segment of frames, too, which a replay of whole windows reads.</summary>
    [JsonPropertyName("frame_kept")]
    public bool IsKept { get; init; }
}

[JsonSerializable(typeof(RejectedFrame))]
sealed partial class ReplayJson : JsonSerializerContext;
