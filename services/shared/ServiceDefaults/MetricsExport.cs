using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace LeanPipe.ServiceDefaults;

/// <summary>Sends the same meters by OTLP, where somebody has named an endpoint.</summary>
/// <param name="book">Asked for, so that collecting begins when the host starts.</param>
sealed class MetricsExport(MetricsBook book, string service, string? endpoint) : IHostedService
{
    MeterProvider? _provider;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        book.Start();
        if (string.IsNullOrEmpty(endpoint)) return Task.CompletedTask;
        _provider = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(r => r.AddService(service))
            .AddMeter(MetricsBook.OwnMeters + "*", MetricsBook.RuntimeMeter)
            .AddOtlpExporter()
            .Build();
        return Task.CompletedTask;
    }

    /// <summary>What was measured last is sent before the process ends.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _provider?.Dispose();
        return Task.CompletedTask;
    }
}
