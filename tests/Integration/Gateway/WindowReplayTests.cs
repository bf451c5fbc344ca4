using System.Text;
using System.Text.Json;
using LeanPipe.Cli.Audits;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

/// <summary>Windows of a first version of a stream, made anew by others, from their frames or from their records.</summary>
public sealed class WindowReplayTests : IDisposable
{
    static readonly StreamDefinition First = GatewayUnderTest.Seq with { Version = 1, Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 150 } };

    /// <summary>Takes a unit, and gives one to every record that has none.</summary>
    static readonly StreamDefinition Second = First with { Version = 2, Schema = new([.. First.Schema.Fields, new Field("unit", new StringType(), Required: false, Default: "\"C\"")]) };

    /// <summary>Takes the first three records only.</summary>
    static readonly StreamDefinition Strict = First with { Version = 3, Compatibility = Compatibility.None, Schema = new([new("seq", new Int64Type(Max: 3)), First.Schema.Fields[1]]) };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-remake-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, InlineData(ValidationMode.Before), InlineData(ValidationMode.After)]
    public async Task A_window_is_made_anew_and_its_newest_manifest_holds_every_record_once(ValidationMode mode)
    {
        var lake = await FilledAsync(mode);
        var published = new List<string>();
        var report = await ReplayAsync(lake, Second, published: published);
        var more = mode == ValidationMode.After ? 1 : 0;
        report.Windows.Select(w => $"{w.Window} {w.Revision} {w.Rows}").ShouldBe(["2026-01-01T09 2 0", $"2026-01-01T10 2 {more}"]);
        published.Count.ShouldBe(2);
        await ShouldHoldAsync(lake, mode, """{"seq":1,"t":"2026-01-01T10:00:00Z","unit":"C"}""");
        var manifest = (await Audit.NewestManifestsAsync(lake, First.Name, default))["2026-01-01T10"];
        (manifest.Schema, manifest.Reason, manifest.Columns[^1].Name).ShouldBe(("seq/v2", "replay", "unit"));

        // Again, it is what it is.
        var before = await KeysAsync(lake);
        (await ReplayAsync(lake, Second, published: published)).Unchanged.ShouldBe(2);
        (await KeysAsync(lake)).ShouldBe(before);
        published.Count.ShouldBe(2);
    }

    [Theory, InlineData(ValidationMode.Before), InlineData(ValidationMode.After)]
    public async Task A_replay_that_ended_between_any_two_writes_is_completed_by_the_next_and_nothing_is_doubled(ValidationMode mode)
    {
        await FilledAsync(mode);
        var tears = await TornLake.AtEveryWriteAsync(_folder.FullName, torn => ReplayAsync(torn, Second), async (store, folder, at) =>
        {
            (await Audit.ReadAsync(store, First.Name, default, read: true)).Balances.ShouldBeTrue(at);

            // What reads the lake now sees the window as it was, or as it is to be; another version completes what this one has left.
            string.Join(' ', await SequencesAsync(store)).ShouldBeOneOf("1 2 5 6 8", "1 2 3 5 6 8");
            var other = folder + "-other";
            TornLake.Copy(folder, other);
            var elsewhere = ObjectStores.Open(new() { Root = other });
            await ReplayAsync(elsewhere, Strict);
            (await SequencesAsync(elsewhere)).ShouldBe([1, 2], at);
            (await Audit.ReadAsync(elsewhere, First.Name, default, read: true)).Balances.ShouldBeTrue(at);
            await ReplayAsync(store, Second);
            await ShouldHoldAsync(store, mode);
        });
        tears.ShouldBeGreaterThanOrEqualTo(12);
    }

    [Theory, InlineData(ValidationMode.Before), InlineData(ValidationMode.After)]
    public async Task What_a_version_does_not_take_is_counted_and_comes_back_by_another(ValidationMode mode)
    {
        var lake = await FilledAsync(mode);
        var report = await ReplayAsync(lake, Strict);
        report.Rejected["out_of_range"].ShouldBe(3);
        (await SequencesAsync(lake)).ShouldBe([1, 2]);
        (await Audit.ReadAsync(lake, First.Name, default, read: true)).Balances.ShouldBeTrue();

        await ReplayAsync(lake, Second);
        await ShouldHoldAsync(lake, mode);

        // And by the first version again the window is what it was.
        await ReplayAsync(lake, First);
        (await SequencesAsync(lake)).ShouldBe([1, 2, 5, 6, 8]);
        (await Audit.ReadAsync(lake, First.Name, default, read: true)).Balances.ShouldBeTrue();
    }

    [Theory, InlineData(ValidationMode.Before), InlineData(ValidationMode.After)]
    public async Task Late_records_build_on_the_replay_and_the_next_replay_takes_them(ValidationMode mode)
    {
        var lake = await FilledAsync(mode);
        await ReplayAsync(lake, Second);
        await using (var gateway = await StartAsync(mode))
        {
            using (var sender = await gateway.ConnectAsync())
            {
                await sender.SendAsync(Sender.Line(99) + "\n");
                await sender.AcknowledgedAsync(1);
                await sender.FinishAsync();
            }
            await gateway.Host.DrainAsync(seal: true, GatewayUnderTest.Timeout());
        }
        long[] expected = mode == ValidationMode.After ? [1, 2, 3, 5, 6, 8, 99] : [1, 2, 5, 6, 8, 99];
        (await SequencesAsync(lake)).ShouldBe(expected);
        (await Audit.ReadAsync(lake, First.Name, default, read: true)).Balances.ShouldBeTrue();

        var report = await ReplayAsync(lake, Second);
        report.Windows.Select(w => $"{w.Window} {w.Revision} {w.Rows}").ShouldBe(["2026-01-01T10 4 0"]);
        (await SequencesAsync(lake)).ShouldBe(expected);
        (await LinesAsync(lake)).ShouldAllBe(l => l.Contains("\"unit\":", StringComparison.Ordinal));
        (await Audit.ReadAsync(lake, First.Name, default, read: true)).Balances.ShouldBeTrue();
    }

    [Fact]
    public async Task Rejects_that_became_records_are_made_anew_with_their_window_and_are_not_added_again()
    {
        var lake = await FilledAsync(ValidationMode.Before);
        (await RejectsAsync(lake, Second)).Passed.ShouldBe(1);
        (await SequencesAsync(lake)).ShouldBe([1, 2, 3, 5, 6, 8]);
        await ReplayAsync(lake, Second);
        await ShouldHoldAsync(lake, ValidationMode.After);
        (await RejectsAsync(lake, Second)).Passed.ShouldBe(0);
        await ReplayAsync(lake, Strict);
        (await SequencesAsync(lake)).ShouldBe([1, 2]);
        (await RejectsAsync(lake, Second)).Windows.ShouldBeEmpty();
        await ReplayAsync(lake, Second);
        await ShouldHoldAsync(lake, ValidationMode.After);
    }

    [Fact]
    public async Task Rejects_whose_frames_are_kept_are_left_to_the_replay_of_their_window()
    {
        var lake = await FilledAsync(ValidationMode.After);
        var report = await RejectsAsync(lake, Second);
        (report.Passed, report.Kept).ShouldBe((0, 3));
        await ReplayAsync(lake, Second);
        await ShouldHoldAsync(lake, ValidationMode.After);
    }

    [Fact]
    public async Task A_window_that_a_gateway_has_records_of_is_left_to_it_until_they_are_listed()
    {
        var lake = await FilledAsync(ValidationMode.After, seal: false);
        var report = await ReplayAsync(lake, Second);
        (report.Passed, report.Elsewhere, report.Windows.Count).ShouldBe((0, 6, 0));
        await using (var gateway = await StartAsync(ValidationMode.After)) await gateway.Host.DrainAsync(seal: true, GatewayUnderTest.Timeout());
        await ReplayAsync(lake, Second);
        await ShouldHoldAsync(lake, ValidationMode.After);
    }

    [Fact]
    public async Task A_stream_that_began_to_keep_frames_is_made_anew_from_records_where_frames_do_not_hold_all()
    {
        await FilledAsync(ValidationMode.Before);
        await using (var gateway = await StartAsync(ValidationMode.After))
        {
            using (var sender = await gateway.ConnectAsync())
            {
                await sender.SendAsync(Sender.Line(20) + "\n" + Sender.Line(21, "2026-01-01T12:00:00Z") + "\n" + Unit(22, "K", "2026-01-01T12:00:00Z") + "\n");
                await sender.AcknowledgedAsync(3);
                await sender.FinishAsync();
            }
            await gateway.Host.DrainAsync(seal: true, GatewayUnderTest.Timeout());
        }
        var lake = ObjectStores.Open(new() { Root = Path.Combine(_folder.FullName, "lake") });
        await ReplayAsync(lake, Second);
        (await SequencesAsync(lake)).ShouldBe([1, 2, 5, 6, 8, 20, 21, 22]);
        (await Audit.ReadAsync(lake, First.Name, default, read: true)).Balances.ShouldBeTrue();
    }

    [Fact]
    public async Task A_version_with_other_windows_is_refused_before_anything_is_changed()
    {
        var lake = await FilledAsync(ValidationMode.Before);
        var before = await KeysAsync(lake);
        (await Should.ThrowAsync<LeanPipeException>(() => ReplayAsync(lake, Second with { Window = new(TimeSpan.FromMinutes(1)) }))).Code.ShouldBe("gateway.replay_moves");
        (await KeysAsync(lake)).ShouldBe(before);
        var report = await ReplayAsync(lake, Second, new() { DryRun = true });
        report.Windows.Count.ShouldBe(2);
        (await KeysAsync(lake)).ShouldBe(before);
    }

    Task<GatewayUnderTest> StartAsync(ValidationMode mode) => GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, First with { Validation = mode }) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = 128 } });

    /// <summary>A lake with two windows; of the rejects the second version takes one.</summary>
    async Task<IObjectStore> FilledAsync(ValidationMode mode, bool seal = true)
    {
        await using var gateway = await StartAsync(mode);
        using (var sender = await gateway.ConnectAsync())
        {
            string[] frames = [Sender.Line(1), Sender.Line(2), Unit(3, "K"), "bad", Sender.Line(5), Sender.Line(6, "2026-01-01T09:00:00Z"), """{"seq":"7","t":"2026-01-01T10:00:00Z"}""", Sender.Line(8)];
            foreach (var frame in frames) await sender.SendAsync(frame + "\n");
            await sender.AcknowledgedAsync(frames.Length);
            await sender.FinishAsync();
        }
        await gateway.Host.DrainAsync(seal, GatewayUnderTest.Timeout());
        return gateway.Lake;
    }

    static string Unit(int seq, string unit, string time = "2026-01-01T10:00:00Z") => $$"""{"seq":{{seq}},"t":"{{time}}","unit":"{{unit}}"}""";

    static Task<ReplayReport> ReplayAsync(IObjectStore store, StreamDefinition stream, ReplayOptions? options = null, List<string>? published = null) =>
        GatewayReplay.WindowsAsync(store, stream, options ?? new(), Publish(published), null, TimeProvider.System, CancellationToken.None);

    static Task<ReplayReport> RejectsAsync(IObjectStore store, StreamDefinition stream) => GatewayReplay.RejectedAsync(store, stream, new(), Publish(null), null, TimeProvider.System, CancellationToken.None);

    static Func<ReadOnlyMemory<byte>, CancellationToken, Task> Publish(List<string>? published) => (json, _) =>
    {
        published?.Add(Encoding.UTF8.GetString(json.Span));
        return Task.CompletedTask;
    };

    static async Task ShouldHoldAsync(IObjectStore store, ValidationMode mode, string? line = null)
    {
        (await SequencesAsync(store)).ShouldBe(mode == ValidationMode.After ? [1, 2, 3, 5, 6, 8] : [1, 2, 5, 6, 8]);
        if (line is not null) (await LinesAsync(store)).ShouldContain(line);
        var audit = await Audit.ReadAsync(store, First.Name, default, read: true);
        audit.Breaks.ShouldBeEmpty();
        audit.Balances.ShouldBeTrue();
        audit.Windows.ShouldAllBe(w => !w.IsOpen);
    }

    static async Task<List<long>> SequencesAsync(IObjectStore store) => [.. (await LinesAsync(store)).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("seq").GetInt64()).Order()];

    /// <summary>What the newest manifests list.</summary>
    static async Task<List<string>> LinesAsync(IObjectStore store)
    {
        var lines = new List<string>();
        foreach (var segment in (await Audit.NewestManifestsAsync(store, First.Name, default)).Values.SelectMany(m => m.Segments))
            lines.AddRange(Encoding.UTF8.GetString((await store.GetAsync(segment.Key, default))!.Value.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        return lines;
    }

    static async Task<List<string>> KeysAsync(IObjectStore store)
    {
        var keys = new List<string>();
        await foreach (var item in store.ListAsync("", default)) keys.Add(item.Key);
        return keys;
    }
}
