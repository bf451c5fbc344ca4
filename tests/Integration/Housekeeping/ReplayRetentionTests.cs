using LeanPipe.Cli.Audits;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Housekeeping;
using LeanPipe.Integration.Gateway;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Housekeeping;

/// <summary>What replays made and later replays took the place of leaves the lake; what a manifest, a record or a run names stays.</summary>
public sealed class ReplayRetentionTests : IDisposable
{
    static readonly StreamDefinition First = GatewayUnderTest.Seq with { Version = 1, Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 150 } };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-replays-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Segments_and_records_of_replays_go_when_later_ones_are_old_and_what_is_named_stays()
    {
        var lake = await FilledAsync();
        await ReplayAsync(lake, "a", "b", "c", "d");
        var before = await KeysAsync(lake);
        (await SweepAsync(lake, days: 20)).ShouldBeEmpty("younger than the retention");
        (await SweepAsync(lake, days: 45, new() { Replays = null })).ShouldBeEmpty();
        var dry = await SweepAsync(lake, days: 45, isDryRun: true);
        (await KeysAsync(lake)).ShouldBe(before);

        var taken = await SweepAsync(lake, days: 45);
        taken.ShouldBe(dry);
        taken.Where(k => k.StartsWith("raw/", StringComparison.Ordinal)).ShouldAllBe(k => k.Contains("-replay-000001-", StringComparison.Ordinal) || k.Contains("-replay-000002-", StringComparison.Ordinal));
        taken.Where(k => k.Contains("/windows/", StringComparison.Ordinal)).ShouldBe(["replays/seq/windows/2026-01-01T10/000001.json", "replays/seq/windows/2026-01-01T10/000002.json"]);
        taken.Where(k => k.Contains("/told/", StringComparison.Ordinal)).ShouldBe(["replays/seq/told/2026-01-01T10/000002.json", "replays/seq/told/2026-01-01T10/000003.json", "replays/seq/told/2026-01-01T10/000004.json"]);
        taken.IndexOf("replays/seq/windows/2026-01-01T10/000001.json").ShouldBeGreaterThan(taken.FindLastIndex(k => k.Contains("-replay-000001-", StringComparison.Ordinal)), "a record goes behind its segments");
        (await KeysAsync(lake)).ShouldBe(before.Except(taken));
        (await TakenAsync(lake)).ShouldBe(taken, ignoreOrder: true);
        await ShouldHoldAsync(lake, "d");

        (await SweepAsync(lake, days: 46)).ShouldBeEmpty("nothing is left to take");
        await ReplayAsync(lake, "a");
        await ShouldHoldAsync(lake, "a");
    }

    [Fact]
    public async Task What_the_plan_of_a_run_names_stays_while_the_run_may_be_asked_for_again()
    {
        var lake = await FilledAsync();
        await ReplayAsync(lake, "a", "b", "c", "d");
        var pinned = (await KeysAsync(lake)).Where(k => k.Contains("-replay-000001-", StringComparison.Ordinal)).ToList();
        pinned.ShouldNotBeEmpty();
        await lake.PutAsync("runs/r1/plan.json", System.Text.Encoding.UTF8.GetBytes($$"""{"inputs":["{{pinned[0]}}"]}"""), default);
        await lake.PutAsync("runs/r1/run.json", "{}"u8.ToArray(), default);
        var taken = await SweepAsync(lake, days: 45, new() { Runs = null });
        taken.ShouldNotContain(pinned[0]);
        taken.ShouldNotContain("replays/seq/windows/2026-01-01T10/000001.json", "the next pass finds the segment by it");
        taken.ShouldContain("replays/seq/windows/2026-01-01T10/000002.json");
        (await SweepAsync(lake, days: 46, new() { Runs = TimeSpan.FromDays(14) })).ShouldContain(pinned[0]);
    }

    [Fact]
    public async Task A_pass_that_ends_before_any_of_its_writes_leaves_a_window_as_it_was_and_the_next_one_takes_the_rest()
    {
        var whole = await FilledAsync();
        await ReplayAsync(whole, "a", "b", "c", "d");
        var expected = (await KeysAsync(whole)).Except(await SweepAsync(whole, days: 45, isDryRun: true)).ToList();
        var tears = await TornLake.AtEveryWriteAsync(_folder.FullName, torn => SweepAsync(torn, days: 45), async (store, folder, at) =>
        {
            await ShouldHoldAsync(store, "d", at);

            // Somebody replays what was left torn.
            var other = folder + "-other";
            TornLake.Copy(folder, other);
            var elsewhere = ObjectStores.Open(new() { Root = other });
            await ReplayAsync(elsewhere, "b");
            await ShouldHoldAsync(elsewhere, "b", at);

            await SweepAsync(store, days: 46);
            (await KeysAsync(store)).ShouldBe(expected, at);
            await ShouldHoldAsync(store, "d", at);
        });
        tears.ShouldBeGreaterThanOrEqualTo(8);
    }

    static StreamDefinition Giving(string unit) => First with { Version = unit[0] - 'a' + 2, Compatibility = Compatibility.None, Schema = new([.. First.Schema.Fields, new Field("unit", new StringType(), Required: false, Default: $"\"{unit}\"")]) };

    async Task<IObjectStore> FilledAsync()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, First) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = 128 } });
        using (var sender = await gateway.ConnectAsync())
        {
            for (var i = 1; i <= 8; i++) await sender.SendAsync(Sender.Line(i) + "\n");
            await sender.AcknowledgedAsync(8);
            await sender.FinishAsync();
        }
        await gateway.Host.DrainAsync(seal: true, GatewayUnderTest.Timeout());
        return gateway.Lake;
    }

    static async Task ReplayAsync(IObjectStore lake, params string[] units)
    {
        foreach (var unit in units) await GatewayReplay.WindowsAsync(lake, Giving(unit), new(), (_, _) => Task.CompletedTask, null, TimeProvider.System, CancellationToken.None);
    }

    static async Task<List<string>> SweepAsync(IObjectStore lake, int days, HousekeepingPolicy? policy = null, bool isDryRun = false)
    {
        var time = new ManualTime(DateTimeOffset.UtcNow.AddDays(days));
        policy = (policy ?? new()) with { Rejected = null, TableVersions = null };
        return [.. (await HousekeepingPass.RunAsync(lake, policy, [], null, new() { DryRun = isDryRun, ClockIsRight = true }, time, default)).Removals.Where(r => r.Rule == "replay").Select(r => r.Key)];
    }

    static async Task ShouldHoldAsync(IObjectStore lake, string unit, string? at = null)
    {
        (await Audit.ReadAsync(lake, First.Name, default, read: true)).Balances.ShouldBeTrue(at);
        var manifest = (await Audit.NewestManifestsAsync(lake, First.Name, default)).Values.ShouldHaveSingleItem();
        var lines = new List<string>();
        foreach (var segment in manifest.Segments)
            lines.AddRange(System.Text.Encoding.UTF8.GetString((await lake.GetAsync(segment.Key, default)).ShouldNotBeNull(segment.Key).Span).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        lines.Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(1, 8).Select(i => Sender.Line(i)[..^1] + $",\"unit\":\"{unit}\"}}"), at);
    }

    static async Task<List<string>> TakenAsync(IObjectStore lake)
    {
        var keys = new List<string>();
        await foreach (var (key, _) in HousekeepingPass.TakenAsync(lake, "", default)) keys.Add(key);
        return keys;
    }

    static async Task<List<string>> KeysAsync(IObjectStore lake)
    {
        var keys = new List<string>();
        await foreach (var item in lake.ListAsync("", default))
            if (!item.Key.StartsWith("housekeeping/", StringComparison.Ordinal)) keys.Add(item.Key);
        return keys;
    }
}
