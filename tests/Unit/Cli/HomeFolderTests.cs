using LeanPipe.Cli.Demo;
using LeanPipe.Cli.Homes;
using LeanPipe.Contracts;

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
    public void The_state_of_a_demo_reads_back_as_it_was_written()
    {
        var home = new HomeFolder(_folder);
        DemoState.Read(home).ShouldBeNull();
        var state = new DemoState(200_000, 7, [1, 2, 3, 4], Prepared: true);
        state.Write(home);
        var read = DemoState.Read(home).ShouldNotBeNull();
        read.Acked.ShouldBe([1, 2, 3, 4]);
        (read with { Acked = state.Acked }).ShouldBe(state);
    }
}
