using LeanPipe.Cli.Demo;
using LeanPipe.Cli.Homes;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Unit.Cli;

public sealed class HomeFolderTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("leanpipe-home-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Two_processes_never_share_a_home_and_the_next_one_gets_it_when_the_first_has_ended()
    {
        var home = new HomeFolder(_folder);
        using (home.Lock())
            Should.Throw<LeanPipeException>(() => new HomeFolder(_folder).Lock()).Code.ShouldBe("cli.home_in_use");
        new HomeFolder(_folder).Lock().Dispose();
    }

    [Fact]
    public void A_process_is_found_while_it_holds_its_home_and_not_by_what_it_left_behind()
    {
        var home = new HomeFolder(_folder);
        using (home.Lock())
        {
            new Endpoints(1, DateTimeOffset.UnixEpoch, 3500, 50001, 8080, new Dictionary<string, string> { ["telemetry"] = "127.0.0.1:7001" }).Write(home);
            home.FindRunning().ShouldNotBeNull().Streams["telemetry"].ShouldBe("127.0.0.1:7001");
        }
        home.FindRunning().ShouldBeNull();
        Should.Throw<LeanPipeException>(home.RequireRunning).Code.ShouldBe("cli.not_running");
    }

    [Fact]
    public async Task Who_only_looks_whether_somebody_runs_here_keeps_nobody_from_starting()
    {
        var home = new HomeFolder(_folder);
        using var enough = new CancellationTokenSource();
        var looking = Task.Run(() =>
        {
            while (!enough.IsCancellationRequested) new HomeFolder(_folder).FindRunning();
        }, TestContext.Current.CancellationToken);
        for (var n = 0; n < 100; n++) home.Lock().Dispose();
        await enough.CancelAsync();
        await looking;
    }

    [Fact]
    public void The_state_of_a_demo_reads_back_as_it_was_written()
    {
        var home = new HomeFolder(_folder);
        DemoState.Read(home).ShouldBeNull();
        var state = new DemoState(200_000, 7, "/lake", [1, 2, 3, 4], Prepared: true);
        state.Write(home);
        var read = DemoState.Read(home).ShouldNotBeNull();
        read.Acked.ShouldBe([1, 2, 3, 4]);
        (read with { Acked = state.Acked }).ShouldBe(state);
    }

    [Fact]
    public async Task A_demo_never_removes_what_no_demo_made_also_when_one_ran_in_the_home_before()
    {
        var home = new HomeFolder(_folder);
        LakeOptions mine = new() { Root = home.Lake }, others = new() { Root = Path.Combine(_folder, "other-lake") };
        var earlier = new DemoState(100, 1, mine.Root, [0, 0, 0, 0], Prepared: true, Sent: true);
        earlier.Write(home);
        await ObjectStores.Open(others).PutAsync("windows/telemetry/2026-01-01T10/000001.json", default, default);
        await ObjectStores.Open(mine).PutAsync("windows/meters/2026-01-01T10/000001.json", default, default);
        await RefusedAsync(others);
        await RefusedAsync(mine);

        await ObjectStores.Open(mine).DeleteAsync("windows/meters/2026-01-01T10/000001.json", default);
        await ObjectStores.Open(mine).PutAsync("windows/telemetry/2026-01-01T10/000001.json", default, default);
        (await BeginAsync(mine)).Prepared.ShouldBeTrue();
        (await ObjectStores.Open(mine).SizeAsync("windows/telemetry/2026-01-01T10/000001.json", default)).ShouldBeNull();
        (await ObjectStores.Open(others).SizeAsync("windows/telemetry/2026-01-01T10/000001.json", default)).ShouldNotBeNull();

        async Task RefusedAsync(LakeOptions lake) => (await Should.ThrowAsync<LeanPipeException>(() => BeginAsync(lake))).Code.ShouldBe("cli.home_not_empty");
        Task<DemoState> BeginAsync(LakeOptions lake) => DemoHome.BeginAsync(home, lake, earlier with { Lake = lake.Root, Prepared = false }, TextWriter.Null, default);
    }
}
