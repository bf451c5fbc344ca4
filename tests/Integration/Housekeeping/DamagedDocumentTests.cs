using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Integration.Lake;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Housekeeping;

/// <summary>One document that is cut or garbage: it is named, nothing goes that an undamaged lake would keep, and the rest of the pass goes on.</summary>
public sealed class DamagedDocumentTests
{
    // Whose names keep others.
    static readonly string[] Hidden = ["raw", "rejected", "replay", "run", "attempt", "table_file"];

    static readonly HousekeepingPolicy Policy = new()
    {
        Raw = TimeSpan.FromDays(2),
        Rejected = TimeSpan.FromDays(2),
        Frames = TimeSpan.FromDays(1),
        Runs = TimeSpan.FromDays(2),
        Attempts = TimeSpan.FromDays(1),
        Cache = TimeSpan.FromDays(2),
        TableVersions = TimeSpan.FromDays(1),
        CompactToBytes = null,
    };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("cache/", ".json", true)]
    [InlineData("windows/", ".json", true)]
    [InlineData("runs/", "/plan.json", true)]
    [InlineData("runs/", "/run.json", true)]
    [InlineData("runs/", "/manifest.json", true)]
    [InlineData("runs/", "/commit.json", true)]
    [InlineData("runs/", "/outcome.json", true)]
    [InlineData("runs/", "-1.json", true)]
    [InlineData("runs/", "/started.json", true)]
    [InlineData("tables/", "0.json", true)]
    [InlineData("housekeeping/proofs/", ".json", true)]
    [InlineData("housekeeping/unnamed.json", "", true)]
    [InlineData("housekeeping/clock.json", "", true)]
    [InlineData("runs/", "/tasks.ndjson", false)]
    public async Task A_document_that_is_damaged_takes_nothing_with_it(string prefix, string ending, bool isRead)
    {
        await using var at = TestStore.Folder();
        var lake = await BuildAsync(at.Store);
        var sound = await PassAsync(at.Store, lake);
        sound.Problems.ShouldBeEmpty();
        var victims = (await at.Store.ListAsync(prefix, Token).ToListAsync(Token)).Where(o => o.Key.EndsWith(ending, StringComparison.Ordinal)).ToList();
        victims.ShouldNotBeEmpty();
        var told = 0;
        foreach (var victim in victims.OrderByDescending(v => lake.MustStay.Contains(v.Key)).Take(5))
        {
            var path = at.Store.LocalPath(victim.Key)!;
            var whole = await File.ReadAllBytesAsync(path, Token);
            // One that is read is damaged in other ways, too.
            foreach (var bytes in (byte[][])[whole[..(whole.Length / 2)], [], new byte[whole.Length], "null"u8.ToArray()])
            {
                await WriteAsync(path, bytes, victim);
                var before = told;
                var report = await PassAsync(at.Store, lake);
                report.Removals.Select(r => r.Key).Except(sound.Removals.Select(r => r.Key)).ShouldBeEmpty(victim.Key);
                var named = prefix == "tables/" ? "Table 't' was left alone" : victim.Key;
                if (report.Problems.Any(p => p.Contains(named, StringComparison.Ordinal))) told++;
                else (report.Removals.Count, report.Problems.Count).ShouldBe((sound.Removals.Count, 0), $"{victim.Key} is not read, so nothing hangs on it");
                if (report.Problems.Any(p => p.Contains("nothing is removed by the rules", StringComparison.Ordinal))) report.Removals.ShouldAllBe(r => !Hidden.Contains(r.Rule));
                // Entries of the cache are told by their age alone.
                report.Removals.Count(r => r.Rule == "cache").ShouldBe(sound.Removals.Count(r => r.Rule == "cache"));
                if (told == before || told > 4) break;
            }
            await WriteAsync(path, whole, victim);
        }
        (told > 0).ShouldBe(isRead);
        (await PassAsync(at.Store, lake)).Removals.ShouldBe(sound.Removals);
    }

    [Fact]
    public async Task A_window_whose_newest_replay_cannot_be_read_keeps_its_segments_and_other_windows_go()
    {
        await using var at = TestStore.Folder();
        var lake = await BuildAsync(at.Store);
        var sound = (await PassAsync(at.Store, lake)).Removals.Where(r => r.Rule == "raw").Select(r => r.Key).ToList();
        var window = sound[0].Split('/')[2]["date=".Length..];
        var key = LakeLayout.WindowReplay(RandomLake.Stream, WindowId.Parse(window), 1);
        await at.Store.PutAsync(key, "{\"stream\":"u8.ToArray(), Token);
        await at.Store.PutAsync("ledger/s/g.json", "{"u8.ToArray(), Token);

        var report = await PassAsync(at.Store, lake);
        report.Problems.Where(p => p.Contains(key, StringComparison.Ordinal) || p.Contains("ledger/s/g.json", StringComparison.Ordinal)).Count().ShouldBe(2);
        var left = report.Removals.Where(r => r.Rule == "raw").Select(r => r.Key).ToList();
        left.ShouldBe(sound.Where(k => !k.Contains($"date={window}", StringComparison.Ordinal)));
        left.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_mark_of_a_pass_that_was_cut_short_counts_whatever_it_holds()
    {
        await using var at = TestStore.Folder();
        var lake = await BuildAsync(at.Store);
        var run = (await PassAsync(at.Store, lake)).Removals.First(r => r.Rule == "run").Key.Split('/')[1];
        await at.Store.PutAsync(LakeLayout.RunSweep(new(run), "before"), new byte[3], Token);
        (await HousekeepingPass.RunAsync(at.Store, Policy with { Runs = null }, [RandomLake.Definition], null, new(), lake.Time, Token)).Removals
            .ShouldContain(r => r.Key == LakeLayout.RunSweep(new(run), "before"));
        (await at.Store.SizeAsync(LakeLayout.RunSweep(new(run), "before"), Token)).ShouldBeNull();
    }

    /// <summary>After some work, a pass that has written its proofs and notes, and three days. So few that reading the table takes no checkpoint.</summary>
    static async Task<RandomLake> BuildAsync(IObjectStore store)
    {
        var lake = new RandomLake(store, 7);
        await lake.BuildAsync(days: 5);
        await HousekeepingPass.RunAsync(store, Policy with { Raw = null, Runs = null, Attempts = null, Cache = null, Rejected = null }, [RandomLake.Definition], null, new(), lake.Time, Token);
        lake.Time.Now = lake.Time.Now.AddDays(3);
        return lake;
    }

    static Task<HousekeepingReport> PassAsync(IObjectStore store, RandomLake lake) =>
        HousekeepingPass.RunAsync(store, Policy, [RandomLake.Definition], null, new() { DryRun = true }, lake.Time, Token);

    static async Task WriteAsync(string path, byte[] bytes, ListedObject like)
    {
        await File.WriteAllBytesAsync(path, bytes, Token);
        File.SetLastWriteTimeUtc(path, like.LastModified.UtcDateTime);
    }
}
