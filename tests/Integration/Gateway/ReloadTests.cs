using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Intake;

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

    Task<GatewayUnderTest> StartAsync(TimeSpan? reloadAfter = null) => GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, [.. ConfigFolder.Load(Config).Require().Streams]) with
    {
        StreamsFolder = Config,

        // Tests that call the reload themselves want no other.
        ReloadAfter = reloadAfter ?? TimeSpan.FromHours(1),
    });

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
        using (var refused = await gateway.ConnectAsync()) await refused.EndsAsync();

        Write(Schema);
        await gateway.Host.Reload!.ReloadAsync();
        using var again = await gateway.ConnectAsync();
        await again.SendAsync(Line(2));
        await again.AcknowledgedAsync(1);
    }

    [Fact]
    public async Task A_new_stream_and_another_address_say_that_a_restart_is_needed()
    {
        Write(Schema);
        await using var gateway = await StartAsync();
        Write(Schema, name: "fresh");
        Write(Schema, listen: "127.0.0.2:0");
        await gateway.Host.Reload!.ReloadAsync();
        gateway.Health.Reasons["restart_needed"].ShouldBe(
            "The stream 'fresh' is new and has no listener. The stream 'seq' listens on 127.0.0.1:0, its document says 127.0.0.2:0. A restart takes it.");
        gateway.Health.IsReading.ShouldBeTrue();
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
