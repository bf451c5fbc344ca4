using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Network;

/// <summary>The doors of all streams, and the two clocks that watch peers and certificates.</summary>
sealed class GatewayNetwork : IDisposable
{
    readonly Dictionary<StreamName, StreamDoor> _doors = [];
    readonly GatewayHealth _health;
    readonly TimeProvider _time;
    readonly ILogger<GatewayNetwork> _logger;
    readonly ITimer _certificates;

    /// <exception cref="LeanPipeException"><c>gateway.tls_files</c></exception>
    public GatewayNetwork(GatewayOptions options, GatewayHealth health, TimeProvider time, ILogger<GatewayNetwork> logger)
    {
        (_health, _time, _logger) = (health, time, logger);
        foreach (var stream in options.Streams)
        {
            _doors.Add(stream.Name, new(stream.Name, new(stream.Name, time, logger), options, time));
            Use(stream);
        }
        Clocks = new(time);
        _certificates = time.CreateTimer(_ => CheckCertificates(), null, options.CertificateCheckEvery, options.CertificateCheckEvery);
    }

    public PeerClocks Clocks { get; }

    public IEnumerable<StreamDoor> Doors => _doors.Values;

    public StreamDoor DoorOf(StreamName stream) => _doors[stream];

    /// <summary>Takes a stream's TLS files as its document names them now; when they cannot be used, everything stays as it was.</summary>
    /// <exception cref="LeanPipeException"><c>gateway.tls_files</c></exception>
    public void Use(StreamDefinition stream)
    {
        var door = _doors[stream.Name];
        var before = door.Certificate;
        if (before?.Definition == stream.Network.Tls) return;
        door.Certificate = stream.Network.Tls is { } tls ? new(stream.Name, tls, _health, _time, _logger) : null;
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
