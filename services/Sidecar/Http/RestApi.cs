using LeanPipe.Contracts;
using LeanPipe.ServiceDefaults;

namespace LeanPipe.Sidecar.Http;

/// <summary>The REST port: who may call, what is served, and what is said about anything else.</summary>
static class RestApi
{
    public static void Map(WebApplication app)
    {
        var options = app.Services.GetRequiredService<SidecarOptions>();
        var endpoints = app.Services.GetRequiredService<SidecarEndpoints>();
        app.Use(async (http, next) =>
        {
            if (endpoints.IsMetrics(http.Connection.LocalPort))
            {
                if (http.Request.Path == "/metrics")
                    await next(http);
                else
                    http.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            if (!IsHealth(http.Request.Path) && !ApiToken.Matches(http, options.ApiToken))
            {
                http.Response.StatusCode = StatusCodes.Status401Unauthorized;
                await http.Response.WriteAsync("invalid api token", http.RequestAborted);
                return;
            }

            try
            {
                await next(http);
            }
            catch (LeanPipeException e) when (!http.Response.HasStarted)
            {
                await ApiErrors.Error(StatusCodes.Status500InternalServerError, "ERROR", e.Message).ExecuteAsync(http);
            }
        });
        WorkflowApi.Map(app);
        PublishApi.Map(app);
        JobsApi.Map(app);
        HealthApi.Map(app);
        app.MapMetricsEndpoint();
        app.MapFallback("{*path}", ApiErrors.UnknownPath);
    }

    static bool IsHealth(PathString path) => path.Value is "/v1.0/healthz" or "/v1.0/healthz/outbound";
}
