using System.Net;
using System.Net.Sockets;
using LeanPipe.Contracts;

namespace LeanPipe.Cli.Local;

/// <summary>Whether ports are free, asked before anything starts, so that the answer names all that are taken.</summary>
static class Ports
{
    public static bool IsFree(IPEndPoint endpoint)
    {
        if (endpoint.Port == 0) return true;
        try
        {
            using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            // As Kestrel binds: connections of an earlier process that linger do not count.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(endpoint);
            socket.Listen();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <exception cref="LeanPipeException"><c>cli.port_taken</c></exception>
    public static void Require(LocalOptions options)
    {
        var taken = new List<string>();
        Check(new(IPAddress.Loopback, options.DaprHttpPort), "the sidecar's HTTP API (--dapr-http-port)");
        Check(new(IPAddress.Loopback, options.DaprGrpcPort), "the sidecar's gRPC API (--dapr-grpc-port)");
        Check(new(IPAddress.Loopback, options.Port), "the orchestrator (--port)");
        foreach (var stream in options.Configuration.Streams) Check(IPEndPoint.Parse(stream.Listen), $"stream '{stream.Name}' (listen in its document)");
        if (taken.Count > 0) throw new LeanPipeException("cli.port_taken", $"{string.Join("; ", taken)}. Stop what listens there, or choose another port; 0 takes any free one.");

        void Check(IPEndPoint endpoint, string who)
        {
            if (!IsFree(endpoint)) taken.Add($"Port {endpoint.Port} of {endpoint.Address} is taken, and {who} needs it");
        }
    }
}
