using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dapr.Client;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Network;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Shipping;
using LeanPipe.Gateway.Windows;
using LeanPipe.Lake;
using LeanPipe.ServiceDefaults;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LeanPipe.Gateway;

/// <summary>The gateway as part of a web application.</summary>
public static class GatewayService
{
    /// <summary>Adds the gateway. Streams have listeners of their own beside the web server's, so that they may come and go. Afterwards the application's services have <see cref="GatewayEndpoints"/>, <see cref="GatewayLedgers"/>,
    /// <see cref="GatewayProgress"/> and <see cref="GatewayHealth"/>.</summary>
    /// <remarks>Health and ledger have their place with <see cref="GatewayOptions.Http"/>, which replaces the addresses of ASPNETCORE_URLS.</remarks>
    /// <exception cref="LeanPipeException"><c>gateway.options_invalid</c>, with every broken rule.</exception>
    public static void AddGateway(this WebApplicationBuilder builder, GatewayOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        var errors = options.Errors().ToList();
        if (errors.Count > 0) throw new LeanPipeException("gateway.options_invalid", "The gateway's options are not usable. " + string.Join(' ', errors));

        var endpoints = new GatewayEndpoints();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            if (options.Http is not null) kestrel.Listen(IPEndPoint.Parse(options.Http), endpoints.AddHttp);
        });

        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);

        // What a connection has received is framed and validated where it was received: a hop to another thread costs more than a portion's work.
        services.AddSingleton<IMemoryPoolFactory<byte>, ReadBlocks>();
        services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
        services.AddDaprClient();
        services.AddSingleton(options);
        services.AddSingleton(endpoints);
        services.AddSingleton<GatewayHealth>();
        services.AddSingleton<GatewayProgress>();
        services.AddSingleton<GatewayNetwork>();
        services.AddSingleton<GatewayMetrics>();
        builder.AddMetricsEndpoint("leanpipe-gateway");
        services.AddSingleton(s => new GatewayState(s.GetRequiredService<TimeProvider>(), options.RememberedWindows));
        services.AddSingleton(s => new GatewayLedgers(s.GetRequiredService<GatewayState>(), options, s.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<PublishWindowSealed>(s => (json, cancellationToken) =>
            s.GetRequiredService<DaprClient>().PublishByteEventAsync(EventNames.PubSub, EventNames.WindowSealed, json, "application/json", null, cancellationToken));
        services.TryAddKeyedSingleton<IObjectStore>(nameof(GatewayHost), (_, _) => ObjectStores.Open(options.Lake));
        services.AddSingleton(s => ActivatorUtilities.CreateInstance<GatewayHost>(s, s.GetRequiredKeyedService<IObjectStore>(nameof(GatewayHost))));
        services.AddHostedService(s => s.GetRequiredService<GatewayHost>());
    }

    /// <summary><c>GET /healthz</c> (200, or 503 while reading is stopped; reasons in both), <c>GET /healthz/live</c>, <c>GET /v1/ledger</c>, <c>GET /v1/ledger/{stream}</c>, <c>GET /metrics</c>, and, from this machine only, <c>POST /v1/drain?seal=true</c>.</summary>
    public static void MapGateway(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapMetricsEndpoint();
        app.MapGet("/healthz", (GatewayHealth health) =>
        {
            var status = !health.IsReading ? "stopped" : health.Reasons.Count > 0 ? "degraded" : "ok";
            return Results.Json(new HealthAnswer(status, health.Reasons), GatewayJson.Default.HealthAnswer, statusCode: health.IsReading ? 200 : 503);
        });
        app.MapGet("/healthz/live", (GatewayHealth health) => health.Reasons.ContainsKey("log_failed") ? Results.StatusCode(503) : Results.Ok());
        app.MapPost("/v1/drain", async (bool? seal, HttpContext context, GatewayHost host) =>
            context.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer)
                ? Results.Json(await host.DrainAsync(seal ?? false, context.RequestAborted), GatewayJson.Default.DrainReport)
                : Results.StatusCode(403));
        app.MapGet("/v1/ledger", (GatewayLedgers ledgers) => Results.Json([.. ledgers.Streams.Select(s => s.Value)], GatewayJson.Default.StringArray));
        app.MapGet("/v1/ledger/{stream}", (string stream, GatewayLedgers ledgers) =>
            Name.IsValid(stream) && ledgers.TryGet(new(stream)) is { } ledger
                ? Results.Text(JsonSerializer.Serialize(ledger, ContractsJson.Default.Ledger), "application/json")
                : Results.NotFound());
    }
}

sealed record HealthAnswer(string Status, IReadOnlyDictionary<string, string> Reasons);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(DrainReport))]
[JsonSerializable(typeof(string[]))]
sealed partial class GatewayJson : JsonSerializerContext;
