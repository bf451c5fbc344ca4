using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Network;

namespace LeanPipe.Integration.Gateway;

public sealed class NetworkTests : IDisposable
{
    static readonly byte[] ProxyHead = Convert.FromHexString("0D0A0D0A000D0A515549540A" + "21" + "11" + "000C" + "C0000207" + "C6336401" + "D431" + "1B59");

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-network-");

    public void Dispose() => _folder.Delete(recursive: true);

    Task<GatewayUnderTest> StartAsync(NetworkDefinition network, StreamLimits? limits = null) => GatewayUnderTest.StartAsync(
        GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq with { Network = network, Limits = limits ?? GatewayUnderTest.Seq.Limits }) with { HandshakeTimeout = TimeSpan.FromSeconds(30) });

    [Fact]
    public async Task A_peer_from_another_network_is_refused_and_counted()
    {
        await using var gateway = await StartAsync(new() { Allow = [IPNetwork.Parse("10.0.0.0/8")] });
        using (var sender = await gateway.ConnectAsync()) await sender.ShouldBeRefusedAsync();
        await gateway.ShouldEndAsync(CloseReason.NotAllowed);
        gateway.Counts.Open.ShouldBe(0);
        gateway.Ledger.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task One_address_has_its_own_limit_and_gets_its_place_back()
    {
        await using var gateway = await StartAsync(new() { Allow = [IPNetwork.Parse("127.0.0.0/8")] }, GatewayUnderTest.Seq.Limits with { MaxConnectionsPerIp = 1 });
        using (var first = await gateway.ConnectAsync())
        {
            await first.SendAsync(Sender.Line(1) + "\n");
            await first.AcknowledgedAsync(1);
            using (var second = await gateway.ConnectAsync()) await second.ShouldBeRefusedAsync();
            await gateway.ShouldEndAsync(CloseReason.TooManyConnectionsFromIp);
            await first.FinishAsync();
        }
        using var third = await gateway.ConnectAsync();
        await third.SendAsync(Sender.Line(2) + "\n");
        await third.AcknowledgedAsync(1);
    }

    [Fact]
    public async Task A_full_stream_refuses_the_next_connection()
    {
        await using var gateway = await StartAsync(new(), GatewayUnderTest.Seq.Limits with { MaxConnections = 1 });
        using var first = await gateway.ConnectAsync();
        await first.SendAsync(Sender.Line(1) + "\n");
        await first.AcknowledgedAsync(1);
        using (var second = await gateway.ConnectAsync()) await second.ShouldBeRefusedAsync();
        await gateway.ShouldEndAsync(CloseReason.TooManyConnections);
    }

    [Fact]
    public async Task Behind_a_proxy_the_real_address_counts_and_stands_in_rejects()
    {
        await using var gateway = await StartAsync(new() { ProxyProtocol = true, Allow = [IPNetwork.Parse("192.0.2.0/24")], Proxies = [IPNetwork.Parse("127.0.0.1/32")] });
        using (var sender = await gateway.ConnectAsync())
        {
            // Byte by byte, with the first frame right behind the last byte.
            byte[] bytes = [.. ProxyHead, .. Encoding.ASCII.GetBytes("bad\n" + Sender.Line(1) + "\n")];
            foreach (var piece in bytes.Take(ProxyHead.Length - 1)) await sender.SendBytesAsync([piece]);
            await sender.SendBytesAsync(bytes[(ProxyHead.Length - 1)..]);
            await sender.AcknowledgedAsync(2);
            await sender.FinishAsync();
        }
        await gateway.StopAsync();
        var reject = JsonDocument.Parse((await gateway.LinesUnderAsync("rejected/seq/")).ShouldHaveSingleItem()).RootElement;
        reject.GetProperty("peer").GetString().ShouldBe("192.0.2.7:54321");
        gateway.Ledger.BytesReceived.ShouldBe(4 + Sender.Line(1).Length + 1);
    }

    [Theory]
    [InlineData("{\"seq\":1}\n", nameof(CloseReason.ProxyHeaderMissing))]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u0001x", nameof(CloseReason.ProxyHeaderInvalid))]
    [InlineData("\r\n\r\n\0\r\nQUIT\n", nameof(CloseReason.ProxyHeaderInvalid))]
    [InlineData("", nameof(CloseReason.LeftEarly))]
    public async Task Without_a_proper_header_nothing_is_read(string text, string reason)
    {
        await using var gateway = await StartAsync(new() { ProxyProtocol = true });
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendBytesAsync(Encoding.ASCII.GetBytes(text));
            await sender.ShouldBeRefusedAsync(finish: true);
        }
        await gateway.ShouldEndAsync(Enum.Parse<CloseReason>(reason));
        gateway.Ledger.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task A_header_from_somebody_who_is_no_proxy_is_not_believed()
    {
        await using var gateway = await StartAsync(new() { ProxyProtocol = true, Proxies = [IPNetwork.Parse("10.0.0.0/8")] });
        using (var sender = await gateway.ConnectAsync()) await sender.ShouldBeRefusedAsync();
        await gateway.ShouldEndAsync(CloseReason.ProxyNotAllowed);
    }

    [Fact]
    public async Task A_header_that_does_not_come_ends_the_connection()
    {
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq with { Network = new() { ProxyProtocol = true } }) with { HandshakeTimeout = TimeSpan.FromMilliseconds(100) };
        await using var gateway = await GatewayUnderTest.StartAsync(options);
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendBytesAsync(ProxyHead[..20]);
            await sender.ShouldBeRefusedAsync();
        }
        await gateway.ShouldEndAsync(CloseReason.ProxyHeaderTimeout);
    }

    [Fact]
    public async Task A_frame_that_does_not_end_closes_its_connection_and_keeps_what_was_whole()
    {
        await using var gateway = await StartAsync(new(), GatewayUnderTest.Seq.Limits with { MaxFrameTime = TimeSpan.FromMilliseconds(100) });
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendAsync(Sender.Line(1) + "\n" + "{\"seq\":");
            await sender.EndsAsync();
            sender.Acknowledged.ShouldBe(1);
        }
        await gateway.ShouldEndAsync(CloseReason.SlowFrame);
        await gateway.StopAsync();
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
        gateway.Ledger.BytesPartial.ShouldBe(7);
    }

    [Fact]
    public async Task A_silent_connection_ends_after_idle_timeout()
    {
        await using var gateway = await StartAsync(new(), GatewayUnderTest.Seq.Limits with { IdleTimeout = TimeSpan.FromMilliseconds(100) });
        using (var sender = await gateway.ConnectAsync()) await sender.EndsAsync();
        await gateway.ShouldEndAsync(CloseReason.Idle);
    }

    [Fact]
    public async Task A_peer_that_resets_is_counted_and_its_partial_frame_too()
    {
        await using var gateway = await StartAsync(new());
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendAsync(Sender.Line(1) + "\nrest");
            await sender.AcknowledgedAsync(1);
            sender.Reset();
        }
        await gateway.ShouldEndAsync(CloseReason.Reset);
        await gateway.StopAsync();
        gateway.Ledger.BytesPartial.ShouldBe(4);
    }

    [Fact]
    public void Accepted_sockets_probe_silent_peers()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        KeepAlive.Set(socket, new() { After = TimeSpan.FromSeconds(7), Every = TimeSpan.FromSeconds(3), Probes = 2 });
        socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime).ShouldBe(7);
        socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval).ShouldBe(3);
        socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount).ShouldBe(2);
        var timeout = new byte[4];
        socket.GetRawSocketOption(6, 18, timeout);
        BitConverter.ToInt32(timeout).ShouldBe(13_000);
    }
}
