using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Sending;
using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Cli.Commands;

/// <param name="Complete">Whether the whole input was sent and acknowledged; false when it was given up.</param>
/// <param name="Frames">Those that are acknowledged; without acknowledgements, those that were written.</param>
/// <param name="Unacknowledged">Sent, and nobody knows what became of them.</param>
sealed record SendSummary(string Stream, bool Complete, int Connections, long Frames, long Unacknowledged, long Bytes, string Acknowledged, int Reconnects, double Seconds);

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
        var ackTimeout = GlobalOptions.Duration("--ack-timeout", "When nothing is acknowledged for so long, send what is not over a new connection; twice as long each time [default: 1m; with ack: stored, the stream's cut_after more]. With ack: none, how long the gateway may take to hang up when everything is written");
        var retryFor = GlobalOptions.Duration("--retry-for", "Give up, with exit code 1, when nothing was acknowledged for so long since the first failure, or, with ack: none, nothing was taken [default: 10m]");
        var rate = new Option<double?>("--rate") { Description = "At most so many lines per second over all connections", HelpName = "N" };
        var format = GlobalOptions.Format();
        connections.Between(1, 1000, "1 to 1000");
        rate.Between(double.Epsilon, double.MaxValue, "a number above 0");
        var command = new LeanCommand(
            "send", "Send lines to a stream over TCP, as frames of its framing; with acknowledgements when the stream gives them. A CSV header goes first on every connection.",
            "leanpipe send readings.ndjson --stream telemetry --connections 4", "leanpipe send readings.ndjson --stream telemetry --ack stored", "tail -f log | leanpipe send - --stream telemetry") { file, stream, to, connections, ack, ackTimeout, retryFor, rate, format };
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
            var progress = new Progress(call.Error, ReferenceEquals(call.Error, Console.Error) && !Console.IsErrorRedirected, TimeProvider.System);
            var defaults = new ConnectionOptions { Gateway = call.Get(to) is { } given ? await ResolveAsync(given, stop) : Address(call, definition), Acks = definition.Ack != AckMode.None, Preamble = header };
            var options = defaults with
            {
                AckTimeout = call.Get(ackTimeout) ?? defaults.AckTimeout + (definition.Ack == AckMode.Stored ? definition.Limits.CutAfter : TimeSpan.Zero),
                GiveUpAfter = call.Get(retryFor) ?? defaults.GiveUpAfter,
                Troubled = trouble =>
                {
                    if (trouble is null) progress.Clear();
                    else progress.Show($"{defaults.Gateway}: {trouble.Reason} Tried again, for {(long)trouble.Left.TotalMinutes}:{trouble.Left.Seconds:00} more.");
                },
            };
            var pace = call.Get(rate) is { } perSecond ? new Pace(perSecond, TimeProvider.System) : null;
            var (summary, failure) = await SendAsync(definition, options, lines, call.Get(connections), pace, stop);
            progress.Clear();
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(summary, CliJson.Readable.SendSummary));
            if (failure is not null) throw Explained(failure, summary);
            if (!call.WantsJson(format)) await call.Out.WriteLineAsync($"{Lines(summary.Frames)} ({summary.Bytes:N0} bytes) sent to {summary.Stream} in {summary.Seconds:0.0} s{(definition.Ack == AckMode.None ? "" : $", all acknowledged as {summary.Acknowledged}")}.");
            return ExitCode.Done;
        });
    }

    /// <returns>With the reason why it was given up; null when everything arrived.</returns>
    static async Task<(SendSummary Summary, LeanPipeException? Failure)> SendAsync(StreamDefinition stream, ConnectionOptions options, IFrameSource lines, int count, Pace? pace, CancellationToken stop)
    {
        var started = TimeProvider.System.GetTimestamp();
        var window = new SendWindow(count, UnackedFrames, inStep: false);
        var connections = Enumerable.Range(0, count).Select(i => new FrameConnection(i, options, lines, window, pace, TimeProvider.System)).ToList();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var running = connections.Select(c => c.RunAsync(0, ended.Token)).ToList();
        LeanPipeException? failure = null;
        try
        {
            // The first that gives up ends all: what it has read of the input went nowhere.
            await foreach (var done in Task.WhenEach(running)) await done;
        }
        catch (LeanPipeException e)
        {
            failure = e;
            await ended.CancelAsync();
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return (new(
            stream.Name.Value, failure is null, count, connections.Sum(c => c.Acked), connections.Sum(c => c.Unacknowledged), connections.Sum(c => c.BytesSent), Kind(stream.Ack), connections.Sum(c => c.Reconnects),
            Math.Round(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 3)), failure);
    }

    static LeanPipeException Explained(LeanPipeException failure, SendSummary summary)
    {
        if (failure.Code != "cli.gateway_unreachable" || summary.Acknowledged == "none") return failure;
        var which = summary is { Connections: 1, Frames: > 0 } ? ", the first of the input," : "";
        return new(
            failure.Code, $"{failure.Message.TrimEnd('.')}. {Lines(summary.Frames)}{which} {(summary.Frames == 1 ? "is" : "are")} acknowledged as {summary.Acknowledged}; {Lines(summary.Unacknowledged)} " +
            $"more {(summary.Unacknowledged == 1 ? "was" : "were")} sent, and may have arrived or not. Send the rest again when the gateway is back, or wait longer with --retry-for.", isTransient: true, failure);
    }

    static string Lines(long count) => $"{count:N0} {(count == 1 ? "line" : "lines")}";

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
