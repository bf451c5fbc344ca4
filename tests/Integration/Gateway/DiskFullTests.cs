namespace LeanPipe.Integration.Gateway;

/// <summary>A log on a file system of two megabytes.</summary>
public sealed class DiskFullTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-full-");
    SmallDisk? _disk;

    public void Dispose()
    {
        _disk?.Dispose();
        _folder.Delete(recursive: true);
    }

    string Disk => Path.Combine(_folder.FullName, "disk");

    [Fact]
    public async Task While_the_disk_is_full_reading_stops_and_health_says_why_and_when_there_is_room_everything_goes_on()
    {
        const int Frames = 20_000;
        _disk = SmallDisk.Mount(Disk);
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq) with
        {
            LogDirectory = Path.Combine(Disk, "log"),
            LogFileBytes = 64 * 1024,
            MaxLogBytes = 1L << 30,
            MinFreeDiskBytes = 0,
            Buffers = GatewayUnderTest.Tiny with { PortionBytes = 4096 },
        };
        await using var gateway = await GatewayUnderTest.StartAsync(options);
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(0) + "\n");
        await sender.AcknowledgedAsync(1);

        // Something else takes what is left of the disk.
        var ballast = Path.Combine(Disk, "ballast");
        await using (var file = File.Create(ballast))
        {
            var block = new byte[4096];
            try
            {
                while (true)
                {
                    await file.WriteAsync(block);
                    await file.FlushAsync();
                }
            }
            catch (IOException)
            {
                // Full.
            }
        }
        var stopped = gateway.Health.WhenStopped("disk_full");
        var sending = Task.Run(async () =>
        {
            for (var i = 1; i < Frames; i += 100) await sender.SendAsync(string.Concat(Enumerable.Range(i, Math.Min(100, Frames - i)).Select(n => Sender.Line(n) + "\n")));
        });
        await stopped.WaitAsync(GatewayUnderTest.Timeout());
        gateway.Health.IsReading.ShouldBeFalse();
        using var http = new HttpClient { BaseAddress = new($"http://{gateway.Endpoints.Http}") };
        (await http.GetAsync("/healthz")).StatusCode.ShouldBe(System.Net.HttpStatusCode.ServiceUnavailable);

        File.Delete(ballast);
        await sending;
        await sender.AcknowledgedAsync(Frames);
        await gateway.Health.WhenReading.WaitAsync(GatewayUnderTest.Timeout());
        await gateway.StopAsync();
        (await gateway.LinesUnderAsync("raw/")).SequenceEqual(Enumerable.Range(0, Frames).Select(i => Sender.Line(i))).ShouldBeTrue();
    }

    [Fact]
    public async Task A_log_that_fills_its_own_disk_stops_reading_in_time_to_be_emptied_again()
    {
        const int Frames = 60_000;
        _disk = SmallDisk.Mount(Disk);
        var stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 16 * 1024, MaxUnsyncedBytes = 32 * 1024 } };
        var options = GatewayUnderTest.Options(_folder.FullName, stream) with
        {
            LogDirectory = Path.Combine(Disk, "log"),
            LogFileBytes = 64 * 1024,
            MaxLogBytes = 1L << 30,
            MinFreeDiskBytes = 512 * 1024,
            Buffers = GatewayUnderTest.Tiny with { PortionBytes = 4096 },
        };
        var isDead = true;
        var store = new WatchedStore(LeanPipe.Lake.ObjectStores.Open(options.Lake), _ =>
        {
            if (isDead) throw new LeanPipe.Lake.LakeException("lake.unavailable", "The store is down.", isTransient: true);
        });
        await using var gateway = await GatewayUnderTest.StartAsync(options, store);
        using var sender = await gateway.ConnectAsync();
        var stopped = gateway.Health.WhenStopped("disk_low");
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Frames; i += 100) await sender.SendAsync(string.Concat(Enumerable.Range(i, 100).Select(n => Sender.Line(n) + "\n")));
        });
        await stopped.WaitAsync(GatewayUnderTest.Timeout());
        isDead = false;
        await sending;
        await sender.AcknowledgedAsync(Frames);
        gateway.Health.Reasons.Keys.ShouldNotContain("disk_full");
        await gateway.StopAsync();
        (await gateway.LinesUnderAsync("raw/")).SequenceEqual(Enumerable.Range(0, Frames).Select(i => Sender.Line(i))).ShouldBeTrue();
    }
}
