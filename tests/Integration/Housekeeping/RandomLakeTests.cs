using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Integration.Lake;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Integration.Housekeeping;

/// <summary>Whatever the lake and the policy: nothing goes that somebody needs, and whatever goes was announced.</summary>
public sealed class RandomLakeTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 6)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task What_a_manifest_a_kept_version_an_unfinished_run_or_the_cache_names_stays(int seed)
    {
        await using var at = TestStore.Folder();
        var (lake, policy) = await BuildAsync(at.Store, seed);
        for (var pass = 0; pass < 2; pass++)
        {
            var kept = await KeptVersionsAsync(at.Store, lake, policy);
            var before = await KeysAsync(at.Store);
            var dry = await RunAsync(at.Store, lake, policy, dryRun: true);
            (await KeysAsync(at.Store)).ShouldBe(before);
            var report = await RunAsync(at.Store, lake, policy);
            report.Problems.ShouldBeEmpty();
            report.Removals.ShouldBe(dry.Removals);
            await CheckAsync(at.Store, lake, policy, kept, before);
            (await RunAsync(at.Store, lake, policy)).Removals.Where(r => r.Rule != "run" && r.Rule != "attempt").ShouldBeEmpty();
            lake.Time.Now = lake.Time.Now.AddDays(random(seed, pass));
        }

        static double random(int seed, int pass) => 1 + new Random(seed * 31 + pass).NextDouble() * 10;
    }

    [Theory]
    [InlineData(101, false)]
    [InlineData(102, true)]
    [InlineData(103, false)]
    public async Task A_pass_that_dies_anywhere_leaves_what_is_needed_and_the_next_one_finishes(int seed, bool afterItsEffect)
    {
        var random = new Random(seed);
        for (var round = 0; round < 2; round++)
        {
            await using var at = TestStore.Folder();
            var (lake, policy) = await BuildAsync(at.Store, seed);
            var kept = await KeptVersionsAsync(at.Store, lake, policy);
            var before = await KeysAsync(at.Store);
            var torn = new TornStore(at.Store, random.Next(1, 80), afterItsEffect);
            try
            {
                await RunAsync(torn, lake, policy);
            }
            catch (LakeException e) when (e.Code == "lake.test_torn")
            {
                torn.Died.ShouldBeTrue();
            }
            await CheckAsync(at.Store, lake, policy, kept, before);
            await RunAsync(at.Store, lake, policy);
            await CheckAsync(at.Store, lake, policy, kept, before);
        }
    }

    [Fact]
    public async Task What_moves_to_the_cold_storage_is_there_whole_before_it_goes()
    {
        await using var at = TestStore.Folder();
        await using var cold = TestStore.Folder();
        var (lake, policy) = await BuildAsync(at.Store, 7);
        policy = policy with { Raw = TimeSpan.FromDays(1), Rejected = TimeSpan.FromDays(1), ColdStorage = cold.Store.Root.ToString() };
        var raw = new Dictionary<string, byte[]>();
        await foreach (var item in at.Store.ListAsync("r", Token))
            if (!item.Key.StartsWith("runs/", StringComparison.Ordinal)) raw[item.Key] = (await at.Store.GetAsync(item.Key, Token))!.Value.ToArray();
        var report = await HousekeepingPass.RunAsync(at.Store, policy, [RandomLake.Definition], cold.Store, new(), lake.Time, Token);
        var moved = report.Removals.Where(r => r.To is not null).ToList();
        moved.Select(r => r.Rule).Distinct().Order(StringComparer.Ordinal).ShouldBe(["raw", "rejected"]);
        foreach (var removal in moved)
        {
            (await cold.Store.GetAsync(removal.Key, Token))!.Value.ToArray().ShouldBe(raw[removal.Key]);
            (await at.Store.SizeAsync(removal.Key, Token)).ShouldBeNull();
        }
        (await HousekeepingPass.RetiredAsync(at.Store, RandomLake.Stream, Token)).Values.ShouldAllBe(w => w.To == policy.ColdStorage);
    }

    [Fact]
    public async Task A_segment_that_is_not_what_its_manifest_says_is_neither_moved_nor_deleted()
    {
        await using var at = TestStore.Folder();
        await using var cold = TestStore.Folder();
        var (lake, policy) = await BuildAsync(at.Store, 7);
        policy = policy with { Raw = TimeSpan.FromDays(1), ColdStorage = cold.Store.Root.ToString() };
        var dry = await HousekeepingPass.RunAsync(at.Store, policy, [RandomLake.Definition], cold.Store, new() { DryRun = true }, lake.Time, Token);
        var victim = dry.Removals.First(r => r.Rule == "raw").Key;
        var path = at.Store.LocalPath(victim)!;
        var bytes = await File.ReadAllBytesAsync(path, Token);
        bytes[0] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, Token);
        (await Should.ThrowAsync<LakeException>(() => HousekeepingPass.RunAsync(at.Store, policy, [RandomLake.Definition], cold.Store, new(), lake.Time, Token))).Code.ShouldBe("lake.copy_differs");
        (await at.Store.SizeAsync(victim, Token)).ShouldBe(bytes.Length);
    }

    [Fact]
    public async Task Without_knowing_the_pipelines_or_without_a_retention_no_raw_segment_goes()
    {
        await using var at = TestStore.Folder();
        var (lake, policy) = await BuildAsync(at.Store, 7);
        policy = policy with { Raw = TimeSpan.FromDays(1) };
        (await HousekeepingPass.RunAsync(at.Store, policy, null, null, new() { DryRun = true }, lake.Time, Token)).Removals.ShouldNotContain(r => r.Rule == "raw");
        (await HousekeepingPass.RunAsync(at.Store, policy with { Raw = null }, [RandomLake.Definition], null, new() { DryRun = true }, lake.Time, Token)).Removals.ShouldNotContain(r => r.Rule == "raw");
        var other = RandomLake.Definition with { Name = new("other") };
        (await HousekeepingPass.RunAsync(at.Store, policy, [RandomLake.Definition, other], null, new() { DryRun = true }, lake.Time, Token)).Removals.ShouldNotContain(r => r.Rule == "raw");
        (await HousekeepingPass.RunAsync(at.Store, policy, [RandomLake.Definition], null, new() { DryRun = true }, lake.Time, Token)).Removals.ShouldContain(r => r.Rule == "raw");
    }

    static async Task<(RandomLake Lake, HousekeepingPolicy Policy)> BuildAsync(IObjectStore store, int seed)
    {
        var lake = new RandomLake(store, seed);
        await lake.BuildAsync(days: 12);
        var random = new Random(seed);
        TimeSpan? Age() => random.Next(6) == 0 ? null : TimeSpan.FromDays(random.NextDouble() * 14);
        return (lake, new() { Raw = Age(), Rejected = Age(), Runs = Age(), Attempts = Age(), Cache = Age(), TableVersions = Age(), CompactToBytes = null });
    }

    static Task<HousekeepingReport> RunAsync(IObjectStore store, RandomLake lake, HousekeepingPolicy policy, bool dryRun = false) =>
        HousekeepingPass.RunAsync(store, policy, [RandomLake.Definition], null, new() { DryRun = dryRun }, lake.Time, Token);

    /// <summary>The files of every version that the retention keeps.</summary>
    static async Task<HashSet<string>> KeptVersionsAsync(IObjectStore store, RandomLake lake, HousekeepingPolicy policy)
    {
        var kept = new HashSet<string>();
        var newest = (await DeltaTable.OpenAsync(store, RandomLake.Table, Token))!;
        var from = policy.TableVersions is { } age ? lake.Time.Now - age : DateTimeOffset.MinValue;
        for (var version = newest.Version; version >= 0; version--)
        {
            DeltaTable table;
            try
            {
                table = (await DeltaTable.OpenAsync(store, RandomLake.Table, Token, version))!;
            }
            catch (LakeException e) when (e.Code == "lake.version_gone")
            {
                break;
            }
            kept.UnionWith(table.Files.Select(f => f.Key));
            // The version before the first one within the retention was still the newest one when it began.
            if (table.CommittedAt <= from) break;
        }
        return kept;
    }

    static async Task CheckAsync(IObjectStore store, RandomLake lake, HousekeepingPolicy policy, HashSet<string> keptByVersions, IReadOnlyList<string> before)
    {
        var now = (await KeysAsync(store)).ToHashSet();
        lake.MustStay.Where(k => !now.Contains(k)).ShouldBeEmpty("named by an unfinished run");
        keptByVersions.Where(k => !now.Contains(k)).ShouldBeEmpty("named by a kept version");
        lake.Cached.Where(c => now.Contains(c.Key)).SelectMany(c => c.Value).Where(k => !now.Contains(k)).ShouldBeEmpty("named by the cache");
        foreach (var (window, (segments, sealedAt, read)) in lake.Windows)
        {
            if (read && policy.Raw is { } age && sealedAt <= lake.Time.Now - age) continue;
            segments.Where(s => !now.Contains(s)).ShouldBeEmpty($"raw of window {window}");
        }
        now.Where(k => k.Contains("not-sealed-yet", StringComparison.Ordinal)).Count().ShouldBe(before.Count(k => k.Contains("not-sealed-yet", StringComparison.Ordinal)));
        before.Where(k => k.EndsWith("/run.json", StringComparison.Ordinal) || k.EndsWith("/plan.json", StringComparison.Ordinal)).Where(k => !now.Contains(k)).ShouldBeEmpty();
        // No document that is left names an object that is gone, other than windows that are retired and records of runs.
        var audited = await AuditedAsync(store);
        before.Where(k => !now.Contains(k) && !audited.Contains(k)).ShouldBeEmpty("gone without a line in the audit log");
        await DeltaLinter.CheckAsync(store, RandomLake.Table);
        (await DeltaTable.OpenAsync(store, RandomLake.Table, Token)).ShouldNotBeNull();
    }

    static async Task<HashSet<string>> AuditedAsync(IObjectStore store)
    {
        var keys = new HashSet<string>();
        await foreach (var item in store.ListAsync(HousekeepingPass.AuditPrefix, Token))
        {
            foreach (var line in Encoding.UTF8.GetString((await store.GetAsync(item.Key, Token))!.Value.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                using var record = JsonDocument.Parse(line);
                record.RootElement.GetProperty("why").GetString().ShouldNotBeNullOrEmpty();
                keys.Add(record.RootElement.GetProperty("key").GetString()!);
            }
        }
        return keys;
    }

    static async Task<List<string>> KeysAsync(IObjectStore store) => [.. (await store.ListAsync("", Token).ToListAsync(Token)).Select(o => o.Key)];
}
