using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Network;
using LeanPipe.Gateway.Shipping;
using LeanPipe.Lake;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Integration.Gateway;

/// <summary>A real gateway on loopback in this process, over a folder that holds its log and its lake.</summary>
sealed class GatewayUnderTest : IAsyncDisposable
{
    public static readonly StreamDefinition Seq = new()
    {
        Name = new("seq"),
        Listen = "127.0.0.1:0",
        EventTime = "t",
        Ack = AckMode.Durable,
        Schema = new([new("seq", new Int64Type()), new("t", new TimestampType())]),
        SealWhenIdleFor = TimeSpan.FromDays(1),
        Limits = new() { MaxFrameBytes = 200, MaxAhead = TimeSpan.FromDays(36500) },
    };

    /// <summary>The gateway's sizes in tests: what is rare with its own is common with these. Frames cross portions and blocks, batches grow, files of the log roll, lines cross reads of the log, uploads go in many groups.</summary>
    public static readonly BufferSizes Tiny = new()
    {
        PortionBytes = 64,
        SocketBlockBytes = 256,
        BatchBytes = 64,
        StretchBytes = 64,
        LongLineBytes = 32,
        HashedAtOnceBytes = 16,
        UploadGroupBytes = 256,
        UploadGroupCuts = 2,
        ValidationStepBytes = 64,
        RecoveryChunkBytes = 32,
    };

    readonly WebApplication _app;
    readonly Channel<WindowSealed> _published = Channel.CreateUnbounded<WindowSealed>();

    GatewayUnderTest(WebApplication app, IObjectStore lake) => (_app, Lake) = (app, lake);

    public IObjectStore Lake { get; }

    public GatewayHealth Health => _app.Services.GetRequiredService<GatewayHealth>();

    public GatewayProgress Progress => _app.Services.GetRequiredService<GatewayProgress>();

    public GatewayHost Host => _app.Services.GetRequiredService<GatewayHost>();

    public GatewayEndpoints Endpoints => _app.Services.GetRequiredService<GatewayEndpoints>();

    public ConnectionCounts Counts => _app.Services.GetRequiredService<GatewayNetwork>().Doors.First().Counts;

    public Ledger Ledger => _app.Services.GetRequiredService<GatewayLedgers>().Get(_app.Services.GetRequiredService<GatewayOptions>().Streams[0].Name);

    public Ledger LedgerOf(string stream) => _app.Services.GetRequiredService<GatewayLedgers>().Get(new(stream));

    public static GatewayOptions Options(string folder, params StreamDefinition[] streams) => new()
    {
        Streams = streams,
        Lake = new() { Root = Path.Combine(folder, "lake") },
        LogDirectory = Path.Combine(folder, "log"),
        Http = "127.0.0.1:0",
        LateSealAfter = TimeSpan.Zero,
        DrainQuiet = TimeSpan.FromMilliseconds(50),
        MaxCommitDelay = TimeSpan.FromMilliseconds(1),
        Buffers = Tiny,
        CommitAtBytes = 512,
        LogFileBytes = 16 * 1024,
    };

    /// <summary>For tests that are about size.</summary>
    public static GatewayOptions InNormalSizes(GatewayOptions options) => options with { Buffers = new(), CommitAtBytes = 1024 * 1024, LogFileBytes = 64L * 1024 * 1024 };

    /// <param name="publish">Stands in for the sidecar; by default it takes every event.</param>
    public static async Task<GatewayUnderTest> StartAsync(
        GatewayOptions options, IObjectStore? store = null, TimeProvider? time = null, Func<WindowSealed, Task>? publish = null, ILoggerProvider? log = null, Action<SocketTransportOptions>? sockets = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (log is not null) builder.Logging.AddProvider(log);
        store ??= ObjectStores.Open(options.Lake);
        if (time is not null) builder.Services.AddSingleton(time);
        builder.Services.AddKeyedSingleton(nameof(GatewayHost), store);
        GatewayUnderTest? gateway = null;
        builder.Services.AddSingleton<PublishWindowSealed>(async (json, _) =>
        {
            var window = JsonSerializer.Deserialize(json.Span, ContractsJson.Default.WindowSealed)!;
            if (publish is not null) await publish(window);
            gateway!._published.Writer.TryWrite(window);
        });
        builder.AddGateway(options);
        if (sockets is not null) builder.Services.Configure(sockets);
        var app = builder.Build();
        app.MapGateway();
        gateway = new(app, store);
        try
        {
            await app.StartAsync();
            return gateway;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public ValueTask<WindowSealed> NextPublishedAsync(TimeSpan? within = null) => _published.Reader.ReadAsync(Timeout(within));

    /// <summary>Connects to the first stream of the options.</summary>
    public async Task<Sender> ConnectAsync()
    {
        var endpoint = Endpoints.Streams[_app.Services.GetRequiredService<GatewayOptions>().Streams[0].Name];
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(endpoint, Timeout());
        return new(client);
    }

    /// <summary>The manifest of a revision, and the lines of all its segments.</summary>
    public async Task<(WindowManifest Manifest, List<string> Lines)> ReadAsync(WindowSealed window)
    {
        var manifest = (await Lake.GetJsonAsync(window.Manifest, ContractsJson.Default.WindowManifest, CancellationToken.None)).ShouldNotBeNull();
        var lines = new List<string>();
        foreach (var segment in manifest.Segments)
        {
            var bytes = (await Lake.GetAsync(segment.Key, CancellationToken.None)).ShouldNotBeNull(segment.Key);
            bytes.Length.ShouldBe((int)segment.Bytes);
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes.Span)).ShouldBe(segment.Sha256);
            var found = Lines(bytes);
            found.Count.ShouldBe((int)segment.Rows);
            lines.AddRange(found);
        }
        return (manifest, lines);
    }

