using LeanPipe.Contracts;

namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>Small tasks in step runners that are kept running: the tables are those that Jobs make, whatever happens to the pods.</summary>
[Collection(nameof(InstalledChart))]
public sealed class WarmTests(SharedRelease shared)
{
    const int Limit = 8 * 60_000;
    const string Two = "tasks.warm.replicas=2";

    [Fact(Timeout = Limit)]
    public async Task Upgraded_to_warm_step_runners_under_load_it_loses_nothing_and_warm_tasks_make_the_same_table()
    {
        var release = await shared.OfAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var (before, warm) = (release.Machine(perSecond: 500), release.Machine());
        var sending = before.SendAsync();
        await before.MoreAsync(500);
        await using (await release.WithAsync(Two))
        {
            await before.MoreAsync(500);
            // Whoever still sends keeps the stream from being idle, and windows open.
            before.Stop();
            await sending;
            await warm.SendAsync(20_000);
            foreach (var run in await release.TableShouldHoldAsync(warm))
                pods.Seen.Count(p => p.Run == run.Run.Value).ShouldBeLessThan(run.Steps.Sum(s => s.Tasks), "a task that is no Job ran in a warm pod");
            await release.TableShouldHoldAsync(before);
        }
        pods.Seen.Count(p => p.Component == "warm").ShouldBeGreaterThanOrEqualTo(2);
        foreach (var pod in pods.Seen) pod.ShouldBeRestricted();
    }

    [Fact(Timeout = Limit)]
    public async Task A_warm_pod_killed_in_the_middle_of_a_task_costs_an_attempt_and_a_Job_makes_the_table()
    {
        var release = await shared.OfAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var machine = release.Machine();
        await machine.SendAsync(5_000);
        await release.TableShouldHoldAsync(machine);
        await using (await release.WithAsync(Two))
        {
            await release.StartAsync("slow", "slow-1", machine.Window);
            await release.KillAsync(await release.WarmPodOfAsync("slow-1"));
            var run = await release.EndOfAsync("slow-1");
            run.Status.ShouldBe(RunStatus.Completed, run.Error?.ToString());
        }
        await release.SlowTotalsShouldHoldAsync(machine);
        pods.Seen.Count(p => p.Run == "slow-1").ShouldBe(1);
    }
}
