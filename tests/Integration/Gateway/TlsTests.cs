using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Network;

namespace LeanPipe.Integration.Gateway;

public sealed class TlsTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-tls-");
    readonly TestCertificates _ours = new("ours");
    readonly TestCertificates _others = new("others");
    string? _seen;

    public void Dispose()
    {
        _ours.Dispose();
        _others.Dispose();
        _folder.Delete(recursive: true);
    }

    string In(string file) => Path.Combine(_folder.FullName, file);

    async Task<GatewayUnderTest> StartAsync(bool requiresClient = false, bool knowsClients = false, TimeProvider? time = null, TimeSpan? handshake = null)
    {
        _ours.WriteServer(In("server.pem"), In("server.key"));
        _ours.WriteAuthority(In("ca.pem"));
        var tls = new TlsDefinition(In("server.pem"), In("server.key"), knowsClients || requiresClient ? In("ca.pem") : null, requiresClient);
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq with { Network = new() { Tls = tls } });
        return await GatewayUnderTest.StartAsync(options with { HandshakeTimeout = handshake ?? TimeSpan.FromMinutes(1) }, time: time);
    }

    /// <summary>A peer that trusts our authority and shows a certificate when it has one.</summary>
    async Task<Sender> ConnectAsync(GatewayUnderTest gateway, X509Certificate2? certificate = null, SslProtocols protocols = SslProtocols.None, byte[]? head = null)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(gateway.Endpoints.Streams.Values.First(), GatewayUnderTest.Timeout());
        await client.GetStream().WriteAsync(head ?? []);
        var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = protocols,
                ClientCertificates = certificate is null ? null : [certificate],
                CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { _ours.Authority }, RevocationMode = X509RevocationMode.NoCheck },
            },
            GatewayUnderTest.Timeout());
        _seen = tls.RemoteCertificate!.GetCertHashString();
        return new(client, tls);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Records_and_acknowledgements_travel_through_TLS(SslProtocols protocols)
    {
        await using var gateway = await StartAsync();
        using (var sender = await ConnectAsync(gateway, protocols: protocols))
        {
            for (var i = 1; i <= 3000; i++) await sender.SendAsync(Sender.Line(i) + "\n");
            await sender.AcknowledgedAsync(3000);
            await sender.FinishAsync();
        }
        await gateway.StopAsync();
        await gateway.ShouldEndAsync(CloseReason.Finished);
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
        gateway.Ledger.Records.ShouldBe(3000);
    }

    [Fact]
    public async Task Plain_bytes_and_silence_are_no_handshake()
    {
        await using var gateway = await StartAsync(handshake: TimeSpan.FromMilliseconds(300));
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendAsync(Sender.Line(1) + "\n");
            await sender.ShouldBeRefusedAsync(finish: true, isAlerted: true);
        }
        using (var sender = await gateway.ConnectAsync()) await sender.ShouldBeRefusedAsync();
        await gateway.ShouldEndAsync(CloseReason.TlsFailed);
        await gateway.ShouldEndAsync(CloseReason.TlsTimeout);
        gateway.Ledger.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task Only_certificates_of_our_authority_come_in()
    {
        await using var gateway = await StartAsync(requiresClient: true);
        using var known = _ours.Client("CN=device-1");
        using var unknown = _others.Client("CN=device-1");
        await ShouldBeRefusedAsync(gateway, null);
        await gateway.ShouldEndAsync(CloseReason.ClientCertificateMissing);
        await ShouldBeRefusedAsync(gateway, unknown);
        await gateway.ShouldEndAsync(CloseReason.ClientCertificateRefused);
        using var sender = await ConnectAsync(gateway, known);
        await sender.SendAsync(Sender.Line(1) + "\n");
        await sender.AcknowledgedAsync(1);
    }

    [Fact]
    public async Task A_server_certificate_is_no_client_certificate()
    {
        await using var gateway = await StartAsync(requiresClient: true);
        using var server = X509Certificate2.CreateFromPemFile(In("server.pem"), In("server.key"));
        await ShouldBeRefusedAsync(gateway, server);
        await gateway.ShouldEndAsync(CloseReason.ClientCertificateRefused);
    }

    [Fact]
    public async Task A_certificate_that_may_be_missing_must_still_be_ours()
    {
        await using var gateway = await StartAsync(knowsClients: true);
        using (var sender = await ConnectAsync(gateway))
        {
            await sender.SendAsync(Sender.Line(1) + "\n");
            await sender.AcknowledgedAsync(1);
        }
        using var unknown = _others.Client("CN=device-1");
        await ShouldBeRefusedAsync(gateway, unknown);
    }

    [Fact]
    public async Task A_new_certificate_is_taken_without_dropping_connections_and_a_broken_one_is_refused()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var gateway = await StartAsync(time: time);
        using var old = await ConnectAsync(gateway);
        var first = _seen;

        File.WriteAllText(In("server.pem"), "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n");
        time.Advance(TimeSpan.FromSeconds(10));
        gateway.Health.Reasons["certificate_refused.seq"].ShouldContain("server.pem");
        gateway.Health.IsReading.ShouldBeTrue();
        using (await ConnectAsync(gateway)) _seen.ShouldBe(first);

        _ours.WriteServer(In("server.pem"), In("another.key"));
        time.Advance(TimeSpan.FromSeconds(10));
        gateway.Health.Reasons["certificate_refused.seq"].ShouldContain("server.key");

        _ours.WriteServer(In("server.pem"), In("server.key"), until: DateTimeOffset.UtcNow.AddDays(-1));
        time.Advance(TimeSpan.FromSeconds(10));
        gateway.Health.Reasons["certificate_refused.seq"].ShouldContain("expired");
        using (await ConnectAsync(gateway)) _seen.ShouldBe(first);

        var second = _ours.WriteServer(In("server.pem"), In("server.key"));
        time.Advance(TimeSpan.FromSeconds(10));
        gateway.Health.Reasons.ShouldBeEmpty();
        using (await ConnectAsync(gateway)) _seen.ShouldBe(second);

        await old.SendAsync(Sender.Line(1) + "\n");
        await old.AcknowledgedAsync(1);
    }

    [Theory]
    [InlineData("{\"seq\":", nameof(CloseReason.SlowFrame))]
    [InlineData("", nameof(CloseReason.Idle))]
    public async Task A_slow_or_silent_peer_behind_TLS_is_closed_too(string rest, string reason)
    {
        _ours.WriteServer(In("server.pem"), In("server.key"));
        var stream = GatewayUnderTest.Seq with
        {
            Network = new() { Tls = new(In("server.pem"), In("server.key")) },
            // A silence that is not the one that is meant, between the handshake and the first record, must not be too long.
            Limits = GatewayUnderTest.Seq.Limits with { MaxFrameTime = TimeSpan.FromMilliseconds(200), IdleTimeout = rest.Length == 0 ? TimeSpan.FromSeconds(5) : TimeSpan.FromMinutes(5) },
        };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream));
        using (var sender = await ConnectAsync(gateway))
        {
            await sender.SendAsync(Sender.Line(1) + "\n" + rest);
            await sender.EndsAsync();
            sender.Acknowledged.ShouldBe(1);
        }
        await gateway.StopAsync();
        await gateway.ShouldEndAsync(Enum.Parse<CloseReason>(reason));
        gateway.Ledger.BytesPartial.ShouldBe(rest.Length);
    }

    [Fact]
    public async Task TLS_stands_behind_the_PROXY_header()
    {
        await using var gateway = await StartBehindProxyAsync(TimeSpan.FromMinutes(1));
        using (var sender = await ConnectAsync(gateway, head: ProxyHead))
        {
            await sender.SendAsync("bad\n" + Sender.Line(1) + "\n");
            await sender.AcknowledgedAsync(2);
            await sender.FinishAsync();
        }
        await gateway.StopAsync();
        (await gateway.LinesUnderAsync("rejected/seq/")).ShouldHaveSingleItem().ShouldContain("\"peer\":\"192.0.2.7:54321\"");
    }

    [Fact]
    public async Task Whatever_the_first_bytes_are_every_connection_ends_for_one_counted_reason()
    {
        const int Count = 300;
        await using var gateway = await StartBehindProxyAsync(TimeSpan.FromSeconds(2));
        var random = new Random(4711);
        for (var i = 0; i < Count; i++)
        {
            // Pure noise, noise behind a good header, or a good header with one byte changed; half of them say that nothing more comes, the others wait.
            var noise = new byte[random.Next(0, 300)];
            random.NextBytes(noise);
            byte[] bytes = i % 3 == 0 ? noise : [.. ProxyHead, .. noise];
            if (i % 3 == 2) bytes[random.Next(ProxyHead.Length)] ^= (byte)random.Next(1, 256);
            using var sender = await gateway.ConnectAsync();
            await sender.SendBytesAsync(bytes);
            if (i % 50 == 0) await sender.ShouldBeRefusedAsync(isAlerted: true);
            else await sender.ShouldBeRefusedAsync(finish: true, isAlerted: true);
        }
        await gateway.StopAsync();
        CloseReasons.All.Sum(gateway.Counts.Ended).ShouldBe(Count);
        CloseReasons.All.Where(r => !r.IsRefusal()).Sum(gateway.Counts.Ended).ShouldBe(0);
        gateway.Counts.Open.ShouldBe(0);
        gateway.Ledger.Connections.ShouldBe(0);
    }

    static readonly byte[] ProxyHead = Convert.FromHexString("0D0A0D0A000D0A515549540A" + "21" + "11" + "000C" + "C0000207" + "C6336401" + "D431" + "1B59");

    Task<GatewayUnderTest> StartBehindProxyAsync(TimeSpan handshake)
    {
        _ours.WriteServer(In("server.pem"), In("server.key"));
        var network = new NetworkDefinition { ProxyProtocol = true, Tls = new(In("server.pem"), In("server.key")) };
        return GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq with { Network = network }) with { HandshakeTimeout = handshake });
    }

    [Fact]
    public async Task A_gateway_does_not_start_with_files_that_are_no_certificate()
    {
        File.WriteAllText(In("server.pem"), "nothing");
        var tls = new TlsDefinition(In("server.pem"), In("missing.key"));
        var start = () => GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq with { Network = new() { Tls = tls } }));
        (await start.ShouldThrowAsync<LeanPipeException>()).Code.ShouldBe("gateway.tls_files");
    }

    [Fact]
    public async Task The_name_in_the_certificate_stands_in_every_record_and_reject_and_nobody_may_send_another()
    {
        _ours.WriteServer(In("server.pem"), In("server.key"));
        _ours.WriteAuthority(In("ca.pem"));
        var stream = LeanPipe.Documents.StreamDocument.Parse(In("seq.yaml"), """
            stream: seq
            listen: 127.0.0.1:0
            schema: { fields: { seq: int64, device: string, t: timestamp } }
            event_time: t
            ack: durable
            seal_when_idle_for: 1d
            tls: { certificate: server.pem, key: server.key, client_ca: ca.pem, require_client_certificate: true, peer_name: device }
            """).Require();
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream));
        using var known = _ours.Client("CN=press-7");
        using var unnamed = _ours.Client("O=Plant");
        using (var sender = await ConnectAsync(gateway, known))
        {
            await sender.SendAsync(Sender.Line(1) + "\n" + """{"seq":2,"device":"press-8","t":"2026-01-01T10:00:00Z"}""" + "\n");
            await sender.AcknowledgedAsync(2);
            await sender.FinishAsync();
        }
        await ShouldBeRefusedAsync(gateway, unnamed);
        await gateway.StopAsync();
        (await gateway.LinesUnderAsync("raw/seq/")).ShouldHaveSingleItem().ShouldContain("\"device\":\"press-7\"");
        (await gateway.LinesUnderAsync("rejected/seq/")).ShouldHaveSingleItem().ShouldContain("\"client\":\"press-7\"");
        gateway.Ledger.Rejects.ShouldBe(new Dictionary<string, long> { ["duplicate_field"] = 1 });
        await gateway.ShouldEndAsync(CloseReason.ClientCertificateUnnamed);
    }

    [Theory]
    [InlineData("CN=device-7,O=Plant", null, "device-7")]
    [InlineData("O=Plant", "seven.plant.example", "seven.plant.example")]
    [InlineData("O=Plant", null, null)]
    public void The_name_of_a_peer_is_its_common_name_or_its_first_DNS_name(string subject, string? dns, string? name)
    {
        using var certificate = _ours.Client(subject, dns);
        TlsIdentity.NameOf(certificate).ShouldBe(name);
    }

    /// <summary>With TLS 1.3 a client believes itself connected before the server has looked at its certificate.</summary>
    async Task ShouldBeRefusedAsync(GatewayUnderTest gateway, X509Certificate2? certificate)
    {
        var before = gateway.Ledger.Connections;
        try
        {
            using var sender = await ConnectAsync(gateway, certificate);
            await sender.EndsAsync();
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            gateway.Ledger.Connections.ShouldBe(before);
        }
    }
}
