using System.Text;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Http;

/// <summary>Whether the sidecar can be used, and what it is.</summary>
static class HealthApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1.0/healthz", (HttpContext http, StateStore store, SidecarOptions options) => Health(http, store, options));
        routes.MapGet("/v1.0/healthz/outbound", (StateStore store) => store.IsHealthy
            ? Results.NoContent()
            : ApiErrors.Error(500, "ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready: the journal cannot be written"));
        routes.MapGet("/v1.0/metadata", (HttpContext http, Metadata metadata) => metadata.Of(http.Request.Query["appid"].ToString() is { Length: > 0 } app ? app : null) is { } body
            ? ApiErrors.Json(200, body, ApiErrors.Shapes.MetadataBody)
            : ApiErrors.Error(404, "ERR_APP_ID_NOT_FOUND", "no app of that id is behind this sidecar"));
        routes.MapPut("/v1.0/metadata/{key}", async (HttpContext http, Metadata metadata, SidecarOptions options, string key) =>
        {
            if (await RequestBody.TryReadAsync(http, options) is not { } value)
                return RequestBody.TooLarge();
            return metadata.TrySet(key, Encoding.UTF8.GetString(value))
                ? Results.NoContent()
                : ApiErrors.Error(400, "ERR_METADATA_SET", Metadata.Full);
        });
        routes.MapPost("/v1.0/shutdown", (IHostApplicationLifetime lifetime) =>
        {
            lifetime.StopApplication();
            return Results.NoContent();
        });
    }

    static IResult Health(HttpContext http, StateStore store, SidecarOptions options)
    {
        if (!store.IsHealthy)
            return ApiErrors.Error(500, "ERR_HEALTH_NOT_READY", "dapr is not ready: the journal cannot be written");
        return http.Request.Query["appid"].ToString() is { Length: > 0 } wanted && wanted != options.AppId
            ? ApiErrors.Error(500, "ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match")
            : Results.NoContent();
    }
}
