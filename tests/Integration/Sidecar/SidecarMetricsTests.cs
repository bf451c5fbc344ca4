using System.Net;
using System.Text.RegularExpressions;
using LeanPipe.Integration.Gateway;

namespace LeanPipe.Integration.Sidecar;

public sealed class SidecarMetricsTests
{
    [Fact]
    public async Task What_waits_and_runs_stands_in_its_metrics()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        (await sidecar.Http.PostAsync("v1.0/workflows/dapr/w/start?instanceID=one", null)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await sidecar.Http.PostAsync("v1.0/workflows/dapr/w/start?instanceID=two", null)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var metrics = Exposition.Parse(await sidecar.Http.GetStringAsync("/metrics"));
        metrics["leanpipe_sidecar_workflows_running"].ShouldBe(2);
        metrics["leanpipe_sidecar_workflows_finished"].ShouldBe(0);
        metrics["leanpipe_sidecar_workers"].ShouldBe(0);
        metrics["leanpipe_sidecar_work_waiting"].ShouldBe(2);
        metrics["leanpipe_sidecar_messages_waiting"].ShouldBe(0);
        metrics["leanpipe_sidecar_healthy"].ShouldBe(1);
    }

    [Fact]
    public async Task They_are_for_who_has_the_token()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { ApiToken = "secret" });
        (await sidecar.Http.GetAsync("/metrics")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task On_a_port_of_their_own_they_need_no_token_and_nothing_else_is_there()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { ApiToken = "secret", MetricsPort = 0 });
        using var scraper = new HttpClient { BaseAddress = new($"http://127.0.0.1:{sidecar.Endpoints.MetricsPort}") };
        (await scraper.GetStringAsync("/metrics")).ShouldContain("leanpipe_sidecar_healthy 1");
        foreach (var other in new[] { "/v1.0/healthz", "/v1.0/metadata", "/metrics/", "/" }) (await scraper.GetAsync(other)).StatusCode.ShouldBe(HttpStatusCode.NotFound, other);
        scraper.DefaultRequestHeaders.Add("dapr-api-token", "secret");
        (await scraper.PostAsync("/v1.0/workflows/dapr/w/start?instanceID=one", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Every_metric_stands_in_its_page_and_the_page_names_no_other()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        var served = (await sidecar.Http.GetStringAsync("/metrics")).Split('\n').Where(l => l.StartsWith("# TYPE leanpipe_", StringComparison.Ordinal)).Select(l => l.Split(' ')[2]);
        var page = await File.ReadAllTextAsync(SourceTree.In("docs", "specs", "metrics.md"));
        Regex.Matches(page, "`(leanpipe_sidecar_[a-z_]+)`").Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal).ShouldBe(served.Order(StringComparer.Ordinal));
    }
}