    public async Task<List<string>> LinesUnderAsync(string prefix)
    {
        var lines = new List<string>();
        await foreach (var item in Lake.ListAsync(prefix, CancellationToken.None)) lines.AddRange(Lines((await Lake.GetAsync(item.Key, CancellationToken.None))!.Value));
        return lines;
    }

    static List<string> Lines(ReadOnlyMemory<byte> bytes) => [.. Encoding.UTF8.GetString(bytes.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    public static void ShouldBalance(Ledger ledger)
    {
        ledger.BytesReceived.ShouldBe(ledger.BytesFramed + ledger.BytesRejected + ledger.BytesPartial);
        ledger.Frames.ShouldBe(ledger.Records + ledger.Rejects.Values.Sum());
        ledger.Windows.Values.Sum().ShouldBe(ledger.Records);
    }

    public static CancellationToken Timeout(TimeSpan? within = null) => new CancellationTokenSource(within ?? TimeSpan.FromMinutes(2)).Token;

    /// <summary>Until one connection has ended for the reason, and no more than one: its peer may see the end before it is counted. Every look is a round trip.</summary>
    public async Task ShouldEndAsync(CloseReason reason)
    {
        var limit = Timeout();
        using var http = new HttpClient { BaseAddress = new($"http://{Endpoints.Http}") };
        while (Counts.Ended(reason) == 0) (await http.GetAsync("/healthz", limit)).Dispose();
        Counts.Ended(reason).ShouldBe(1);
    }

    public Task StopAsync() => _app.StopAsync(Timeout());

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>A peer that counts its acknowledgements.</summary>
sealed class Sender(TcpClient client, Stream? tls = null) : IDisposable
{
    readonly Stream _stream = tls ?? client.GetStream();
    readonly StreamReader _acks = new(tls ?? client.GetStream());

    public static string Line(long seq, string time = "2026-01-01T10:00:00Z") => $$"""{"seq":{{seq}},"t":"{{time}}"}""";

    public long Acknowledged { get; private set; }

    public async Task SendAsync(string text) => await _stream.WriteAsync(Encoding.UTF8.GetBytes(text), GatewayUnderTest.Timeout());

    /// <summary>Reads acknowledgements until so many frames are durable.</summary>
    public async Task AcknowledgedAsync(long frames)
    {
        while (Acknowledged < frames)
        {
            var line = (await _acks.ReadLineAsync(GatewayUnderTest.Timeout())).ShouldNotBeNull($"the connection ended at {Acknowledged} of {frames}");
            line.ShouldStartWith("ACK ");
            var count = long.Parse(line.AsSpan(4));
            count.ShouldBeGreaterThan(Acknowledged);
            Acknowledged = count;
        }
    }

    public async Task SendBytesAsync(byte[] bytes) => await _stream.WriteAsync(bytes, GatewayUnderTest.Timeout());

    /// <summary>Waits until the gateway has ended the connection by itself.</summary>
    public async Task EndsAsync()
    {
        while (await _acks.ReadLineAsync(GatewayUnderTest.Timeout()) is { } line) Acknowledged = long.Parse(line.AsSpan(4));
    }

    /// <summary>Waits until the gateway has ended the connection without a word; with bytes unread that is a reset.</summary>
    /// <param name="finish">Whether to say first that nothing more comes.</param>
    /// <param name="isAlerted">Whether TLS says so before.</param>
    public async Task ShouldBeRefusedAsync(bool finish = false, bool isAlerted = false)
    {
        try
        {
            if (finish) client.Client.Shutdown(SocketShutdown.Send);
            var word = await _acks.ReadLineAsync(GatewayUnderTest.Timeout());
            if (!isAlerted) word.ShouldBeNull();
        }
        catch (IOException e)
        {
            e.InnerException.ShouldBeOfType<SocketException>().SocketErrorCode.ShouldBe(SocketError.ConnectionReset);
        }
        catch (SocketException e)
        {
            // It was reset before anything could be finished.
            e.SocketErrorCode.ShouldBeOneOf(SocketError.ConnectionReset, SocketError.NotConnected);
        }
    }

    /// <summary>Cuts the connection off.</summary>
    public void Reset()
    {
        client.Client.LingerState = new(true, 0);
        client.Client.Close();
    }

    /// <summary>Says that nothing more comes, and waits until the gateway has ended the connection too.</summary>
    public async Task FinishAsync()
    {
        client.Client.Shutdown(SocketShutdown.Send);
        while (await _acks.ReadLineAsync(GatewayUnderTest.Timeout()) is { } line) Acknowledged = long.Parse(line.AsSpan(4));
    }

    /// <summary>Waits until the gateway has ended the connection, in whatever way.</summary>
    public async Task EndedAsync()
    {
        try
        {
            while (await _acks.ReadLineAsync(GatewayUnderTest.Timeout()) is not null)
            {
            }
        }
        catch (IOException)
        {
            return;
        }
    }

    public void Dispose()
    {
        _acks.Dispose();
        client.Dispose();
    }
}
