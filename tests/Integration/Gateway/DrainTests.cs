using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Lake;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Integration.Gateway;

public sealed class DrainTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-drain-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_drained_gateway_ends_its_connections_takes_no_more_and_has_everything_in_the_lake_and_sealed()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq));
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1) + "\n" + Sender.Line(2, "2026-01-01T11:00:00Z") + "\n" + "{\"half");
        using var http = new HttpClient { BaseAddress = new($"http://{gateway.Endpoints.Http}") };
        using var answer = await http.PostAsync("/v1/drain?seal=true", null, GatewayUnderTest.Timeout());
        var report = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        (report.GetProperty("bytes_left").GetInt64(), report.GetProperty("sealed").GetInt32(), report.GetProperty("open").GetInt32()).ShouldBe((0, 2, 0));

        await sender.FinishAsync();
        sender.Acknowledged.ShouldBe(2);
        foreach (var window in new[] { await gateway.NextPublishedAsync(), await gateway.NextPublishedAsync() })
            (await gateway.ReadAsync(window)).Manifest.Reason.ShouldBe("drain");
        gateway.Ledger.BytesPartial.ShouldBe(6);
        using var late = await gateway.ConnectAsync();
        await late.SendAsync(Sender.Line(3) + "\n");
        await late.EndedAsync();
        gateway.Ledger.Records.ShouldBe(2);
    }

    [Fact]
    public async Task An_orphaned_log_is_adopted_without_its_documents_and_its_gateway_may_come_back()
    {
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq) with { Id = "gateway-3", DrainAtMost = TimeSpan.FromMilliseconds(100) };
        var isDead = true;
        var store = new WatchedStore(ObjectStores.Open(options.Lake), _ =>
        {
            if (isDead) throw new LakeException("lake.unavailable", "The store is down.", isTransient: true);
        });
        await using (var gateway = await GatewayUnderTest.StartAsync(options, store))
        {
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(Sender.Line(1) + "\n{\"bad\n" + Sender.Line(2, "2026-01-01T11:00:00Z") + "\n");
            await sender.AcknowledgedAsync(3);

            // Nobody adopts a log in use.
            (await Should.ThrowAsync<LeanPipeException>(() => AdoptAsync(options))).Code.ShouldBe("gateway.log_in_use");
        }

        var events = new List<WindowSealed>();
        var adopter = new GatewayOptions { Streams = [], Lake = options.Lake, LogDirectory = options.LogDirectory };
        var report = await AdoptAsync(adopter, events);
        report.ShouldBe(new(report.Gateway, report.Streams, 0, 2, 0, 0));
        (report.Gateway, report.Streams.ShouldHaveSingleItem()).ShouldBe(("gateway-3", "seq"));
        events.Select(e => (e.Window.Value, e.Revision)).ShouldBe([("2026-01-01T10", 1), ("2026-01-01T11", 1)]);
        (await AdoptAsync(adopter, events)).Sealed.ShouldBe(0);
        events.Count.ShouldBe(2);

        isDead = false;
        await using (var gateway = await GatewayUnderTest.StartAsync(options, store))
        {
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(Sender.Line(3) + "\n" + Sender.Line(4, "2026-01-01T12:30:00Z") + "\n");
            var (manifest, lines) = await gateway.ReadAsync(await gateway.NextPublishedAsync());
            (manifest.Window.Value, manifest.Revision).ShouldBe(("2026-01-01T10", 2));
            lines.ShouldBe([Sender.Line(1), Sender.Line(3)]);
            manifest.Segments.ShouldAllBe(s => s.Key.Contains("/gateway-3-", StringComparison.Ordinal));
            await gateway.StopAsync();
            (await gateway.LinesUnderAsync("rejected/")).Count.ShouldBe(1);
            (await gateway.Lake.GetJsonAsync("ledger/seq/gateway-3.json", ContractsJson.Default.Ledger, default))!.Records.ShouldBe(4);
        }
        var ledgers = new List<string>();
        await foreach (var item in ObjectStores.Open(options.Lake).ListAsync("ledger/", default)) ledgers.Add(item.Key);
        ledgers.ShouldBe(["ledger/seq/gateway-3.json"]);
    }

    [Fact]
    public async Task A_folder_without_a_log_is_not_adopted()
    {
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq);
        (await Should.ThrowAsync<LeanPipeException>(() => AdoptAsync(options))).Code.ShouldBe("gateway.log_empty");
        Directory.Exists(options.LogDirectory).ShouldBeFalse();
    }

    static Task<DrainReport> AdoptAsync(GatewayOptions options, List<WindowSealed>? events = null) => GatewayAdoption.RunAsync(
        options,
        (json, _) =>
        {
            events?.Add(JsonSerializer.Deserialize(json.Span, ContractsJson.Default.WindowSealed)!);
            return Task.CompletedTask;
        },
        NullLogger.Instance, TimeProvider.System, GatewayUnderTest.Timeout());
}
