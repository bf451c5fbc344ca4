using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Integration.Lake;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Housekeeping;

/// <summary>A clock that goes years ahead makes everything old at once; a pass that sees it refuses until a person has said that the clock is right.</summary>
public sealed class LeapingClockTests
{
    static readonly HousekeepingPolicy Policy = new()
    {
        Raw = TimeSpan.FromDays(30),
        Rejected = TimeSpan.FromDays(30),
        Runs = TimeSpan.FromDays(14),
        Attempts = TimeSpan.FromDays(14),
        Cache = TimeSpan.FromDays(14),
        TableVersions = TimeSpan.FromDays(14),
        CompactToBytes = null,
    };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_leap_makes_old_stays_also_when_there_is_newer_work(bool hadAPass)
    {
        await using var at = TestStore.Folder();
        var lake = await BuildAsync(at.Store, hadAPass);
        lake.Time.Now = lake.Time.Now.AddYears(10);
        (await RefusedAsync(at.Store, lake)).ShouldContain("2026-01-1");
        // Work goes on under the wrong clock, and hides the leap from who looks at the newest objects alone.
        for (var day = 0; day < 40; day++)
        {
            lake.Time.Now = lake.Time.Now.AddDays(1);
            var path = at.Store.LocalPath($"windows/s/late-{day:D2}/000001.txt")!;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, "", Token);
            File.SetLastWriteTimeUtc(path, lake.Time.Now.UtcDateTime);
        }
        await RefusedAsync(at.Store, lake);
    }

    [Fact]
    public async Task Who_says_once_that_the_clock_is_right_is_believed_from_then_on()
    {
        await using var at = TestStore.Folder();
        var lake = await BuildAsync(at.Store, hadAPass: true);
        lake.Time.Now = lake.Time.Now.AddDays(60);
        await RefusedAsync(at.Store, lake);
        (await RunAsync(at.Store, lake, new() { ClockIsRight = true, DryRun = true })).Removals.ShouldNotBeEmpty();
        await RefusedAsync(at.Store, lake);
        var report = await RunAsync(at.Store, lake, new() { ClockIsRight = true });
        (report.Problems.Count, report.Removals.Count > 0).ShouldBe((0, true));
        lake.Time.Now = lake.Time.Now.AddDays(34);
        (await RunAsync(at.Store, lake, new())).Problems.ShouldBeEmpty();
        // It goes back, by whomever it was put right.
        lake.Time.Now = lake.Time.Now.AddDays(-80);
        (await RunAsync(at.Store, lake, new())).Problems.ShouldBeEmpty();
        lake.Time.Now = lake.Time.Now.AddDays(20);
        (await RunAsync(at.Store, lake, new())).Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task Work_without_a_pass_for_months_is_no_leap()
    {
        await using var at = TestStore.Folder();
        var lake = await BuildAsync(at.Store, hadAPass: false, days: 45);
        var report = await RunAsync(at.Store, lake, new());
        (report.Problems.Count, report.Removals.Count > 0).ShouldBe((0, true));
    }

    static async Task<RandomLake> BuildAsync(IObjectStore store, bool hadAPass, int days = 12)
    {
        var lake = new RandomLake(store, 5);
        await lake.BuildAsync(days);
        if (hadAPass) (await RunAsync(store, lake, new())).Problems.ShouldBeEmpty();
        return lake;
    }

    static async Task<string> RefusedAsync(IObjectStore store, RandomLake lake)
    {
        var before = await store.ListAsync("", Token).ToListAsync(Token);
        var report = await RunAsync(store, lake, new());
        report.Removals.ShouldBeEmpty();
        (await store.ListAsync("", Token).ToListAsync(Token)).Where(o => !o.Key.StartsWith("housekeeping/proofs/", StringComparison.Ordinal))
            .ShouldBe(before.Where(o => !o.Key.StartsWith("housekeeping/proofs/", StringComparison.Ordinal)));
        var problem = report.Problems.ShouldHaveSingleItem();
        problem.ShouldContain("--clock-is-right");
        return problem;
    }

    static Task<HousekeepingReport> RunAsync(IObjectStore store, RandomLake lake, HousekeepingOptions options) =>
        HousekeepingPass.RunAsync(store, Policy, [RandomLake.Definition], null, options, lake.Time, Token);
}
