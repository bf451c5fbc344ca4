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
        // A short task may have succeeded before the kubelet says that it runs.
        await pods.FirstAsync(p => p.Run == run && !p.Gone);
        var killed = await pods.FirstAsync(p => p.Component == "orchestrator" && !p.Gone);
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
        await machine.SendAsync(20_000);
        var run = RunId.For(new("hourly"), machine.Window, 1).Value;

        // One that ended before the deletion came proves nothing: then the next one is tried.
        var tried = new HashSet<string>();
        Pod victim;
        do
        {
            victim = await pods.FirstAsync(p => p.Run == run && !p.Ended && !p.Gone && !tried.Contains(p.Uid));
            tried.Add(victim.Uid);
            await release.KillAsync(victim.Name);
            victim = await pods.FirstAsync(p => p.Uid == victim.Uid && (p.Ended || p.Gone));
        }
        while (victim.Phase == "Succeeded");

        var record = (await release.TableShouldHoldAsync(machine))[0];
        pods.Seen.Count(p => p.Run == run).ShouldBeGreaterThan(record.Steps.Sum(s => s.Tasks));
    }

    [Fact(Timeout = Limit)]
    public async Task A_gateway_deleted_and_then_killed_under_load_keeps_what_it_has_acknowledged()
    {
        var release = await shared.OfAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var machine = release.Machine(perSecond: 500);
        var sending = machine.SendAsync();
        await machine.MoreAsync(1_000);
        var first = await pods.FirstAsync(p => p.Component == "gateway" && p.IsReady);
        await release.KubectlAsync("delete", "pod", first.Name, "--wait=false");
        var second = await pods.FirstAsync(p => p.Component == "gateway" && p.Uid != first.Uid && p.IsReady);
        await machine.MoreAsync(1_000);
        await release.KillAsync(second.Name);
        await pods.FirstAsync(p => p.Component == "gateway" && p.Uid != first.Uid && p.Uid != second.Uid && p.IsReady);
        await machine.MoreAsync(1_000);
        machine.Stop();
        await sending;
        await release.TableShouldHoldAsync(machine);
    }
}
