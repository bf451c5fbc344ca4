using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using LeanPipe.Contracts;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace LeanPipe.Gateway.Network;

/// <param name="Address">The real one, from the PROXY header when there is one; null when nobody knows it.</param>
/// <param name="Name">From the client's certificate; null without one.</param>
sealed record Peer(IPEndPoint? Address, string? Name, IDuplexPipe Transport)
{
    public string Text => Address?.ToString() ?? "unknown";
}

/// <summary>Decides who comes in to one stream, and counts who did not and why.</summary>
/// <remarks>
/// In this order, so that the cheap refuses before the dear: connections of the stream, the proxy's address, PROXY header, the peer's address, its connections, TLS. Until the last is done a
/// connection has <see cref="GatewayOptions.HandshakeTimeout"/>.
/// </remarks>
sealed class StreamDoor(StreamName stream, ConnectionCounts counts, GatewayOptions options, TimeProvider time)
{
    public StreamName Stream => stream;

    public ConnectionCounts Counts => counts;

    /// <summary>Null while the stream speaks plain TCP.</summary>
    public TlsCertificate? Certificate { get; set; }

    /// <summary>From the accepted socket to its end.</summary>
    /// <param name="serve">Reads the stream and says why it ended.</param>
    public async Task ServeAsync(StreamDefinition definition, ConnectionContext context, Func<Peer, Task<CloseReason>> serve)
    {
        var socket = Plain(context.RemoteEndPoint as IPEndPoint);
        if (!counts.TryEnter(definition.Limits.MaxConnections))
        {
            counts.Count(CloseReason.TooManyConnections, socket?.ToString() ?? "unknown");
            return;
        }
        try
        {
            if (context.Features.Get<IConnectionSocketFeature>() is { } feature) KeepAlive.Set(feature.Socket, definition.Network.KeepAlive);
            using var timeout = definition.Network.ProxyProtocol || Certificate is not null ? new CancellationTokenSource(options.HandshakeTimeout, time) : null;
            var (address, refusal) = await FindAddressAsync(definition.Network, socket, context.Transport.Input, timeout?.Token ?? CancellationToken.None);
            var reason = refusal ?? await WithAddressAsync(definition, address, context.Transport, serve, timeout);
            if (reason == CloseReason.Finished && !await IsTakenAsync(context, definition.Limits.MaxUnreadTime)) reason = CloseReason.AcksUnread;
            counts.Count(reason, address?.ToString() ?? "unknown");
        }
        finally
        {
            counts.Leave();
        }
    }

    /// <summary>Ends a connection that has nothing more to say.</summary>
    /// <returns>False when the peer did not take what was said, and was cut off.</returns>
    async Task<bool> IsTakenAsync(ConnectionContext context, TimeSpan within)
    {
        var ending = context.DisposeAsync().AsTask();
        try
        {
            await ending.WaitAsync(within, time);
            return true;
        }
        catch (TimeoutException)
        {
            context.Abort();
            await ending;
            return false;
        }
    }

    static async Task<(IPEndPoint? Address, CloseReason? Refusal)> FindAddressAsync(NetworkDefinition network, IPEndPoint? socket, PipeReader input, CancellationToken timeout)
    {
        if (!network.ProxyProtocol) return (socket, null);
        if (!Allows(network.Proxies, socket)) return (socket, CloseReason.ProxyNotAllowed);
        try
        {
            while (true)
            {
                var result = await input.ReadAsync(timeout);
                var (fault, consumed, peer) = Read(result);
                if (fault == ProxyFault.None)
                {
                    input.AdvanceTo(result.Buffer.GetPosition(consumed));
                    return (Plain(peer) ?? socket, null);
                }
                input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                if (fault == ProxyFault.Missing) return (socket, CloseReason.ProxyHeaderMissing);
                if (fault == ProxyFault.Invalid) return (socket, CloseReason.ProxyHeaderInvalid);
                if (result.IsCompleted) return (socket, result.Buffer.IsEmpty ? CloseReason.LeftEarly : CloseReason.ProxyHeaderInvalid);
            }
        }
        catch (OperationCanceledException)
        {
            return (socket, CloseReason.ProxyHeaderTimeout);
        }
        catch (Exception e) when (ConnectionEnd.ReasonOf(e) is not null)
        {
            return (socket, CloseReason.LeftEarly);
        }
    }

    static (ProxyFault Fault, int Consumed, IPEndPoint? Peer) Read(ReadResult result)
    {
        Span<byte> bytes = stackalloc byte[ProxyHeader.MaxBytes];
        var head = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, bytes.Length));
        head.CopyTo(bytes);
        return (ProxyHeader.TryRead(bytes[..(int)head.Length], out var consumed, out var peer), consumed, peer);
    }

    async Task<CloseReason> WithAddressAsync(StreamDefinition definition, IPEndPoint? address, IDuplexPipe transport, Func<Peer, Task<CloseReason>> serve, CancellationTokenSource? timeout)
    {
        if (!Allows(definition.Network.Allow, address)) return CloseReason.NotAllowed;
        if (address is null || definition.Limits.MaxConnectionsPerIp is not { } limit) return await WithTlsAsync(definition.Network, address, transport, serve, timeout);
        if (!counts.TryEnter(address.Address, limit)) return CloseReason.TooManyConnectionsFromIp;
        try
        {
            return await WithTlsAsync(definition.Network, address, transport, serve, timeout);
        }
        finally
        {
            counts.Leave(address.Address);
        }
    }

    async Task<CloseReason> WithTlsAsync(NetworkDefinition network, IPEndPoint? address, IDuplexPipe transport, Func<Peer, Task<CloseReason>> serve, CancellationTokenSource? timeout)
    {
        if (Certificate is not { } certificate)
        {
            timeout?.Dispose();
            return await serve(new(address, null, transport));
        }
        var (tls, refusal) = await TlsTransport.AcceptAsync(transport, certificate.Identity, timeout?.Token ?? CancellationToken.None);
        timeout?.Dispose();
        if (tls is null) return refusal;
        await using (tls)
        {
            if (network.Tls?.PeerName is not null && tls.PeerName is null) return CloseReason.ClientCertificateUnnamed;
            return await serve(new(address, tls.PeerName, tls));
        }
    }

    static bool Allows(IReadOnlyList<IPNetwork> networks, IPEndPoint? address) =>
        networks.Count == 0 || (address is not null && networks.Any(n => n.Contains(address.Address)));

    /// <summary>A listener for both families shows IPv4 peers as IPv6.</summary>
    static IPEndPoint? Plain(IPEndPoint? address) => address is { Address.IsIPv4MappedToIPv6: true } ? new(address.Address.MapToIPv4(), address.Port) : address;
}
