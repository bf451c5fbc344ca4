using System.Net;
using LeanPipe.Contracts;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LeanPipe.Gateway;

/// <summary>Where the gateway listens, with the ports that were bound; known once the web application has started.</summary>
public sealed class GatewayEndpoints
{
    readonly Dictionary<StreamName, ListenOptions> _streams = [];
    ListenOptions? _http;

    public IReadOnlyDictionary<StreamName, IPEndPoint> Streams => _streams.ToDictionary(s => s.Key, s => s.Value.IPEndPoint!);

    /// <summary>Health and ledger; null when the caller gave the application a listener of its own.</summary>
    public IPEndPoint? Http => _http?.IPEndPoint;

    internal void Add(StreamName stream, ListenOptions listening) => _streams[stream] = listening;

    internal void AddHttp(ListenOptions listening) => _http = listening;
}
