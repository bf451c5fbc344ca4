using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LeanPipe.Sidecar.Http;

/// <summary>The error body of the sidecar's HTTP API.</summary>
sealed record ApiError([property: JsonPropertyName("errorCode")] string ErrorCode, [property: JsonPropertyName("message")] string Message);

/// <summary>The richer form that newer parts of the API have.</summary>
sealed record DetailedError(
    [property: JsonPropertyName("errorCode")] string ErrorCode,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("details")] IReadOnlyList<ErrorDetail> Details);

sealed record ErrorDetail(
    [property: JsonPropertyName("@type")] string Type,
    [property: JsonPropertyName("domain")] string Domain,
    [property: JsonPropertyName("reason")] string Reason);

sealed record StartedBody([property: JsonPropertyName("instanceID")] string InstanceId);

/// <summary>An instance as GET shows it. Absent values are left out.</summary>
sealed record InstanceBody(
    [property: JsonPropertyName("instanceID")] string InstanceId,
    [property: JsonPropertyName("workflowName")] string? WorkflowName,
    [property: JsonPropertyName("createdAt")] string CreatedAt,
    [property: JsonPropertyName("lastUpdatedAt")] string LastUpdatedAt,
    [property: JsonPropertyName("runtimeStatus")] string RuntimeStatus,
    [property: JsonPropertyName("properties")] SortedDictionary<string, string>? Properties);

[JsonSerializable(typeof(ApiError))]
[JsonSerializable(typeof(DetailedError))]
[JsonSerializable(typeof(StartedBody))]
[JsonSerializable(typeof(InstanceBody))]
[JsonSerializable(typeof(MetadataBody))]
sealed partial class HttpJson : JsonSerializerContext;

static class ApiErrors
{
    /// <summary>Escapes as little as JSON allows, as the official sidecar does.</summary>
    public static HttpJson Shapes { get; } = new(new JsonSerializerOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    });

    public static IResult Error(int status, string code, string message) =>
        Json(status, new ApiError(code, message), Shapes.ApiError);

    public static IResult Json<T>(int status, T body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        Results.Bytes(JsonSerializer.SerializeToUtf8Bytes(body, type), "application/json").WithStatus(status);

    /// <summary>The body that says only that the call was accepted.</summary>
    public static IResult Accepted() => Results.Bytes("{}"u8.ToArray(), "application/json").WithStatus(StatusCodes.Status202Accepted);

    /// <summary>What the official sidecar says about a path that it does not know.</summary>
    public static IResult UnknownPath() => Error(
        StatusCodes.Status404NotFound, "ERR_DIRECT_INVOKE", "failed getting app id either from the URL path or the header dapr-app-id");

    static IResult WithStatus(this IResult result, int status) => new StatusResult(result, status);

    sealed class StatusResult(IResult inner, int status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            return inner.ExecuteAsync(httpContext);
        }
    }
}
