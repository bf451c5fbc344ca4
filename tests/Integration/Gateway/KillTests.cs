using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

/// <summary>The real program, killed with SIGKILL while a sender with sequence numbers and acknowledgements sends; LEANPIPE_TEST_KILLS says how often.</summary>
public sealed class KillTests : IDisposable
{
    const string Document = """
        stream: seq
        listen: 127.0.0.1:0
        schema:
          fields:
            seq: int64
            t: timestamp
        event_time: t
        ack: durable
        limits: { cut_at: 16KB, max_ahead: 36500d }
        """;

    /// <summary>Sent and not acknowledged, at most: enough that every kill finds some, few enough that the lake keeps up.</summary>
    const long InFlight = 2_000;

    static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("LEANPIPE_TEST_KILLS") ?? "6");

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-kill-");
    readonly Dictionary<long, int> _timesSent = [];
    readonly Random _random = new(4711);
    long _next;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_killed_gateway_loses_no_acknowledged_record_and_doubles_none_by_itself()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "config", "streams"));
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "config", "streams", "seq.yaml"), Document);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var gateway = Start();
            var port = await PortAsync(gateway);
            _ = gateway.StandardOutput.ReadToEndAsync();
            await SendAsync(port, stopAfterAcks: _random.Next(1, 60), then: gateway.Kill);
            await gateway.WaitForExitAsync(GatewayUnderTest.Timeout());
        }
        var output = "";
        while (!output.Contains("Drained: 0 bytes", StringComparison.Ordinal))
        {
            using var gateway = Start();
            var port = await PortAsync(gateway);
            var rest = gateway.StandardOutput.ReadToEndAsync();
            await SendAsync(port, stopAfterAcks: 5, then: () => Process.Start("kill", ["-TERM", $"{gateway.Id}"]).Dispose());
            await gateway.WaitForExitAsync(GatewayUnderTest.Timeout());
            gateway.ExitCode.ShouldBe(0);
            output = await rest;
        }

        var lake = ObjectStores.Open(new() { Root = Path.Combine(_folder.FullName, "lake") });
        var found = new Dictionary<long, int>();
        long rows = 0;
        await foreach (var item in lake.ListAsync("raw/seq/", default))
            foreach (var line in Encoding.UTF8.GetString((await lake.GetAsync(item.Key, default))!.Value.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var seq = JsonDocument.Parse(line).RootElement.GetProperty("seq").GetInt64();
                found[seq] = found.GetValueOrDefault(seq) + 1;
                rows++;
            }
        Enumerable.Range(0, (int)_next).Where(seq => !found.ContainsKey(seq)).ShouldBeEmpty($"lost, of {_next} acknowledged");
        found.Where(f => f.Value > _timesSent[f.Key]).ShouldBeEmpty("doubled");

        var ledger = (await lake.GetJsonAsync("ledger/seq/gateway-0.json", ContractsJson.Default.Ledger, default)).ShouldNotBeNull();
        GatewayUnderTest.ShouldBalance(ledger);
        ledger.Records.ShouldBe(rows);
    }

    /// <summary>Sends from the first record that is not acknowledged, without waiting, and reads acknowledgements until the connection ends.</summary>
    async Task SendAsync(int port, int stopAfterAcks, Action then)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        var first = _next;
        var stream = client.GetStream();
        using var stop = new CancellationTokenSource();
        using var room = new SemaphoreSlim((int)InFlight / 20);
        var acknowledged = 0L;
        var sending = Task.Run(async () =>
        {
            try
            {
                for (var seq = first; !stop.IsCancellationRequested;)
                {
                    await room.WaitAsync(stop.Token);
                    var text = new StringBuilder();
                    for (var i = 0; i < 20; i++, seq++)
                    {
                        _timesSent[seq] = _timesSent.GetValueOrDefault(seq) + 1;
                        text.Append(Sender.Line(seq, $"2026-01-01T1{seq / 500 % 10}:00:00Z")).Append('\n');
                    }
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), stop.Token);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                return;
            }
        });
        using var reader = new StreamReader(stream);
        try
        {
            for (var acks = 0; await reader.ReadLineAsync(GatewayUnderTest.Timeout()) is { } line;)
            {
                // The last line may be cut short by the kill: its count is then too small, or none.
                if (line.Length > 4) _next = Math.Max(_next, first + long.Parse(line.AsSpan(4)));
                for (; acknowledged + 20 <= _next - first; acknowledged += 20) room.Release();
                if (++acks != stopAfterAcks) continue;
                then();
                await stop.CancelAsync();
            }
        }
        catch (IOException)
        {
            // The connection was reset: what had been acknowledged before has been read.
        }
        await stop.CancelAsync();
        await sending;
    }

    Process Start()
    {
        var start = new ProcessStartInfo("dotnet", [
            Path.Combine(AppContext.BaseDirectory, "LeanPipe.Gateway.dll"), "--streams", Path.Combine(_folder.FullName, "config"), "--lake", Path.Combine(_folder.FullName, "lake"),
            "--log", Path.Combine(_folder.FullName, "log"), "--id", "gateway-0", "--http", "127.0.0.1:0"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        return Process.Start(start)!;
    }

    static async Task<int> PortAsync(Process gateway)
    {
        const string Listening = "listens on 127.0.0.1:";
        while (await gateway.StandardOutput.ReadLineAsync(GatewayUnderTest.Timeout()) is { } line)
            if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at) return int.Parse(line[(at + Listening.Length)..].TrimEnd('.'));
        throw new InvalidOperationException("The gateway ended before it listened.");
    }
}
