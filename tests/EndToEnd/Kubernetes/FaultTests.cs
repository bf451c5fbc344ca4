using LeanPipe.Contracts;

namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>Pods end without warning in the middle of their work. The table is the same.</summary>
[Collection(nameof(InstalledChart))]
public sealed class FaultTests(SharedRelease shared)
{
    const int Limit = 8 * 60_000;

    [Fact(Timeout = Limit)]
    public async Task An_orchestrator_killed_in_the_middle_of_a_run_attaches_to_its_Jobs_and_runs_no_task_twice()
    {
        var release = await shared.OfAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var machine = release.Machine();
        await machine.SendAsync(20_000);
        var run = RunId.For(new("hourly"), machine.Window, 1).Value;
        // That it runs may never be said: a short task has succeeded before the kubelet looks.
        await pods.FirstAsync(p => p.Run == run && !p.Gone);
        var killed = await pods.FirstAsync(p => p.Component == "orchestrator" && !p.Gone && !p.Leaves);
        await release.KillAsync(killed.Name);

        var record = (await release.TableShouldHoldAsync(machine))[0];
        record.Run.Value.ShouldBe(run);
        pods.Seen.Count(p => p.Run == run).ShouldBe(record.Steps.Sum(s => s.Tasks));
        (await pods.FirstAsync(p => p.Component == "orchestrator" && p.Uid != killed.Uid)).ShouldBeRestricted();
    }

    [Fact(Timeout = Limit)]
    public async Task A_step_s_pod_that_is_deleted_is_another_attempt_and_the_table_is_the_same()
    {
        var release = await shared.OfAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var machine = release.Machine();
        await machine.SendAsync(5_000);
        await release.TableShouldHoldAsync(machine);
        await release.StartAsync("slow", "slow-by-job", machine.Window);

        // It computes for seconds, so what is deleted has not ended.
        var victim = await pods.FirstAsync(p => p.Run == "slow-by-job" && p.Phase != "Pending");
        await release.KillAsync(victim.Name);
        var run = await release.EndOfAsync("slow-by-job");
        run.Status.ShouldBe(RunStatus.Completed, run.Error?.ToString());
        await release.SlowTotalsShouldHoldAsync(machine);
        // The cluster may begin a second pod for the first attempt's Job before that is deleted; the table is made by the second attempt's.
        pods.Seen.ShouldContain(p => p.Run == "slow-by-job" && p.Name.StartsWith("lp-slow-00000-2-", StringComparison.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task A_gateway_deleted_and_then_killed_under_load_keeps_what_it_has_acknowledged()
    {
        var release = await shared.OfAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var machine = release.Machine(perSecond: 500);
        var sending = machine.SendAsync();
        await machine.MoreAsync(1_000);
        var first = await pods.FirstAsync(p => p.Component == "gateway" && p.IsReady && !p.Leaves);
        await release.KubectlAsync("delete", "pod", first.Name, "--wait=false");
        var second = await pods.FirstAsync(p => p.Component == "gateway" && p.Uid != first.Uid && p.IsReady && !p.Leaves);
        await machine.MoreAsync(1_000);
        await release.KillAsync(second.Name);
        await pods.FirstAsync(p => p.Component == "gateway" && p.Uid != first.Uid && p.Uid != second.Uid && p.IsReady);
        await machine.MoreAsync(1_000);
        machine.Stop();
        await sending;
        await release.TableShouldHoldAsync(machine);
    }
}
