using LeanPipe.Sidecar.PubSub;

namespace LeanPipe.Sidecar.Http;

/// <summary>Publishing over REST.</summary>
static class PublishApi
{
    const string MetadataPrefix = "metadata.";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapMethods("/v1.0/publish/{pubsub}/{*topic}", [HttpMethods.Post, HttpMethods.Put], PublishAsync);

    static async Task<IResult> PublishAsync(HttpContext http, Publisher publisher, SidecarOptions options, string pubsub, string? topic)
    {
        if (await RequestBody.TryReadAsync(http, options) is not { } body)
            return RequestBody.TooLarge();

        var metadata = http.Request.Query
            .Where(q => q.Key.StartsWith(MetadataPrefix, StringComparison.Ordinal))
            .ToDictionary(q => q.Key[MetadataPrefix.Length..], q => q.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var message = new Publication(
            pubsub, topic ?? "", options.AppId, body, http.Request.ContentType, metadata, http.Request.Headers.TraceParent, http.Request.Headers.TraceState);
        return await publisher.PublishAsync(message) is { } fault ? ApiErrors.Error(fault.Status, fault.Code, fault.Message) : Results.NoContent();
    }
}
