using System.Net.Http.Json;
using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>From a socket outside the cluster to a table on a laptop, and what a person does by hand on the way.</summary>
[Collection(nameof(InstalledChart))]
public sealed class WholePathTests(SharedRelease shared)
{
    const int Limit = 8 * 60_000;

    [Fact(Timeout = Limit)]
    public async Task Records_sent_to_the_Service_seal_a_window_and_a_Job_per_task_makes_the_table_that_a_laptop_reads()
    {
        var release = await shared.OfAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var machine = release.Machine();
        await machine.SendAsync(20_000);
        var runs = await release.TableShouldHoldAsync(machine);

        foreach (var run in runs)
        {
            var tasks = run.Steps.Sum(s => s.Tasks - (s.Reused ?? 0));
            await pods.FirstAsync(p => p.Run == run.Run.Value && p.Ended);
            pods.Seen.Count(p => p.Run == run.Run.Value).ShouldBe(tasks, run.Run.Value);
        }
        runs[0].Steps.Sum(s => s.Tasks).ShouldBeGreaterThan(5, "one task after the other would prove little");
        // Those of 'helm test' and warm ones may be left of other tests.
        string[] components = ["gateway", "orchestrator", "task"];
        components.ShouldBeSubsetOf(pods.Seen.Select(p => p.Component));
        foreach (var pod in pods.Seen) pod.ShouldBeRestricted();
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_that_Dapr_s_HTTP_API_starts_through_a_forwarded_port_makes_its_table()
    {
        var release = await shared.OfAsync(Cluster.Require());
        var machine = release.Machine();
        await machine.SendAsync(5_000);
        await release.TableShouldHoldAsync(machine);

        await release.StartAsync("totals", "by-hand", machine.Window);
        var run = await release.EndOfAsync("by-hand");
        run.Status.ShouldBe(RunStatus.Completed, run.Error?.ToString());
        (await release.LaptopAsync("SELECT readings, last FROM totals")).Trim().ShouldBe("5000,4999");
        await using var orchestrator = await release.ForwardAsync("leanpipe-orchestrator", 8080);
        using var api = new HttpClient { BaseAddress = orchestrator.Address };
        var known = await api.GetFromJsonAsync<JsonElement>("api/runs/by-hand", TestContext.Current.CancellationToken);
        known.GetProperty("status").GetString().ShouldBe("completed");
    }

    [Fact(Timeout = Limit)]
    public async Task Helm_test_finds_the_lake_fit_and_every_service_answering()
    {
        var release = await shared.OfAsync(Cluster.Require());
        await using var pods = release.WatchPods();
        var told = await release.HelmAsync("test", "--logs", "--timeout", "3m");
        told.ShouldContain("Succeeded");
        told.ShouldNotContain("FAIL");
        told.Split('\n').Count(l => l.StartsWith("ok   lake s3://", StringComparison.Ordinal)).ShouldBeGreaterThan(3, told);
        foreach (var service in new[] { "leanpipe-gateways:8080/healthz", "leanpipe-orchestrator:8080/healthz", "leanpipe-sidecar:3500/v1.0/healthz" })
            told.ShouldContain($"ok   http://{service}: 20");
        (await pods.FirstAsync(p => p.Component == "test")).ShouldBeRestricted();
    }
}
