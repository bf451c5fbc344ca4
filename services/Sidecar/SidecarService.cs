using LeanPipe.Contracts;
using LeanPipe.ServiceDefaults;
using LeanPipe.Sidecar.Bindings;
using LeanPipe.Sidecar.Http;
using LeanPipe.Sidecar.Jobs;
using LeanPipe.Sidecar.PubSub;
using LeanPipe.Sidecar.State;
using LeanPipe.Sidecar.TaskHub;
using LeanPipe.Sidecar.Workflows;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LeanPipe.Sidecar;

/// <summary>The embedded sidecar as part of a web application that serves nothing else.</summary>
public static class SidecarService
{
    // A workflow client may hold one open call per instance that it waits for, all on one connection.
    const int MaxStreamsPerConnection = 1000;

    /// <summary>Adds the sidecar and its two listeners. The state is opened before the first port is.</summary>
    /// <exception cref="LeanPipeException">sidecar.options_invalid, with every broken rule</exception>
    public static void AddSidecar(this WebApplicationBuilder builder, SidecarOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        var errors = options.Errors().ToList();
        if (errors.Count > 0)
            throw new LeanPipeException("sidecar.options_invalid", "The sidecar's options are not usable. " + string.Join(' ', errors));

        var endpoints = new SidecarEndpoints(options.AppPort);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = (long)options.MaxMessageBytes * RequestBody.ReadBeyondFactor;
            kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreamsPerConnection;
            // A worker whose machine or process hangs loses its items; a closed connection is noticed without this.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(10);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
            endpoints.Listen(kestrel, options);
        });

        // Two calls per turn and one per activity: the server's own line for each would bury everything else.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(endpoints);
        builder.Services.AddSingleton<StateStore>();
        builder.Services.AddSingleton<SidecarMetrics>();
        builder.AddMetricsEndpoint("leanpipe-sidecar");
        builder.Services.AddSingleton<WorkflowEngine>();
        builder.Services.AddSingleton<WorkflowClient>();
        builder.Services.AddSingleton<UnaryCall>();
        builder.Services.AddSingleton<TaskHubService>();
        builder.Services.AddSingleton<RuntimeService>();
        builder.Services.AddSingleton<Metadata>();
        builder.Services.AddSingleton<Publisher>();
        builder.Services.AddSingleton<Deliveries>();
        builder.Services.AddSingleton<JobRunner>();
        builder.Services.AddSingleton<CronTicker>();
        builder.Services.AddHostedService<SidecarHost>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Deliveries>());
        builder.Services.AddHostedService(services => services.GetRequiredService<JobRunner>());
        builder.Services.AddHostedService(services => services.GetRequiredService<CronTicker>());
    }

    /// <summary>Maps gRPC on the one port and REST on the other.</summary>
    public static void MapSidecar(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapWhen(http => HttpProtocol.IsHttp2(http.Request.Protocol), grpc =>
            grpc.Run(grpc.ApplicationServices.GetRequiredService<TaskHubService>().HandleAsync));
        _ = app.Services.GetRequiredService<SidecarMetrics>();
        RestApi.Map(app);
    }
}
