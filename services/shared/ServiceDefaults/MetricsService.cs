using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LeanPipe.ServiceDefaults;

/// <summary>The metrics of a service as part of its web application.</summary>
public static class MetricsService
{
    /// <summary>Begins to collect what the application's <see cref="IMeterFactory"/> makes; with <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> in its configuration it is exported too.</summary>
    /// <param name="service">The service's name in the exported resource.</param>
    public static void AddMetricsEndpoint(this WebApplicationBuilder builder, string service)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddMetrics();
        builder.Services.AddSingleton(s => new MetricsBook(s.GetRequiredService<IMeterFactory>()));
        // Made with the host, so that it sees every instrument from the first measurement on.
        builder.Services.AddHostedService(s => new MetricsExport(s.GetRequiredService<MetricsBook>(), service, builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]));
    }

    /// <summary><c>GET /metrics</c></summary>
    public static void MapMetricsEndpoint(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapGet("/metrics", (MetricsBook book) => Results.Text(book.Collect(), PrometheusText.ContentType));
    }
}
