using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;

namespace LeanPipe.Gateway.Network;

/// <summary>What reading from a socket, or from TLS over one, says when it fails.</summary>
static class ConnectionEnd
{
    /// <summary>Null when it is not the connection's failure.</summary>
    public static CloseReason? ReasonOf(Exception e) => e switch
    {
        _ when SocketErrorOf(e) is { } error => error is SocketError.TimedOut or SocketError.HostUnreachable or SocketError.NetworkUnreachable ? CloseReason.HalfOpen : CloseReason.Reset,
        ConnectionAbortedException or ConnectionResetException => CloseReason.Reset,
        AuthenticationException or IOException => CloseReason.TlsBroken,
        _ => null,
    };

    static SocketError? SocketErrorOf(Exception e)
    {
        for (Exception? at = e; at is not null; at = at.InnerException)
            if (at is SocketException socket) return socket.SocketErrorCode;
        return null;
    }
}
