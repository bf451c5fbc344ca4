using System.Net;

namespace LeanPipe.Contracts;

/// <summary>Who may connect to a stream, what a connection begins with, and when a silent peer counts as gone.</summary>
public sealed record NetworkDefinition
{
    /// <summary>Null is plain TCP.</summary>
    public TlsDefinition? Tls { get; init; }

    /// <summary>Whether every connection begins with a PROXY protocol header of version 2; what follows is the peer's.</summary>
    public bool ProxyProtocol { get; init; }

    /// <summary>Networks that peers may come from, by their real address; empty is all.</summary>
    public IReadOnlyList<IPNetwork> Allow { get; init; } = [];

    /// <summary>Networks whose PROXY headers are believed; empty is all.</summary>
    public IReadOnlyList<IPNetwork> Proxies { get; init; } = [];

    public KeepAliveDefinition KeepAlive { get; init; } = new();
}

/// <param name="CertificateFile">PEM: the server's certificate, then its intermediates.</param>
/// <param name="KeyFile">PEM: its private key, not encrypted.</param>
/// <param name="ClientCaFile">PEM: the authorities whose client certificates are accepted; null asks clients for none.</param>
/// <param name="PeerName">The field that gets the client certificate's name in every record; null leaves records as they are.</param>
public sealed record TlsDefinition(string CertificateFile, string KeyFile, string? ClientCaFile = null, bool RequireClientCertificate = false, string? PeerName = null);

/// <summary>TCP's own probes of a silent connection: a peer that answers none for <see cref="After"/> and all probes is gone.</summary>
public sealed record KeepAliveDefinition
{
    /// <summary>Whole seconds of silence before the first probe.</summary>
    public TimeSpan After { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whole seconds between probes.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(10);

    public int Probes { get; init; } = 6;
}
