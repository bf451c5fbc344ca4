using System.Buffers.Binary;
using System.Net.Sockets;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Network;

/// <summary>TCP's own search for peers that are gone without a word.</summary>
static class KeepAlive
{
    const int TcpUserTimeout = 18;
    const int Tcp = 6;

    /// <summary>Probes find a silent peer that is gone; the user timeout finds one that no longer takes acknowledgements.</summary>
    public static void Set(Socket socket, KeepAliveDefinition keepAlive)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)keepAlive.After.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)keepAlive.Every.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, keepAlive.Probes);
        if (!OperatingSystem.IsLinux()) return;
        Span<byte> milliseconds = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(milliseconds, (int)(keepAlive.After + keepAlive.Every * keepAlive.Probes).TotalMilliseconds);
        socket.SetRawSocketOption(Tcp, TcpUserTimeout, milliseconds);
    }
}
