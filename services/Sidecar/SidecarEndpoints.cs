using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LeanPipe.Sidecar;

/// <summary>The ports that a running sidecar has, and the app's.</summary>
public sealed class SidecarEndpoints
{
    ListenOptions? _http;
    ListenOptions? _grpc;
    ListenOptions? _metrics;
    readonly Dictionary<string, ListenOptions> _apps = new(StringComparer.Ordinal);
    int? _appPort;

    internal SidecarEndpoints(int? appPort) => _appPort = appPort;

    /// <summary>REST; known when the web application has started.</summary>
    public int HttpPort => PortOf(_http);

    /// <summary>gRPC; known when the web application has started.</summary>
    public int GrpcPort => PortOf(_grpc);

    /// <summary>Metrics, with <see cref="SidecarOptions.MetricsPort"/>; known when the web application has started.</summary>
    public int MetricsPort => PortOf(_metrics);

    /// <summary>gRPC of one of <see cref="SidecarOptions.Apps"/>; known when the web application has started.</summary>
    public int GrpcPortOf(string appId) => PortOf(_apps.GetValueOrDefault(appId));

    /// <summary>Whether a connection came in where only metrics are told.</summary>
    internal bool IsMetrics(int port) => _metrics?.IPEndPoint?.Port == port;

    /// <summary>Whose port it is; null = the main app's.</summary>
    internal string? AppAt(int port) => _apps.FirstOrDefault(a => a.Value.IPEndPoint?.Port == port).Key;

    /// <summary>Where deliveries go. Set it when the app's own port is known only after it started; null pauses deliveries.</summary>
    public int? AppPort
    {
        get => _appPort;
        set
        {
            _appPort = value;
            AppPortChanged?.Invoke();
        }
    }

    internal event Action? AppPortChanged;

    /// <summary>Where the app is, as soon as that is known.</summary>
    internal async Task<int> WhenAppPortAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            void OnChanged() => changed.TrySetResult();
            AppPortChanged += OnChanged;
            try
            {
                if (AppPort is { } port)
                    return port;
                await changed.Task.WaitAsync(cancellationToken);
            }
            finally
            {
                AppPortChanged -= OnChanged;
            }
        }
    }

    internal void Listen(KestrelServerOptions kestrel, SidecarOptions options)
    {
        var address = IPAddress.Parse(options.ListenAddress);

        // One protocol per port: the protocol of a request tells which port it came in on.
        kestrel.Listen(address, options.HttpPort, listen => (_http, listen.Protocols) = (listen, HttpProtocols.Http1));
        kestrel.Listen(address, options.GrpcPort, listen => (_grpc, listen.Protocols) = (listen, HttpProtocols.Http2));
        if (options.MetricsPort is { } metrics)
            kestrel.Listen(address, metrics, listen => (_metrics, listen.Protocols) = (listen, HttpProtocols.Http1));
        foreach (var app in options.Apps)
            kestrel.Listen(address, app.GrpcPort, listen => (_apps[app.AppId], listen.Protocols) = (listen, HttpProtocols.Http2));
    }

    static int PortOf(ListenOptions? listen) => listen?.IPEndPoint is { Port: > 0 } endpoint
        ? endpoint.Port
        : throw new InvalidOperationException("The sidecar's ports are known when its web application has started.");
}
