using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

public sealed class StoredAckTests : IDisposable
{
    static readonly StreamDefinition Stored = GatewayUnderTest.Seq with { Ack = AckMode.Stored };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-stored-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task What_is_acknowledged_as_stored_is_in_the_lake_though_no_rule_would_cut_it_yet()
    {
        var options = GatewayUnderTest.Options(_folder.FullName, Stored) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = 64 }, StoredAckAfter = TimeSpan.FromMilliseconds(1) };
        await using var gateway = await GatewayUnderTest.StartAsync(options);
        using var sender = await gateway.ConnectAsync();
        for (var round = 0; round < 5; round++)
        {
            await sender.SendAsync(Sender.Line(round * 3) + "\n{\"bad\n" + Sender.Line(round * 3 + 2, "2026-01-01T11:00:00Z") + "\n");
            await sender.AcknowledgedAsync(3 * (round + 1));
            (await gateway.LinesUnderAsync("raw/")).Count.ShouldBe(2 * (round + 1));
            (await gateway.LinesUnderAsync("rejected/")).Count.ShouldBe(round + 1);
        }
    }

    [Fact]
    public async Task A_peer_that_ends_its_side_gets_its_acknowledgement_without_waiting_for_silence()
    {
        // The clock stands still, so nothing but the end of the connection can ask for the cut.
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, Stored), time: time);
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1) + "\n\n" + Sender.Line(2) + "\n");
        await sender.FinishAsync();
        sender.Acknowledged.ShouldBe(2);
        (await gateway.LinesUnderAsync("raw/")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task While_the_store_is_down_nothing_is_acknowledged_and_a_gateway_that_shuts_down_ends_the_connection()
    {
        var options = GatewayUnderTest.Options(_folder.FullName, Stored) with { DrainAtMost = TimeSpan.FromMilliseconds(200), StoredAckAfter = TimeSpan.FromMilliseconds(1) };
        var tried = new TaskCompletionSource();
        var isDead = true;
        var store = new WatchedStore(ObjectStores.Open(options.Lake), where =>
        {
            if (!isDead) return;
            tried.TrySetResult();
            throw new LakeException("lake.unavailable", "The store is down.", isTransient: true);
        });
        await using (var gateway = await GatewayUnderTest.StartAsync(options, store))
        {
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(Sender.Line(1) + "\n");
            await tried.Task.WaitAsync(GatewayUnderTest.Timeout());
            gateway.Ledger.Records.ShouldBe(1);
            await gateway.StopAsync();
            await sender.FinishAsync();
            sender.Acknowledged.ShouldBe(0);
        }

        // It was durable all the same: the next process stores it.
        isDead = false;
        await using (var gateway = await GatewayUnderTest.StartAsync(options, store))
        {
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(Sender.Line(2) + "\n");
            await sender.AcknowledgedAsync(1);
        }
        (await ObjectStoresLinesAsync(options)).ShouldBe([Sender.Line(1), Sender.Line(2)]);
    }

    static async Task<List<string>> ObjectStoresLinesAsync(LeanPipe.Gateway.GatewayOptions options)
    {
        var lake = ObjectStores.Open(options.Lake);
        var lines = new List<string>();
        await foreach (var item in lake.ListAsync("raw/", default))
            lines.AddRange(System.Text.Encoding.UTF8.GetString((await lake.GetAsync(item.Key, default))!.Value.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        return lines;
    }
}
