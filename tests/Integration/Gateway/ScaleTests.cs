using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Network;

namespace LeanPipe.Integration.Gateway;

public sealed class ScaleTests : IDisposable
{
    /// <summary>What an open connection may cost in the gateway's process once it is silent, whatever it has sent before. Kestrel's and .NET's own objects are most of it.</summary>
    const long MostBytesPerConnection = 20 * 1024;

    const string Document = """
        stream: seq
        listen: 127.0.0.1:0
        decoder: key_value
        schema: { fields: { seq: int64, t: timestamp } }
        event_time: t
        ack: durable
        limits: { max_connections: 20000, max_ahead: 36500d }
        """;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-scale-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Ten_thousand_silent_connections_cost_little_and_a_good_sender_goes_on()
    {
        const int Count = 10_000;
        RequireFiles(Count + 1000);
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "config", "streams"));
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "config", "streams", "seq.yaml"), Document);
        using var gateway = Start();
        try
        {
            var port = await PortAsync(gateway);
            _ = gateway.StandardOutput.ReadToEndAsync();
            var connections = new List<Socket>();
            try
            {
                await OpenAsync(connections, port, 500);
                var before = ResidentBytes(gateway);
                await OpenAsync(connections, port, Count);
                var perConnection = (ResidentBytes(gateway) - before) / (Count - 500);
                TestContext.Current.SendDiagnosticMessage($"{perConnection} bytes per connection");
                perConnection.ShouldBeLessThan(MostBytesPerConnection);

                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                using var good = new Sender(client);
                await good.SendAsync(string.Concat(Enumerable.Range(0, 20_000).Select(Line)));
                await good.AcknowledgedAsync(20_000);
            }
            finally
            {
                connections.ForEach(c => c.Dispose());
            }
        }
        finally
        {
            gateway.Kill();
            await gateway.WaitForExitAsync(GatewayUnderTest.Timeout());
        }
    }

    [Fact]
    public async Task A_thousand_slow_peers_are_closed_with_their_reason_while_a_good_sender_goes_on()
    {
        const int Count = 1_000;
        RequireFiles(2 * Count + 1000);
        var stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { MaxFrameTime = TimeSpan.FromSeconds(5), MaxFrameBytes = 1000 } };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.InNormalSizes(GatewayUnderTest.Options(_folder.FullName, stream)));
        var port = gateway.Endpoints.Streams.Values.First().Port;
        var slow = new List<Task>();
        for (var i = 0; i < Count; i++) slow.Add(DripAsync(port, i % 500));

        using var good = await gateway.ConnectAsync();
        for (var at = 0; at < 20_000; at += 1000) await good.SendAsync(string.Concat(Enumerable.Range(at, 1000).Select(i => Sender.Line(i) + "\n")));
        await good.AcknowledgedAsync(20_000);
        await Task.WhenAll(slow);
        await good.FinishAsync();
        await gateway.StopAsync();

        gateway.Counts.Ended(CloseReason.SlowFrame).ShouldBe(Count);
        gateway.Counts.Ended(CloseReason.Finished).ShouldBe(1);
        gateway.Ledger.Records.ShouldBe(20_000);
        gateway.Ledger.BytesPartial.ShouldBe(Enumerable.Range(0, Count).Sum(i => 1 + i % 500));
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
    }

    /// <summary>A frame that begins and never ends, until the gateway has had enough.</summary>
    static async Task DripAsync(int port, int more)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(new string('x', 1 + more)));
        (await client.GetStream().ReadAsync(new byte[1], GatewayUnderTest.Timeout())).ShouldBe(0);
    }

    static string Line(int seq) => $"seq={seq} t=2026-01-01T10:00:00Z\n";

    /// <summary>Connections that have each sent a record and had it acknowledged, and say nothing more.</summary>
    static async Task OpenAsync(List<Socket> open, int port, int upTo)
    {
        while (open.Count < upTo)
        {
            var batch = Enumerable.Range(0, Math.Min(250, upTo - open.Count)).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
            open.AddRange(batch);
            await Task.WhenAll(batch.Select(async socket =>
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, GatewayUnderTest.Timeout());
                await socket.SendAsync(Encoding.ASCII.GetBytes(Line(1)), GatewayUnderTest.Timeout());
                var answer = new byte[16];
                (await socket.ReceiveAsync(answer, GatewayUnderTest.Timeout())).ShouldBe(6);
            }));
        }
    }

    static long ResidentBytes(Process process)
    {
        var line = File.ReadLines($"/proc/{process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>.NET raises the soft limit to the hard one by itself.</summary>
    static void RequireFiles(int count)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Connections are counted against Linux's limits.");
        var line = File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        var hard = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        if (long.TryParse(hard, CultureInfo.InvariantCulture, out var limit) && limit < count) Assert.Skip($"The hard limit of open files is {limit}; the test needs {count}.");
    }

    Process Start() => Process.Start(new ProcessStartInfo("dotnet", [
        Path.Combine(AppContext.BaseDirectory, "LeanPipe.Gateway.dll"), "--streams", Path.Combine(_folder.FullName, "config"), "--lake", Path.Combine(_folder.FullName, "lake"),
        "--log", Path.Combine(_folder.FullName, "log"), "--id", "gateway-0", "--http", "127.0.0.1:0"])
    {
        RedirectStandardOutput = true,
        UseShellExecute = false,
    })!;

    static async Task<int> PortAsync(Process gateway)
    {
        const string Listening = "listens on 127.0.0.1:";
        while (await gateway.StandardOutput.ReadLineAsync(GatewayUnderTest.Timeout()) is { } line)
            if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at) return int.Parse(line[(at + Listening.Length)..].TrimEnd('.'), CultureInfo.InvariantCulture);
        throw new InvalidOperationException("The gateway ended before it listened.");
    }
}
