using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

public sealed class StoreOutageTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-outage-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_dead_store_fills_the_log_and_stops_reading_and_nothing_is_dropped()
    {
        const int Frames = 20_000;
        var stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 16 * 1024, MaxUnsyncedBytes = 16 * 1024 } };
        var options = GatewayUnderTest.Options(_folder.FullName, stream) with { LogFileBytes = 16 * 1024, MaxLogBytes = 128 * 1024, Buffers = GatewayUnderTest.Tiny with { PortionBytes = 4096 } };
        var isDead = true;
        var stopped = new TaskCompletionSource();
        GatewayUnderTest? gateway = null;
        var store = new WatchedStore(ObjectStores.Open(options.Lake), where =>
        {
            if (!isDead || !where.StartsWith("before", StringComparison.Ordinal)) return;
            if (gateway?.Health is { IsReading: false } health && health.Reasons.ContainsKey("store_down")) stopped.TrySetResult();
            throw new LakeException("lake.unavailable", "The store is down.", isTransient: true);
        });
        await using (gateway = await GatewayUnderTest.StartAsync(options, store))
        {
            using var sender = await gateway.ConnectAsync();
            var sending = SendAllAsync(sender, Frames);
            await stopped.Task.WaitAsync(GatewayUnderTest.Timeout());
            gateway.Health.Reasons.Keys.ShouldContain("log_full");
            gateway.Host.Log!.Bytes.ShouldBeLessThan(options.MaxLogBytes + 3 * stream.Limits.MaxUnsyncedBytes);

            isDead = false;
            await sending;
            await sender.AcknowledgedAsync(Frames);

            // The last frames may have filled the log once more; it empties by itself.
            await gateway.Health.WhenReading.WaitAsync(GatewayUnderTest.Timeout());
            gateway.Health.Reasons.Keys.ShouldNotContain("store_down");
        }
        (await gateway.LinesUnderAsync("raw/")).SequenceEqual(Enumerable.Range(0, Frames).Select(i => Sender.Line(i))).ShouldBeTrue();
    }

    static async Task SendAllAsync(Sender sender, int frames)
    {
        foreach (var chunk in Enumerable.Range(0, frames).Chunk(500)) await sender.SendAsync(string.Concat(chunk.Select(i => Sender.Line(i) + "\n")));
    }
}
