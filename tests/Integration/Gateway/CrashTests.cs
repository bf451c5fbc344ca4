using System.Collections.Concurrent;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

/// <summary>The disk is copied between every two durable writes (each fsync of the log, before and after each object), and a gateway is started on every copy.</summary>
public sealed class CrashTests : IDisposable
{
    const int Frames = 60;

    static readonly StreamDefinition Stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 300 } };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-crash-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_crash_between_any_two_durable_writes_loses_and_doubles_nothing(bool validatesAfter)
    {
        var stream = Stream with { Validation = validatesAfter ? ValidationMode.After : ValidationMode.Before };
        var live = Path.Combine(_folder.FullName, "live");
        var options = GatewayUnderTest.Options(live, stream) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = 256 }, LogFileBytes = 4096, MaxLogBytes = 1024 * 1024 };
        var images = new ConcurrentQueue<(string Folder, long Acknowledged)>();
        Sender? sender = null;
        void Image(string where)
        {
            var target = Path.Combine(_folder.FullName, $"{images.Count:D4}-{where}");
            var acknowledged = sender?.Acknowledged ?? 0;

            // A file of the log may be removed while it is copied; then what was copied is no state that ever was.
            while (!TryCopy(options.LogDirectory, Path.Combine(target, "log")))
            {
            }
            TornLake.Copy(options.Lake.Root, Path.Combine(target, "lake"));
            images.Enqueue((target, acknowledged));
        }

        // The committer and the uploader both copy; one at a time.
        var oneAtATime = new Lock();
        await using (var gateway = await GatewayUnderTest.StartAsync(options, new WatchedStore(ObjectStores.Open(options.Lake), where => { lock (oneAtATime) Image(where); })))
        {
            gateway.Host.Log!.Synced = () => { lock (oneAtATime) Image("fsync"); };
            using (sender = await gateway.ConnectAsync())
            {
                // Two windows, a reject in every eighth frame, then a watermark beyond both, then late records of the first.
                for (var i = 0; i < Frames; i++)
                {
                    var frame = i % 8 == 7 ? $$"""{"seq":{{i}}}""" : Sender.Line(i, i >= Frames - 5 ? "2026-01-01T10:59:00Z" : i >= Frames - 10 ? "2026-01-01T13:00:00Z" : $"2026-01-01T1{i % 2}:00:00Z");
                    await sender.SendAsync(frame + "\n");
                    if (i == Frames - 6)
                        for (var windows = 0; windows < 2; windows++) await gateway.NextPublishedAsync();
                    if (i % 6 == 5) await sender.AcknowledgedAsync(i + 1);
                }
                await sender.AcknowledgedAsync(Frames);
                await sender.FinishAsync();
            }
            (await gateway.NextPublishedAsync()).Revision.ShouldBe(2);
        }

        images.Count.ShouldBeGreaterThan(50);
        await Parallel.ForEachAsync(images, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (image, _) => await ShouldRecoverAsync(stream, image.Folder, image.Acknowledged));
    }

    static async Task ShouldRecoverAsync(StreamDefinition stream, string folder, long acknowledged)
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        var options = GatewayUnderTest.Options(folder, stream with { SealWhenIdleFor = TimeSpan.FromMinutes(1) }) with { LogFileBytes = 4096, MaxLogBytes = 1024 * 1024 };
        await using var gateway = await GatewayUnderTest.StartAsync(options, time: time);
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
        await gateway.Host.Validation!.CatchUpAsync(default);
        var ledger = gateway.Ledger;
        GatewayUnderTest.ShouldBalance(ledger);
        ledger.Unvalidated.ShouldBeNull();
        ledger.Frames.ShouldBeGreaterThanOrEqualTo(acknowledged, folder);

        // Everything that no manifest lists yet becomes one, now that the stream is silent.
        time.Advance(TimeSpan.FromMinutes(1));
        var newest = new Dictionary<WindowId, WindowManifest>();
        while (newest.Values.Sum(m => m.Rows) < ledger.Records)
        {
            await foreach (var item in gateway.Lake.ListAsync("windows/seq/", default))
            {
                var manifest = (await gateway.Lake.GetJsonAsync(item.Key, ContractsJson.Default.WindowManifest, default))!;
                newest[manifest.Window] = manifest;
            }
            if (newest.Values.Sum(m => m.Rows) >= ledger.Records) break;
            await gateway.NextPublishedAsync();
        }
        await gateway.StopAsync();

        var seen = new List<string>();
        foreach (var manifest in newest.Values)
        {
            var window = new WindowSealed(manifest.Stream, manifest.Window, manifest.Revision, LakeLayout.WindowManifest(manifest.Stream, manifest.Window, manifest.Revision));
            var (_, lines) = await gateway.ReadAsync(window);
            lines.Count.ShouldBe((int)ledger.Windows[manifest.Window.Value], folder);
            seen.AddRange(lines);
        }
        seen.Distinct().Count().ShouldBe(seen.Count, $"{folder}: a record is there twice");
        seen.Count.ShouldBe((int)ledger.Records, folder);

        // Frames are taken in their order, so what is durable is the first so many of them.
        var records = Enumerable.Range(0, (int)ledger.Frames).Where(i => i % 8 != 7).ToList();
        seen.Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("seq").GetInt32()).Order().ToList().SequenceEqual(records).ShouldBeTrue(folder);
        (await gateway.LinesUnderAsync("rejected/")).Count.ShouldBe((int)ledger.Rejects.Values.Sum(), folder);
    }

    static bool TryCopy(string source, string target)
    {
        try
        {
            TornLake.Copy(source, target);
            return true;
        }
        catch (FileNotFoundException)
        {
            Directory.Delete(target, recursive: true);
            return false;
        }
    }
}
