using System.Buffers;
using System.Text.Json;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Intake;

/// <summary>A rejected frame as a line of JSON (docs/specs/wire.md): what a person needs to repair the sender, and the bytes to replay.</summary>
static class RejectLine
{
    /// <param name="client">The name in the peer's certificate; null when it showed none.</param>
    /// <param name="raw">The frame, or its beginning.</param>
    /// <param name="wireBytes">Of the whole frame with its delimiter.</param>
    /// <param name="isKept">Whether the frame is kept as it came, too.</param>
    public static void Write(
        ArrayBufferWriter<byte> target, RejectCode code, string field, int offset, long connection, string peer, string? client, DateTimeOffset receivedAt, ReadOnlySpan<byte> raw, bool isTruncated, long wireBytes, bool isKept)
    {
        using (var json = new Utf8JsonWriter(target))
        {
            json.WriteStartObject();
            json.WriteString("code"u8, code.Text());
            json.WriteString("field"u8, field);
            json.WriteNumber("offset"u8, offset);
            json.WriteNumber("connection"u8, connection);
            json.WriteString("peer"u8, peer);
            if (client is not null) json.WriteString("client"u8, client);
            json.WriteString("received_at"u8, receivedAt.UtcDateTime);
            json.WriteNumber("bytes"u8, wireBytes);
            json.WriteBase64String("raw_base64"u8, raw);
            if (isTruncated) json.WriteBoolean("raw_truncated"u8, true);
            if (isKept) json.WriteBoolean("frame_kept"u8, true);
            json.WriteEndObject();
        }
        target.Write("\n"u8);
    }
}
