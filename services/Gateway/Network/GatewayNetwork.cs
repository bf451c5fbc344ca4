using System.Collections.Concurrent;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Network;

/// <summary>The doors of all streams, and the two clocks that watch peers and certificates.</summary>
sealed class GatewayNetwork : IDisposable
{
    readonly ConcurrentDictionary<StreamName, StreamDoor> _doors = new();
    readonly GatewayOptions _options;
    readonly GatewayHealth _health;
    readonly TimeProvider _time;
    readonly ILogger<GatewayNetwork> _logger;
    readonly ITimer _certificates;

    /// <exception cref="LeanPipeException"><c>gateway.tls_files</c></exception>
    public GatewayNetwork(GatewayOptions options, GatewayHealth health, TimeProvider time, ILogger<GatewayNetwork> logger)
    {
        (_options, _health, _time, _logger) = (options, health, time, logger);
        foreach (var stream in options.Streams) Use(stream);
        Clocks = new(time);
        _certificates = time.CreateTimer(_ => CheckCertificates(), null, options.CertificateCheckEvery, options.CertificateCheckEvery);
    }

    public PeerClocks Clocks { get; }

    /// <summary>By the streams' names.</summary>
    public IEnumerable<StreamDoor> Doors => _doors.Values.OrderBy(d => d.Stream.Value, StringComparer.Ordinal);

    public StreamDoor DoorOf(StreamName stream) => _doors[stream];

    /// <summary>Gives a stream its door, and takes its TLS files as its document names them now; when they cannot be used, everything stays as it was.</summary>
    /// <exception cref="LeanPipeException"><c>gateway.tls_files</c></exception>
    public void Use(StreamDefinition stream)
    {
        var door = _doors.GetValueOrDefault(stream.Name);
        var before = door?.Certificate;
        if (door is not null && before?.Definition == stream.Network.Tls) return;
        var certificate = stream.Network.Tls is { } tls ? new TlsCertificate(stream.Name, tls, _health, _time, _logger) : null;
        door ??= _doors[stream.Name] = new(stream.Name, new(stream.Name, _time, _logger), _options, _time);
        door.Certificate = certificate;
        before?.Forget();
        door.Certificate?.Check();
    }

    public void Dispose()
    {
        _certificates.Dispose();
        Clocks.Dispose();
    }

    void CheckCertificates()
    {
        foreach (var door in Doors) door.Certificate?.Check();
    }
}
