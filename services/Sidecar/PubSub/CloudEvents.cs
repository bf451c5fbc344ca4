using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net.Mime;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LeanPipe.Sidecar.PubSub;

/// <summary>What a caller publishes.</summary>
/// <param name="Metadata">ttlInSeconds, rawPayload and cloudevent.* have a meaning.</param>
sealed record Publication(
    string PubSub,
    string Topic,
    string AppId,
    byte[] Body,
    string? ContentType,
    IReadOnlyDictionary<string, string> Metadata,
    string? TraceParent,
    string? TraceState);

/// <summary>The envelope around a message: CloudEvents 1.0 in its JSON format, with Dapr's extensions.</summary>
static class CloudEvents
{
    public const string ContentType = "application/cloudevents+json";

    // Escapes as little as JSON allows: a reader's text stays readable.
    static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="message">What was published.</param>
    /// <param name="now">The event's time, and the start of its time to live.</param>
    /// <param name="payload">What is stored and delivered.</param>
    /// <param name="expiresAt">Null = never.</param>
    /// <param name="error">Why there is no envelope.</param>
    public static bool TryEnvelope(
        Publication message, DateTimeOffset now, [NotNullWhen(true)] out byte[]? payload, out DateTimeOffset? expiresAt, [NotNullWhen(false)] out string? error)
    {
        (payload, error) = (null, null);
        expiresAt = message.Metadata.TryGetValue("ttlInSeconds", out var ttl) && long.TryParse(ttl, out var seconds) && seconds > 0
            && seconds < (DateTimeOffset.MaxValue - now).TotalSeconds
            ? now.AddSeconds(seconds)
            : null;
        if (message.Metadata.TryGetValue("rawPayload", out var raw) && bool.TryParse(raw, out var isRaw) && isRaw)
        {
            payload = message.Body;
            return true;
        }

        var defaults = Defaults(message, now, expiresAt);
        if (!IsMedia(message.ContentType, ContentType))
        {
            payload = Write(defaults, json => WriteData(json, message.Body, message.ContentType ?? MediaTypeNames.Text.Plain));
            return true;
        }

        try
        {
            using var given = JsonDocument.Parse(message.Body);
            if (given.RootElement.ValueKind != JsonValueKind.Object)
            {
                error = "the body is not a JSON object";
                return false;
            }

            payload = Complete(given.RootElement, defaults);
            return true;
        }
        catch (JsonException e)
        {
            error = e.Message;
            return false;
        }
    }

    /// <summary>An envelope around bytes that were published without one.</summary>
    public static byte[] Wrap(ReadOnlySpan<byte> raw, string pubsub, string topic, DateTimeOffset now)
    {
        var bytes = raw.ToArray();
        var message = new Publication(pubsub, topic, "Dapr", bytes, MediaTypeNames.Application.Octet, new Dictionary<string, string>(StringComparer.Ordinal), null, null);
        return Write(Defaults(message, now, expiresAt: null), json => WriteData(json, bytes, MediaTypeNames.Application.Octet));
    }

    /// <summary>The event behind a payload; null when the payload is none.</summary>
    public static JsonDocument? TryParse(ReadOnlyMemory<byte> payload)
    {
        try
        {
            var document = JsonDocument.Parse(payload);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("specversion", out _))
                return document;
            document.Dispose();
        }
        catch (JsonException)
        {
            return null;
        }

        return null;
    }

    public static bool IsMedia(string? contentType, string media) =>
        contentType is not null && contentType.Split(';')[0].Trim().Equals(media, StringComparison.OrdinalIgnoreCase);

    static Dictionary<string, string> Defaults(Publication message, DateTimeOffset now, DateTimeOffset? expiresAt)
    {
        var trace = string.IsNullOrEmpty(message.TraceParent)
            ? $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00"
            : message.TraceParent;
        var fields = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["specversion"] = "1.0",
            ["id"] = Guid.NewGuid().ToString(),
            ["source"] = message.AppId,
            ["type"] = "com.dapr.event.sent",
            ["topic"] = message.Topic,
            ["pubsubname"] = message.PubSub,
            ["time"] = now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ"),
            ["traceid"] = trace,
            ["traceparent"] = trace,
            ["tracestate"] = message.TraceState ?? "",
        };
        if (expiresAt is { } at)
            fields["expiration"] = at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ");
        foreach (var name in new[] { "id", "source", "type", "subject", "traceid", "traceparent", "tracestate" })
        {
            if (message.Metadata.TryGetValue("cloudevent." + name, out var given))
                fields[name] = given;
        }

        return fields;
    }

    static byte[] Write(Dictionary<string, string> fields, Action<Utf8JsonWriter> writeData)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Writing))
        {
            json.WriteStartObject();
            foreach (var (name, value) in fields)
                json.WriteString(name, value);
            writeData(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    // What the publisher wrote stays; topic and broker are where it really went.
    static byte[] Complete(JsonElement given, Dictionary<string, string> defaults)
    {
        foreach (var field in given.EnumerateObject())
        {
            if (field.Name is not ("topic" or "pubsubname"))
                defaults.Remove(field.Name);
        }

        return Write(defaults, json =>
        {
            foreach (var field in given.EnumerateObject().Where(f => !defaults.ContainsKey(f.Name)))
                field.WriteTo(json);
        });
    }

    static void WriteData(Utf8JsonWriter json, byte[] body, string contentType)
    {
        json.WriteString("datacontenttype", contentType);
        if (IsJson(contentType) && IsValidJson(body))
        {
            json.WritePropertyName("data");
            json.WriteRawValue(body, skipInputValidation: true);
        }
        else if (IsMedia(contentType, MediaTypeNames.Application.Octet))
        {
            json.WriteBase64String("data_base64", body);
        }
        else
        {
            json.WriteString("data", Encoding.UTF8.GetString(body));
        }
    }

    static bool IsJson(string contentType)
    {
        var media = contentType.Split(';')[0].Trim();
        return media.Equals(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase) || media.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }

    static bool IsValidJson(byte[] body)
    {
        var reader = new Utf8JsonReader(body);
        try
        {
            while (reader.Read())
                reader.TrySkip();
            return body.Length > 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
