namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>An installation's life: it is changed, changed back, and removed.</summary>
[Collection(nameof(InstalledChart))]
public sealed class UpgradeTests(SharedRelease shared)
{
    const int Limit = 8 * 60_000;

    [Fact(Timeout = Limit)]
    public async Task An_upgrade_and_a_rollback_under_load_replace_every_pod_and_lose_nothing()
    {
        var release = await shared.OfAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var machine = release.Machine(perSecond: 500);
        var sending = machine.SendAsync();
        await machine.MoreAsync(500);
        await release.HelmAsync("upgrade", "--reuse-values", "--set-string", "gateway.podAnnotations.round=2,orchestrator.podAnnotations.round=2", "--set", "tasks.threads=2");
        await machine.MoreAsync(500);
        await release.HelmAsync("rollback");
        await machine.MoreAsync(500);
        machine.Stop();
        await sending;

        await release.TableShouldHoldAsync(machine);
        foreach (var component in new[] { "gateway", "orchestrator" }) pods.Seen.Count(p => p.Component == component).ShouldBeGreaterThanOrEqualTo(3, component);
        foreach (var pod in pods.Seen) pod.ShouldBeRestricted();
    }

    [Fact(Timeout = Limit)]
    public async Task Uninstalled_in_the_middle_of_a_run_it_leaves_no_Job_and_no_pod_but_the_claims()
    {
        await using var release = await Release.InstallAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var machine = release.Machine();
        await machine.SendAsync(20_000);
        await pods.FirstAsync(p => p.Run.Length > 0 && p.Ended);
        (await release.KubectlAsync("get", "jobs", "-o", "name")).ShouldNotBeEmpty();
        await release.HelmAsync("uninstall");

        // While the orchestrator's pod ends it may still make a Job; that goes as well, for its owner is gone.
        while (pods.Seen.Where(p => !p.Gone).Select(p => p.Uid).FirstOrDefault() is { } left) await pods.FirstAsync(p => p.Uid == left && p.Gone);
        // One without a pod goes when the cluster's collector comes to it. None left is an error to kubectl.
        await release.TryKubectlAsync("wait", "--for=delete", "jobs", "--all", "--timeout=2m");
        (await release.KubectlAsync("get", "jobs,pods,services,configmaps,rolebindings", "-l", "app.kubernetes.io/part-of=leanpipe", "-o", "name")).ShouldBeEmpty();
        (await release.KubectlAsync("get", "jobs", "-o", "name")).ShouldBeEmpty();
        (await release.KubectlAsync("get", "persistentvolumeclaims", "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
    }
}
