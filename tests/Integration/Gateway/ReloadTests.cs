using System.Net;
using System.Net.Sockets;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Intake;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Integration.Gateway;

/// <summary>Stream documents that change while connections are open.</summary>
public sealed class ReloadTests : IDisposable
{
    const string Schema = "{ fields: { n: int64, t: timestamp } }";

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-reload-");

    public void Dispose() => _folder.Delete(recursive: true);

    string Config => Path.Combine(_folder.FullName, "config");

    void Write(string schema, string rest = "", string name = "seq", string listen = "127.0.0.1:0")
    {
        Directory.CreateDirectory(Path.Combine(Config, "streams"));
        File.WriteAllText(Path.Combine(Config, "streams", $"{name}.yaml"), $"stream: {name}\nlisten: {listen}\nack: durable\nschema: {schema}\nevent_time: t\nseal_when_idle_for: 1d\n{rest}");
    }

    Task<GatewayUnderTest> StartAsync(TimeSpan? reloadAfter = null, ILoggerProvider? log = null) => GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, [.. ConfigFolder.Load(Config).Require().Streams]) with
    {
        StreamsFolder = Config,

        // Tests that call the reload themselves want no other.
        ReloadAfter = reloadAfter ?? TimeSpan.FromHours(1),
        ListenAgainAfter = TimeSpan.FromMilliseconds(20),
    }, log: log);

    static string Line(int n, string more = "") => $$"""{"n":{{n}},"t":"2026-01-01T10:00:00Z"{{more}}}""" + "\n";

    [Fact]
    public async Task An_open_connection_goes_on_under_the_changed_document()
    {
        Write(Schema);
        await using var gateway = await StartAsync();
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Line(1) + Line(2, ",\"note\":\"x\""));
        await sender.AcknowledgedAsync(2);
        gateway.Ledger.Rejects.ShouldBe(new Dictionary<string, long> { ["unknown_field"] = 1 });

        Write("{ fields: { n: int64, note?: string, level: { type: string, default: low }, t: timestamp } }");
        await gateway.Host.Reload!.ReloadAsync();
        gateway.Health.Reasons.ShouldBeEmpty();
        await sender.SendAsync(Line(3, ",\"note\":\"x\""));
        await sender.AcknowledgedAsync(3);
        await sender.FinishAsync();
        await gateway.StopAsync();
        (await gateway.LinesUnderAsync("raw/")).ShouldBe([Line(1).TrimEnd(), """{"n":3,"t":"2026-01-01T10:00:00Z","note":"x","level":"low"}"""]);
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
    }

    [Fact]
    public async Task A_frame_that_has_begun_ends_under_its_document()
    {
        Write(Schema);
        await using var gateway = await StartAsync();
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Line(1) + Line(2)[..9]);
        await sender.AcknowledgedAsync(1);

        Write(Schema, "framing: octet_counting");
        await gateway.Host.Reload!.ReloadAsync();
        var third = Line(3).TrimEnd();
        await sender.SendAsync(Line(2)[9..] + $"{third.Length} {third}");
        await sender.AcknowledgedAsync(3);
        gateway.Ledger.Records.ShouldBe(3);
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
    }

    [Theory]
    [InlineData("{ fields: { n: int64, t: timestmp } }", "did you mean 'timestamp'?")]
    [InlineData("{ fields: { n: string, t: timestamp } }", "'n': it is int64 in the document in force and string in the changed one.")]
    [InlineData("{ fields: { n: int64, at: { type: timestamp, format: 'yyyy gg' }, t: timestamp } }", "'at': records of the document in force do not have it")]
    [InlineData("{ fields: { n: int64, at?: { type: timestamp, format: 'yyyy gg' }, t: timestamp } }", "The timestamp format 'yyyy gg' has 'gg'")]
    public async Task A_bad_or_breaking_document_is_refused_and_the_old_one_stays(string schema, string reason)
    {
        Write(Schema);
        await using var gateway = await StartAsync();
        Write(schema);
        await gateway.Host.Reload!.ReloadAsync();
        gateway.Health.Reasons["documents_refused"].ShouldContain(reason);
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Line(1));
        await sender.AcknowledgedAsync(1);
        gateway.Ledger.Records.ShouldBe(1);

        Write(Schema, "lateness: 1s");
        await gateway.Host.Reload!.ReloadAsync();
        gateway.Health.Reasons.Keys.ShouldNotContain("documents_refused");
    }

    [Fact]
    public async Task A_stream_without_its_document_is_drained_and_sealed_and_comes_back_with_it()
    {
        Write(Schema);
        await using var gateway = await StartAsync();
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendAsync(Line(1));
            await sender.AcknowledgedAsync(1);
            File.Delete(Path.Combine(Config, "streams", "seq.yaml"));
            await gateway.Host.Reload!.ReloadAsync();
            await sender.EndsAsync();
        }
        var window = await gateway.NextPublishedAsync();
        (await gateway.ReadAsync(window)).Manifest.Reason.ShouldBe("idle");
        gateway.Endpoints.Streams.ShouldBeEmpty();

        Write(Schema);
        await gateway.Host.Reload!.ReloadAsync();
        using var again = await gateway.ConnectAsync();
        await again.SendAsync(Line(2));
        await again.AcknowledgedAsync(1);
    }

    [Fact]
    public async Task A_new_stream_is_listened_on_and_taken_while_another_connection_goes_on()
    {
        Write(Schema);
        await using (var gateway = await StartAsync())
        {
            using var open = await gateway.ConnectAsync();
            await open.SendAsync(Line(1));
            await open.AcknowledgedAsync(1);
            Write(Schema, name: "fresh");
            await gateway.Host.Reload!.ReloadAsync();
            gateway.Health.Reasons.ShouldBeEmpty();

            using var fresh = await ConnectAsync(gateway, "fresh");
            await fresh.SendAsync(Line(1) + "bad\n");
            await fresh.AcknowledgedAsync(2);
            await open.SendAsync(Line(2));
            await open.AcknowledgedAsync(2);
            gateway.LedgerOf("fresh").Records.ShouldBe(1);
            gateway.LedgerOf("seq").Records.ShouldBe(2);
        }

        // The log knows it by its number, like every other.
        await using var next = await StartAsync();
        next.LedgerOf("fresh").Rejects.Values.Sum().ShouldBe(1);
        (await next.LinesUnderAsync("raw/fresh/")).ShouldBe([Line(1).TrimEnd()]);
    }

    [Fact]
    public async Task A_new_stream_whose_document_cannot_be_used_is_refused_and_does_not_keep_others_out()
    {
        Write(Schema);
        await using var gateway = await StartAsync();
        Write(Schema, name: "broken", rest: "tls: { certificate: nowhere.pem, key: nowhere.key }");
        Write(Schema, name: "fresh");
        await gateway.Host.Reload!.ReloadAsync();
        gateway.Health.Reasons["documents_refused"].ShouldContain("nowhere.pem");
        gateway.Endpoints.Streams.Keys.Select(s => s.Value).Order().ShouldBe(["fresh", "seq"]);
    }

    [Fact]
    public async Task Another_address_is_listened_on_and_connections_that_came_in_by_the_one_before_go_on()
    {
        Write(Schema, listen: $"127.0.0.1:{FreePort.Next()}");
        await using var gateway = await StartAsync();
        var before = gateway.Endpoints.Streams[new("seq")];
        using var open = await gateway.ConnectAsync();
        await open.SendAsync(Line(1));
        await open.AcknowledgedAsync(1);

        Write(Schema, listen: "127.0.0.2:0");
        await gateway.Host.Reload!.ReloadAsync();
        gateway.Endpoints.Streams[new("seq")].Address.ToString().ShouldBe("127.0.0.2");
        using var other = await gateway.ConnectAsync();
        await other.SendAsync(Line(2));
        await other.AcknowledgedAsync(1);
        await open.SendAsync(Line(3));
        await open.AcknowledgedAsync(2);

        // Whoever comes to the address before is refused by the system.
        using var late = new TcpClient();
        (await Should.ThrowAsync<SocketException>(async () => await late.ConnectAsync(before))).SocketErrorCode.ShouldBe(SocketError.ConnectionRefused);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said_and_tried_again_and_the_address_before_stays_meanwhile()
    {
        Write(Schema);
        var listening = new Listenings();
        await using var gateway = await StartAsync(log: listening);
        var before = gateway.Endpoints.Streams[new("seq")];
        using var taken = new TcpListener(IPAddress.Loopback, FreePort.Next());
        taken.Start();
        var wanted = (IPEndPoint)taken.LocalEndpoint;
        Write(Schema, listen: wanted.ToString());
        await gateway.Host.Reload!.ReloadAsync();
        gateway.Health.Reasons["not_listening"].ShouldStartWith($"The stream 'seq' cannot listen on {wanted}: ");
        gateway.Health.Reasons["not_listening"].ShouldEndWith($"It listens on {before} until then.");
        gateway.Health.IsReading.ShouldBeTrue();
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendAsync(Line(1));
            await sender.AcknowledgedAsync(1);
        }

        var again = listening.NextAsync();
        taken.Stop();
        (await again.WaitAsync(GatewayUnderTest.Timeout())).ShouldContain(wanted.ToString());
        gateway.Endpoints.Streams[new("seq")].ShouldBe(wanted);
        using var late = await gateway.ConnectAsync();
        await late.SendAsync(Line(2));
        await late.AcknowledgedAsync(1);
    }

    [Fact]
    public async Task Two_streams_may_swap_their_ports()
    {
        var (first, second) = (new IPEndPoint(IPAddress.Loopback, FreePort.Next()), new IPEndPoint(IPAddress.Loopback, FreePort.Next()));
        Write(Schema, listen: first.ToString());
        Write(Schema, name: "other", listen: second.ToString());
        await using var gateway = await StartAsync();
        Write(Schema, listen: second.ToString());
        Write(Schema, name: "other", listen: first.ToString());
        await gateway.Host.Reload!.ReloadAsync();
        gateway.Health.Reasons.ShouldBeEmpty();
        (gateway.Endpoints.Streams[new("seq")], gateway.Endpoints.Streams[new("other")]).ShouldBe((second, first));
        using var sender = await ConnectAsync(gateway, "other");
        await sender.SendAsync(Line(1));
        await sender.AcknowledgedAsync(1);
        gateway.LedgerOf("other").Records.ShouldBe(1);
    }

    [Fact]
    public async Task A_gateway_whose_port_is_taken_does_not_start_and_leaves_its_log_to_the_next()
    {
        using var taken = new TcpListener(IPAddress.Loopback, FreePort.Next());
        taken.Start();
        Write(Schema, listen: taken.LocalEndpoint.ToString()!);
        (await Should.ThrowAsync<LeanPipeException>(async () => await StartAsync())).Code.ShouldBe("gateway.cannot_listen");
        taken.Stop();
        await using var gateway = await StartAsync();
        gateway.Health.Reasons.ShouldBeEmpty();
    }

    static async Task<Sender> ConnectAsync(GatewayUnderTest gateway, string stream)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(gateway.Endpoints.Streams[new(stream)], GatewayUnderTest.Timeout());
        return new(client);
    }

    /// <summary>Waits for the line that says that an address is listened on.</summary>
    sealed class Listenings : ILoggerProvider, ILogger
    {
        TaskCompletionSource<string>? _next;

        public Task<string> NextAsync() => (_next = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId is { Id: 5, Name: "Listening" }) _next?.TrySetResult(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }

    [Fact]
    public async Task A_changed_file_is_noticed_and_a_version_names_itself_in_the_manifest()
    {
        Write(Schema);
        var streams = Directory.CreateDirectory(Path.Combine(Config, "streams", "seq"));
        File.Move(Path.Combine(Config, "streams", "seq.yaml"), Path.Combine(streams.FullName, "v1.yaml"));
        await using var gateway = await StartAsync(TimeSpan.FromMilliseconds(20));
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Line(1));
        await sender.AcknowledgedAsync(1);

        var taken = new TaskCompletionSource();
        gateway.Progress.DocumentsRead += () =>
        {
            if (gateway.Host.Streams[new("seq")].Definition.Version == 2) taken.TrySetResult();
        };
        var second = File.ReadAllText(Path.Combine(streams.FullName, "v1.yaml")).Replace("n: int64", "n: float64", StringComparison.Ordinal).Replace("1d", "0.001s", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder.FullName, "v2"), second);
        File.Move(Path.Combine(_folder.FullName, "v2"), Path.Combine(streams.FullName, "v2.yaml"));
        await taken.Task.WaitAsync(GatewayUnderTest.Timeout());
        var manifest = (await gateway.ReadAsync(await gateway.NextPublishedAsync())).Manifest;
        manifest.Schema.ShouldBe("seq/v2");
        manifest.Columns[0].Type.ShouldBe("DOUBLE");
    }
}
