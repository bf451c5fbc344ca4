using System.Net;
using System.Net.Sockets;

namespace LeanPipe.Tests;

/// <summary>Ports of loopback on which nobody listens and which stay so until the caller listens there, or does not.</summary>
/// <remarks>They lie below those that systems give to whoever asks for any port (from 32768 on Linux, 49152 elsewhere), so no test beside this one is given one of them.</remarks>
static class FreePort
{
    const int First = 10_000;
    const int Beyond = 30_000;

    // Test processes begin at different places, and within one no port comes twice.
    static int _last = Random.Shared.Next(First, Beyond);

    public static int Next()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _last) % (Beyond - First));
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Somebody's; the next one.
            }
        }
    }
}
