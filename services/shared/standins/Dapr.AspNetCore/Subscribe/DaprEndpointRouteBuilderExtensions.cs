using System.Text.Json;
using System.Text.Json.Serialization;
using Dapr;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Microsoft.AspNetCore.Builder;

public static class DaprEndpointRouteBuilderExtensions
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Answers <c>GET /dapr/subscribe</c> with every <c>WithTopic</c> of the application.</summary>
    public static IEndpointConventionBuilder MapSubscribeHandler(this IEndpointRouteBuilder endpoints) =>
        MapSubscribeHandler(endpoints, new SubscribeOptions());

    /// <inheritdoc cref="MapSubscribeHandler(IEndpointRouteBuilder)"/>
    public static IEndpointConventionBuilder MapSubscribeHandler(this IEndpointRouteBuilder endpoints, SubscribeOptions options)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(options);
        return endpoints.MapGet("dapr/subscribe", (HttpContext context) =>
        {
            // Resolved per request: endpoints mapped after this one belong to the answer too.
            var sources = context.RequestServices.GetRequiredService<EndpointDataSource>();
            var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Dapr.Subscribe");
            return context.Response.WriteAsJsonAsync(Subscriptions.Of(sources, options, logger), Json, context.RequestAborted);
        });
    }
}
