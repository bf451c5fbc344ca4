using System.Net;
using System.Net.Sockets;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Network;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace LeanPipe.Integration.Gateway;

/// <summary>Peers that say that nothing more comes and leave their acknowledgements where they are.</summary>
public sealed class UnreadAckTests : IDisposable
{
    const int Frames = 4_000;

    /// <summary>Every portion is a commit and an acknowledgement of its own, so that there are more of them than the system holds.</summary>
    static readonly StreamDefinition Stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { MaxUnsyncedBytes = 1, MaxUnreadTime = TimeSpan.FromMilliseconds(200) } };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-unread-");

    public void Dispose() => _folder.Delete(recursive: true);

    // With little room in the gateway the line itself finds none; with more, the end of the connection is what cannot be said.
    [Theory, InlineData(64), InlineData(1024 * 1024)]
    public async Task A_peer_that_ends_its_side_and_reads_nothing_is_cut_off_with_its_own_reason(long gatewayHolds)
    {
        var log = new HeardLog("acks_unread");
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, Stream), log: log, sockets: o => Narrow(o, gatewayHolds));
        using var client = new TcpClient { NoDelay = true, ReceiveBufferSize = 1 };
        await client.ConnectAsync(gateway.Endpoints.Streams.Values.First(), GatewayUnderTest.Timeout());
        for (var i = 0; i < Frames; i += 100)
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(i, 100).Select(n => Sender.Line(n) + "\n"))), GatewayUnderTest.Timeout());
        client.Client.Shutdown(SocketShutdown.Send);

        (await log.Heard.WaitAsync(GatewayUnderTest.Timeout())).ShouldStartWith("Stream seq lost or closed the connection of 127.0.0.1:");
        gateway.Counts.Ended(CloseReason.AcksUnread).ShouldBe(1);
        await gateway.StopAsync();
        (gateway.Counts.Open, gateway.Counts.Ended(CloseReason.Finished)).ShouldBe((0, 0));
        gateway.Ledger.Records.ShouldBe(Frames);
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
    }

    [Fact]
    public async Task A_peer_that_reads_when_it_has_sent_everything_gets_its_last_acknowledgement()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, Stream with { Limits = Stream.Limits with { MaxUnreadTime = TimeSpan.FromMinutes(1) } }), sockets: o => Narrow(o, 64));
        using var client = new TcpClient { NoDelay = true, ReceiveBufferSize = 1 };
        await client.ConnectAsync(gateway.Endpoints.Streams.Values.First(), GatewayUnderTest.Timeout());
        using var sender = new Sender(client);
        for (var i = 0; i < Frames; i += 100) await sender.SendAsync(string.Concat(Enumerable.Range(i, 100).Select(n => Sender.Line(n) + "\n")));
        await sender.FinishAsync();
        sender.Acknowledged.ShouldBe(Frames);
        await gateway.StopAsync();
        gateway.Counts.Ended(CloseReason.Finished).ShouldBe(1);
    }

    /// <summary>The system holds as little as it can of what is written, and the gateway so many bytes more.</summary>
    static void Narrow(SocketTransportOptions options, long gatewayHolds)
    {
        options.MaxWriteBufferSize = gatewayHolds;
        options.CreateBoundListenSocket = endpoint =>
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.SendBufferSize = 1;
            return socket;
        };
    }
}
