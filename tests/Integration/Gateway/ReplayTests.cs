using LeanPipe.Cli.Audits;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

/// <summary>Rejects of a first version of a stream, replayed by a second one that takes more.</summary>
public sealed class ReplayTests : IDisposable
{
    static readonly StreamDefinition First = GatewayUnderTest.Seq with { Version = 1, Limits = GatewayUnderTest.Seq.Limits with { MaxFrameBytes = 10_000 } };

    static readonly StreamDefinition Second = First with { Version = 2, Schema = new([.. First.Schema.Fields, new Field("unit", new StringType(), Required: false)]) };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-replay-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Rejects_that_pass_become_records_once_and_the_audit_balances()
    {
        var lake = await FilledAsync();
        var published = new List<string>();
        var report = await ReplayAsync(lake, Second, published: published);

        (report.Frames, report.Passed, report.Truncated, report.Unplaced, report.Elsewhere).ShouldBe((6, 3, 1, 0, 0));
        report.Rejected.Select(r => $"{r.Key} {r.Value}").ShouldBe(["bad_json 1", "wrong_type 1"]);
        report.Windows.Select(w => $"{w.Window} {w.Revision} {w.Rows}").ShouldBe(["2026-01-01T09 1 1", "2026-01-01T10 2 2"]);
        published.Count.ShouldBe(2);
        await ShouldHoldOnceAsync(lake);

        var before = await KeysAsync(lake);
        report = await ReplayAsync(lake, Second, published: published);
        (report.Passed, report.Before).ShouldBe((0, 3));
        report.Windows.ShouldBeEmpty();
        (await KeysAsync(lake)).ShouldBe(before);
        published.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_dry_run_says_the_same_and_changes_nothing()
    {
        var lake = await FilledAsync();
        var before = await KeysAsync(lake);
        var report = await ReplayAsync(lake, Second, new() { DryRun = true });
        report.Passed.ShouldBe(3);
        report.Windows.Select(w => $"{w.Window} {w.Revision} {w.Rows}").ShouldBe(["2026-01-01T09 1 1", "2026-01-01T10 2 2"]);
        (await KeysAsync(lake)).ShouldBe(before);
    }

    [Fact]
    public async Task Only_the_windows_that_were_asked_for_get_a_revision_and_the_others_may_follow()
    {
        var lake = await FilledAsync();
        var report = await ReplayAsync(lake, Second, new() { Windows = new HashSet<WindowId> { WindowId.Parse("2026-01-01T09") } });
        (report.Passed, report.Elsewhere).ShouldBe((1, 2));
        report.Windows.Single().Window.Value.ShouldBe("2026-01-01T09");
        (await ReplayAsync(lake, Second)).Passed.ShouldBe(2);
        await ShouldHoldOnceAsync(lake);
    }

    [Fact]
    public async Task A_gateway_that_runs_an_older_version_builds_on_what_a_replay_has_sealed()
    {
        var lake = await FilledAsync();
        await ReplayAsync(lake, Second);
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, First with { SealWhenIdleFor = TimeSpan.FromMilliseconds(1) }));
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendAsync(Sender.Line(99) + "\n");
            await sender.AcknowledgedAsync(1);
            await sender.FinishAsync();
        }
        var window = await gateway.NextPublishedAsync();
        while (window.Revision == 1) window = await gateway.NextPublishedAsync();
        (window.Window.Value, window.Revision).ShouldBe(("2026-01-01T10", 3));
        var (manifest, lines) = await gateway.ReadAsync(window);
        (manifest.Schema, manifest.Columns.Select(c => c.Name).Last()).ShouldBe(("seq/v2", "unit"));
        lines.Count.ShouldBe(5);
        (await Audit.ReadAsync(lake, First.Name, default, read: true)).Balances.ShouldBeTrue();
    }

    [Fact]
    public async Task A_replay_that_ended_between_any_two_writes_is_completed_by_the_next_and_nothing_is_doubled()
    {
        await FilledAsync();
        var tears = await TornLake.AtEveryWriteAsync(_folder.FullName, torn => ReplayAsync(torn, Second), async (store, _, at) =>
        {
            (await Audit.ReadAsync(store, First.Name, default, read: true)).Breaks.ShouldBeEmpty(at);
            await ReplayAsync(store, Second);
            await ShouldHoldOnceAsync(store);
        });
        tears.ShouldBeGreaterThanOrEqualTo(14);
    }

    GatewayOptions Options => GatewayUnderTest.Options(_folder.FullName, First) with { RejectKeepsBytes = 200 };

    /// <summary>A lake that a gateway has filled and sealed.</summary>
    async Task<IObjectStore> FilledAsync()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(Options);
        using (var sender = await gateway.ConnectAsync())
        {
            string[] frames = [
                Sender.Line(1), Unit(2, "C"), "bad", Unit(3, "K"), Unit(4, new string('x', 300)), Sender.Line(5), Unit(6, "C", "2026-01-01T09:00:00Z"), """{"seq":"7","t":"2026-01-01T10:00:00Z"}""",
            ];
            await sender.SendAsync(string.Concat(frames.Select(f => f + "\n")));
            await sender.AcknowledgedAsync(frames.Length);
            await sender.FinishAsync();
        }
        await gateway.Host.DrainAsync(seal: true, GatewayUnderTest.Timeout());
        return gateway.Lake;
    }

    static string Unit(int seq, string unit, string time = "2026-01-01T10:00:00Z") => $$"""{"seq":{{seq}},"t":"{{time}}","unit":"{{unit}}"}""";

    static Task<ReplayReport> ReplayAsync(IObjectStore store, StreamDefinition stream, ReplayOptions? options = null, List<string>? published = null) => GatewayReplay.RejectedAsync(
        store, stream, options ?? new(), (json, _) =>
        {
            published?.Add(System.Text.Encoding.UTF8.GetString(json.Span));
            return Task.CompletedTask;
        }, null, TimeProvider.System, CancellationToken.None);

    static async Task ShouldHoldOnceAsync(IObjectStore store)
    {
        var manifests = await Audit.NewestManifestsAsync(store, First.Name, default);
        var sequences = new List<long>();
        foreach (var segment in manifests.Values.SelectMany(m => m.Segments))
            foreach (var line in System.Text.Encoding.UTF8.GetString((await store.GetAsync(segment.Key, default))!.Value.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                sequences.Add(System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("seq").GetInt64());
        sequences.Order().ShouldBe([1, 2, 3, 5, 6]);
        manifests["2026-01-01T10"].Schema.ShouldBe("seq/v2");
        var audit = await Audit.ReadAsync(store, First.Name, default, read: true);
        audit.Breaks.ShouldBeEmpty();
        audit.Balances.ShouldBeTrue();
        audit.Replayed.ShouldBe(3);
        audit.Windows.ShouldAllBe(w => !w.IsOpen);
    }

    static async Task<List<string>> KeysAsync(IObjectStore store)
    {
        var keys = new List<string>();
        await foreach (var item in store.ListAsync("", default))
            if (!item.Key.StartsWith("ledger/", StringComparison.Ordinal)) keys.Add(item.Key);
        return keys;
    }
}
