using System.Net;
using LeanPipe.Contracts;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LeanPipe.Gateway;

/// <summary>Where the gateway listens, with the ports that were bound; known once the web application has started. Streams come and go with their documents.</summary>
public sealed class GatewayEndpoints
{
    readonly Lock _sync = new();
    readonly Dictionary<StreamName, IPEndPoint> _streams = [];
    ListenOptions? _http;

    public IReadOnlyDictionary<StreamName, IPEndPoint> Streams
    {
        get
        {
            lock (_sync) return new Dictionary<StreamName, IPEndPoint>(_streams);
        }
    }

    /// <summary>Health and ledger; null when the caller gave the application a listener of its own.</summary>
    public IPEndPoint? Http => _http?.IPEndPoint;

    internal void Set(StreamName stream, IPEndPoint listening)
    {
        lock (_sync) _streams[stream] = listening;
    }

    internal void Remove(StreamName stream)
    {
        lock (_sync) _streams.Remove(stream);
    }

    internal void AddHttp(ListenOptions listening) => _http = listening;
}
