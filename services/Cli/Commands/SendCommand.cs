using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Sending;
using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Cli.Commands;

sealed record SendSummary(string Stream, int Connections, long Frames, long Bytes, string Acknowledged, int Reconnects, double Seconds);

/// <summary>`leanpipe send FILE --stream S`</summary>
static class SendCommand
{
    // Enough for one fsync's worth of a fast disk, little enough to keep in memory.
    const int UnackedFrames = 20_000;

    public static LeanCommand Create(GlobalOptions globals)
    {
        var file = new Argument<string>("FILE") { Description = "A file of lines, or - for standard input" };
        var stream = new Option<string>("--stream") { Description = "The stream's name", HelpName = "S", Required = true };
        var connections = new Option<int>("--connections") { Description = "Send over so many connections", HelpName = "N", DefaultValueFactory = _ => 1 };
        var ack = new Option<string?>("--ack") { Description = "Insist on acknowledgements: durable or stored. Without it they are awaited when the stream gives them", HelpName = "KIND" };
        ack.AcceptOnlyFromAmong("durable", "stored");
        var to = new Option<string?>("--to") { Description = "The gateway's address, where it is not the one in the document: a load balancer, a forwarded port", HelpName = "HOST:PORT" };
        var rate = new Option<double?>("--rate") { Description = "At most so many lines per second over all connections", HelpName = "N" };
        var format = GlobalOptions.Format();
        connections.Between(1, 1000, "1 to 1000");
        rate.Between(double.Epsilon, double.MaxValue, "a number above 0");
        var command = new LeanCommand(
            "send", "Send lines to a stream over TCP, as frames of its framing; with acknowledgements when the stream gives them. A CSV header goes first on every connection.",
            "leanpipe send readings.ndjson --stream telemetry --connections 4", "leanpipe send readings.ndjson --stream telemetry --ack stored", "tail -f log | leanpipe send - --stream telemetry") { file, stream, to, connections, ack, rate, format };
        return command.Does(globals, async (call, stop) =>
        {
            var definition = Find(call, call.Get(stream)!);
            if (call.Get(ack) is { } wanted && definition.Ack < (wanted == "stored" ? AckMode.Stored : AckMode.Durable))
                throw new UsageException($"The stream '{definition.Name}' acknowledges '{Kind(definition.Ack)}'; for --ack {wanted} its document must say 'ack: {wanted}'.");
            var path = call.Get(file)!;
            if (path != "-" && !File.Exists(path)) throw new UsageException($"There is no file '{path}'.");
            await using var input = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            using var source = new LineSource(input);
            var lines = FramedSource.Of(source, definition.Framing);
            var header = definition.Decoder is CsvDecoderDefinition { Header: true } ? await lines.NextAsync(stop) ?? default : default;
            var options = new ConnectionOptions { Gateway = call.Get(to) is { } given ? await ResolveAsync(given, stop) : Address(call, definition), Acks = definition.Ack != AckMode.None, Preamble = header };
            var pace = call.Get(rate) is { } perSecond ? new Pace(perSecond, TimeProvider.System) : null;
            var summary = await SendAsync(definition, options, lines, call.Get(connections), pace, stop);
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(summary, CliJson.Readable.SendSummary));
            else await call.Out.WriteLineAsync($"{summary.Frames:N0} {(summary.Frames == 1 ? "line" : "lines")} ({summary.Bytes:N0} bytes) sent to {summary.Stream} in {summary.Seconds:0.0} s{(definition.Ack == AckMode.None ? "" : $", all acknowledged as {summary.Acknowledged}")}.");
            return ExitCode.Done;
        });
    }

    static async Task<SendSummary> SendAsync(StreamDefinition stream, ConnectionOptions options, IFrameSource lines, int count, Pace? pace, CancellationToken stop)
    {
        var started = TimeProvider.System.GetTimestamp();
        var window = new SendWindow(count, UnackedFrames, inStep: false);
        var connections = Enumerable.Range(0, count).Select(i => new FrameConnection(i, options, lines, window, pace, TimeProvider.System)).ToList();
        await Task.WhenAll(connections.Select(c => c.RunAsync(0, stop)));
        return new(
            stream.Name.Value, count, connections.Sum(c => c.Acked), connections.Sum(c => c.BytesSent), Kind(stream.Ack), connections.Sum(c => c.Reconnects),
            Math.Round(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 3));
    }

    static string Kind(AckMode mode) => mode switch { AckMode.Stored => "stored", AckMode.Durable => "durable", _ => "none" };

    static StreamDefinition Find(Invocation call, string name)
    {
        var streams = ConfigFolder.Load(call.Home.Config).Require().Streams;
        return streams.FirstOrDefault(s => s.Name.Value == name) ?? throw new UsageException(
            $"There is no stream '{name}' in {call.Home.Config}; its streams: {(streams.Count == 0 ? "none" : string.Join(", ", streams.Select(s => s.Name)))}.");
    }

    static async Task<IPEndPoint> ResolveAsync(string address, CancellationToken stop)
    {
        if (IPEndPoint.TryParse(address, out var endpoint) && endpoint.Port > 0) return endpoint;
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(address.AsSpan(colon + 1), out var port) || port == 0) throw new UsageException($"--to is '{address}': expected HOST:PORT.");
        try
        {
            return new((await Dns.GetHostAddressesAsync(address[..colon], stop))[0], port);
        }
        catch (SocketException e)
        {
            throw new UsageException($"--to names '{address[..colon]}', which has no address: {e.Message}.");
        }
    }

    static IPEndPoint Address(Invocation call, StreamDefinition stream)
    {
        // A document's port may be 0, and only the running process knows what it became.
        var address = IPEndPoint.Parse(call.Home.FindRunning()?.Streams.GetValueOrDefault(stream.Name.Value) ?? stream.Listen);
        if (address.Port == 0) throw new LeanPipeException("cli.not_running", $"The stream '{stream.Name}' listens on any free port, and no leanpipe runs in {call.Home.Path}. Start one with 'leanpipe up'.");
        return address.Address.Equals(IPAddress.Any) ? new(IPAddress.Loopback, address.Port) : address.Address.Equals(IPAddress.IPv6Any) ? new(IPAddress.IPv6Loopback, address.Port) : address;
    }
}
