using System.Diagnostics;
using System.Net;
using System.Text;
using LeanPipe.Lake;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Gateway;

public sealed class MetricsTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-metrics-");

    public void Dispose() => _folder.Delete(recursive: true);

    static async Task<Exposition> ReadAsync(GatewayUnderTest gateway)
    {
        using var http = new HttpClient { BaseAddress = new($"http://{gateway.Endpoints.Http}") };
        using var answer = await http.GetAsync("/metrics");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; version=0.0.4; charset=utf-8");
        return Exposition.Parse(await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task What_went_through_the_gateway_stands_in_its_metrics()
    {
        var stream = GatewayUnderTest.Seq with { Network = new() { Allow = [IPNetwork.Parse("127.0.0.1/32")] } };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream, GatewayUnderTest.Seq with { Name = new("other") }));
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1) + "\n" + Sender.Line(2) + "\nbad\n");
        await sender.AcknowledgedAsync(3);

        var metrics = await ReadAsync(gateway);
        metrics["leanpipe_gateway_records_total{stream=\"seq\"}"].ShouldBe(2);
        metrics["leanpipe_gateway_records_total{stream=\"other\"}"].ShouldBe(0);
        metrics["leanpipe_gateway_frames_total{stream=\"seq\"}"].ShouldBe(3);
        metrics["leanpipe_gateway_rejects_total{reason=\"bad_json\",stream=\"seq\"}"].ShouldBe(1);
        metrics["leanpipe_gateway_received_bytes_total{stream=\"seq\"}"].ShouldBe(gateway.Ledger.BytesReceived);
        metrics["leanpipe_gateway_framed_bytes_total{stream=\"seq\"}"].ShouldBe(gateway.Ledger.BytesFramed);
        metrics["leanpipe_gateway_rejected_bytes_total{stream=\"seq\"}"].ShouldBe(4);
        metrics["leanpipe_gateway_partial_bytes_total{stream=\"seq\"}"].ShouldBe(0);
        metrics["leanpipe_gateway_connections_total{stream=\"seq\"}"].ShouldBe(1);
        metrics["leanpipe_gateway_connections_open{stream=\"seq\"}"].ShouldBe(1);
        metrics["leanpipe_gateway_connections_closed_total{reason=\"finished\",stream=\"seq\"}"].ShouldBe(0);
        metrics["leanpipe_gateway_connections_refused_total{reason=\"not_allowed\",stream=\"seq\"}"].ShouldBe(0);
        metrics["leanpipe_gateway_open_windows{stream=\"seq\"}"].ShouldBe(1);
        metrics["leanpipe_gateway_unsynced_bytes{stream=\"seq\"}"].ShouldBe(0);
        metrics["leanpipe_gateway_oldest_unstored_seconds{stream=\"seq\"}"].ShouldBeGreaterThanOrEqualTo(0);
        metrics["leanpipe_gateway_unstored_bytes"].ShouldBeGreaterThan(0);
        metrics["leanpipe_gateway_log_bytes"].ShouldBeGreaterThan(0);
        metrics["leanpipe_gateway_reading"].ShouldBe(1);
        metrics["leanpipe_gateway_store_retries_total"].ShouldBe(0);
        metrics["leanpipe_gateway_commit_seconds_count"].ShouldBeGreaterThan(0);
        metrics.HistogramShouldHold("leanpipe_gateway_commit_seconds");
        metrics.Samples.Keys.ShouldContain(k => k.StartsWith("dotnet_", StringComparison.Ordinal));

        gateway.Health.Raise("a \"reason\"\\", "to be quoted");
        (await ReadAsync(gateway))["leanpipe_gateway_health{reason=\"a \\\"reason\\\"\\\\\"}"].ShouldBe(1);
        await sender.FinishAsync();
        // The peer sees the end before it is counted.
        const string finished = "leanpipe_gateway_connections_closed_total{reason=\"finished\",stream=\"seq\"}";
        while ((metrics = await ReadAsync(gateway))[finished] == 0) TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        metrics[finished].ShouldBe(1);
    }

    [Fact]
    public async Task A_store_that_fails_shows_as_retries_and_health_and_a_sealed_revision_is_counted()
    {
        var isDown = true;
        var retried = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var failures = 0;
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq with { SealWhenIdleFor = TimeSpan.FromMilliseconds(1) });
        var store = new WatchedStore(ObjectStores.Open(options.Lake), what =>
        {
            if (!Volatile.Read(ref isDown) || !what.StartsWith("before", StringComparison.Ordinal)) return;
            if (Interlocked.Increment(ref failures) == 2) retried.TrySetResult();
            throw new LakeException("lake.unreachable", "The store is down.", isTransient: true);
        });
        await using var gateway = await GatewayUnderTest.StartAsync(options, store);
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1) + "\n");
        await sender.AcknowledgedAsync(1);
        await retried.Task.WaitAsync(GatewayUnderTest.Timeout());
        var metrics = await ReadAsync(gateway);
        metrics["leanpipe_gateway_store_retries_total"].ShouldBeGreaterThan(0);
        metrics["leanpipe_gateway_health{reason=\"store_down\"}"].ShouldBe(1);

        Volatile.Write(ref isDown, false);
        await gateway.NextPublishedAsync();
        metrics = await ReadAsync(gateway);
        metrics["leanpipe_gateway_revisions_sealed_total{stream=\"seq\"}"].ShouldBe(1);
        metrics["leanpipe_gateway_open_windows{stream=\"seq\"}"].ShouldBe(0);
        metrics.Samples.Keys.ShouldNotContain("leanpipe_gateway_health{reason=\"store_down\"}");
    }

    [Fact]
    public async Task Every_metric_stands_in_its_page_and_the_page_names_no_other()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq));
        using var http = new HttpClient { BaseAddress = new($"http://{gateway.Endpoints.Http}") };
        var served = (await http.GetStringAsync("/metrics")).Split('\n').Where(l => l.StartsWith("# TYPE leanpipe_", StringComparison.Ordinal)).Select(l => l.Split(' ')[2]);
        var page = await File.ReadAllTextAsync(SourceTree.In("docs", "specs", "metrics.md"));
        System.Text.RegularExpressions.Regex.Matches(page, "`(leanpipe_gateway_[a-z_]+)`").Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal).ShouldBe(served.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task With_an_endpoint_for_OTLP_the_same_metrics_are_exported()
    {
        var exported = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var collector = LoopbackApp.Create();
        collector.MapPost("/v1/metrics", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            if (Encoding.UTF8.GetString(body.ToArray()).Contains("leanpipe.gateway.log_bytes", StringComparison.Ordinal)) exported.TrySetResult(body.ToArray());
            return Results.Ok();
        });
        await collector.StartAsync();

        Directory.CreateDirectory(Path.Combine(_folder.FullName, "config"));
        using var gateway = Process.Start(new ProcessStartInfo("dotnet", [
            Path.Combine(AppContext.BaseDirectory, "LeanPipe.Gateway.dll"), "--streams", Path.Combine(_folder.FullName, "config"), "--log", Path.Combine(_folder.FullName, "log"),
            "--lake", Path.Combine(_folder.FullName, "lake"), "--http", "127.0.0.1:0"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            Environment =
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Urls.First(), ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf", ["OTEL_METRIC_EXPORT_INTERVAL"] = "100",
            },
        })!;
        try
        {
            _ = gateway.StandardOutput.ReadToEndAsync();
            Encoding.UTF8.GetString(await exported.Task.WaitAsync(GatewayUnderTest.Timeout())).ShouldContain("leanpipe-gateway");
        }
        finally
        {
            gateway.Kill();
            await gateway.WaitForExitAsync(GatewayUnderTest.Timeout());
        }
    }
}
