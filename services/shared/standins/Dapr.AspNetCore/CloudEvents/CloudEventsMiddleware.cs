using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Dapr;

/// <summary>Replaces a CloudEvents envelope (structured mode, JSON) by the data in it, for the length of the request.</summary>
/// <remarks>
/// <c>data</c> is passed on as JSON, or as text when the data is text; <c>data_base64</c> as its bytes; neither as an empty body without a
/// content type. An envelope with both, or that is not JSON, is the sender's fault: 400.
/// </remarks>
sealed class CloudEventsMiddleware(RequestDelegate next, CloudEventsMiddlewareOptions options)
{
    const string CloudEventJson = "application/cloudevents+json";

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Request.ContentType?.StartsWith(CloudEventJson, StringComparison.OrdinalIgnoreCase) != true)
        {
            await next(context);
            return;
        }

        if (await ReadEnvelopeAsync(context.Request) is not { } envelope || !TryOpen(envelope, out var body, out var contentType))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        await InvokeWithAsync(context, body, contentType);
    }

    async Task InvokeWithAsync(HttpContext context, byte[] body, string? contentType)
    {
        var request = context.Request;
        var (originalBody, originalType, originalLength) = (request.Body, request.ContentType, request.ContentLength);
        try
        {
            using var replacement = new MemoryStream(body, writable: false);
            request.Body = replacement;
            request.ContentType = contentType;
            request.ContentLength = body.Length;
            await next(context);
        }
        finally
        {
            request.Body = originalBody;
            request.ContentType = originalType;
            request.ContentLength = originalLength;
        }
    }

    static async Task<JsonElement?> ReadEnvelopeAsync(HttpRequest request)
    {
        try
        {
            using var envelope = await JsonDocument.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted);
            return envelope.RootElement.ValueKind == JsonValueKind.Object ? envelope.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    bool TryOpen(JsonElement envelope, out byte[] body, out string? contentType)
    {
        var hasData = envelope.TryGetProperty("data", out var data);
        var hasBytes = envelope.TryGetProperty("data_base64", out var bytes);
        (body, contentType) = ([], null);
        if (hasData && hasBytes)
        {
            return false;
        }

        if (!hasData && !hasBytes)
        {
            return true;
        }

        contentType = ContentType(envelope, out var isJson);
        if (hasBytes)
        {
            return bytes.ValueKind == JsonValueKind.String && bytes.TryGetBytesFromBase64(out body!);
        }

        var isText = !isJson && data.ValueKind == JsonValueKind.String && !options.SuppressJsonDecodingOfTextPayloads;
        body = Encoding.UTF8.GetBytes(isText ? data.GetString()! : data.GetRawText());
        return true;
    }

    // The body handed on is UTF-8, whatever the publisher's charset was: a charset would lie.
    static string ContentType(JsonElement envelope, out bool isJson)
    {
        if (!envelope.TryGetProperty("datacontenttype", out var declared)
            || declared.ValueKind != JsonValueKind.String
            || !MediaTypeHeaderValue.TryParse(declared.GetString(), out var media))
        {
            isJson = true;
            return MediaTypeNames.Application.Json;
        }

        isJson = media.MatchesMediaType(MediaTypeNames.Application.Json) || media.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);
        media.Charset = default;
        return media.ToString();
    }
}
