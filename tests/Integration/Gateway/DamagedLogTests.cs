using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

/// <summary>Every batch of a log that holds records, cuts, uploads and seals is lost once, and a gateway goes on without it.</summary>
public sealed class DamagedLogTests : IDisposable
{
    static readonly StreamDefinition Stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 200 } };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-damaged-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, InlineData(ValidationMode.Before), InlineData(ValidationMode.After)]
    public async Task Whatever_batch_is_lost_no_record_is_doubled_and_none_is_lost_that_stood_elsewhere(ValidationMode mode)
    {
        var (options, all) = await FilledAsync(mode);
        var batches = Batches(Path.Combine(_folder.FullName, "image", "log")).ToList();
        batches.Count.ShouldBeGreaterThan(20);
        await Parallel.ForEachAsync(batches.Select((b, i) => (b, i)), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (item, _) =>
        {
            var folder = Path.Combine(_folder.FullName, $"{item.i}");
            TornLake.Copy(Path.Combine(_folder.FullName, "image"), folder);
            var path = Path.Combine(folder, "log", item.b.File);
            var bytes = await File.ReadAllBytesAsync(path);
            bytes[item.b.Offset + LogFormat.BatchHeaderBytes + 3] ^= 0x20;
            var lost = System.Text.Encoding.UTF8.GetString(bytes, item.b.Offset, item.b.Bytes);
            await File.WriteAllBytesAsync(path, bytes);
            await ShouldGoOnAsync(options, folder, all, lost, $"{item.b}");
        });
    }

    [Theory, InlineData(ValidationMode.Before), InlineData(ValidationMode.After)]
    public async Task Whatever_file_is_removed_or_cut_no_record_is_doubled_and_none_is_lost_that_stood_elsewhere(ValidationMode mode)
    {
        var (options, all) = await FilledAsync(mode);
        var files = Directory.GetFiles(Path.Combine(_folder.FullName, "image", "log"), "*.wal").Select(Path.GetFileName).Order().ToList();
        files.Count.ShouldBeGreaterThan(2);
        foreach (var file in files)
            foreach (var isCut in new[] { false, true })
            {
                var folder = Path.Combine(_folder.FullName, $"{file}-{isCut}");
                TornLake.Copy(Path.Combine(_folder.FullName, "image"), folder);
                var path = Path.Combine(folder, "log", file!);
                var bytes = await File.ReadAllBytesAsync(path);
                var stays = isCut ? bytes.Length / 2 : 0;
                if (isCut) await File.WriteAllBytesAsync(path, bytes[..stays]);
                else File.Delete(path);

                // What was cut within the batch that the cut goes through is lost, too.
                var from = Batches(Path.Combine(_folder.FullName, "image", "log")).Where(b => b.File == file && b.Offset <= stays).Select(b => b.Offset).LastOrDefault();
                await ShouldGoOnAsync(options, folder, all, System.Text.Encoding.UTF8.GetString(bytes, from, bytes.Length - from), $"{file} cut {isCut}");
            }
    }

    [Fact]
    public async Task An_object_whose_first_line_the_log_has_lost_is_not_written_again_from_the_others()
    {
        var options = GatewayUnderTest.Options(Path.Combine(_folder.FullName, "live"), Stream);
        var image = Path.Combine(_folder.FullName, "image");
        var copied = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var store = new WatchedStore(ObjectStores.Open(options.Lake), where =>
        {
            // The object is there, and the log does not say so yet.
            if (where != "after-put" || copied.Task.IsCompleted) return;
            TornLake.Copy(options.LogDirectory, Path.Combine(image, "log"));
            TornLake.Copy(options.Lake.Root, Path.Combine(image, "lake"));
            copied.SetResult();
        });
        var all = Enumerable.Range(0, 6).Select(i => Sender.Line(i)).ToList();
        await using (var gateway = await GatewayUnderTest.StartAsync(options, store))
        {
            using var sender = await gateway.ConnectAsync();
            for (var i = 0; i < all.Count; i++)
            {
                await sender.SendAsync(all[i] + "\n");
                await sender.AcknowledgedAsync(i + 1);
            }
            await copied.Task.WaitAsync(GatewayUnderTest.Timeout());
        }
        var log = Directory.GetFiles(Path.Combine(image, "log"), "*.wal").ShouldHaveSingleItem();
        var bytes = await File.ReadAllBytesAsync(log, TestContext.Current.CancellationToken);
        bytes[bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(all[0]))] ^= 0x20;
        await File.WriteAllBytesAsync(log, bytes, TestContext.Current.CancellationToken);
        await ShouldGoOnAsync(options, image, all, lost: "", "first line");
    }

    /// <summary>The image of a gateway's disk with two windows sealed and two open.</summary>
    /// <remarks>
    /// Taken by the committer between two batches, so that no copy of a file is older than another's. By then every frame is validated: behind a lost part those that are not count as if they were (docs/specs/log.md, Damage), and only
    /// a replay would make records of them. And the two windows were sealed before the last twenty records came, so that what the newest file loses when it is cut is of no manifest: that it was cut, nobody can tell.
    /// </remarks>
    async Task<(LeanPipe.Gateway.GatewayOptions Options, List<string> All)> FilledAsync(ValidationMode mode)
    {
        var live = Path.Combine(_folder.FullName, "live");
        var options = GatewayUnderTest.Options(live, Stream with { Validation = mode }) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = 128 }, LogFileBytes = 4096, MaxLogBytes = 1 << 20 };
        var all = new List<string>();
        await using (var gateway = await GatewayUnderTest.StartAsync(options))
        {
            var copied = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using (var sender = await gateway.ConnectAsync())
            {
                // The first record's window stays open, and with it the whole log stays in its folder.
                for (var i = 0; i < 60; i++)
                {
                    if (i == 40)
                        while (all.Skip(1).Except(await SealedAsync(gateway)).Any()) await gateway.NextPublishedAsync();
                    all.Add(Sender.Line(i, i == 0 ? "2026-01-01T13:00:00Z" : $"2026-01-01T1{i / 20}:00:00Z"));
                    await sender.SendAsync(all[^1] + "\n");
                    await sender.AcknowledgedAsync(i + 1);
                }
                await gateway.Host.Validation.ShouldNotBeNull().CatchUpAsync(GatewayUnderTest.Timeout());
                gateway.Host.Log.ShouldNotBeNull().Synced = () =>
                {
                    if (copied.Task.IsCompleted) return;
                    TornLake.Copy(options.LogDirectory, Path.Combine(_folder.FullName, "image", "log"));
                    TornLake.Copy(options.Lake.Root, Path.Combine(_folder.FullName, "image", "lake"));
                    copied.SetResult();
                };
            }

            // That the connection has ended is a batch for sure.
            await copied.Task.WaitAsync(GatewayUnderTest.Timeout());
        }
        return (options, all);
    }

    static async Task ShouldGoOnAsync(LeanPipe.Gateway.GatewayOptions options, string folder, List<string> all, string lost, string where)
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        options = options with
        {
            LogDirectory = Path.Combine(folder, "log"),
            Lake = options.Lake with { Root = Path.Combine(folder, "lake") },
            Streams = [options.Streams[0] with { SealWhenIdleFor = TimeSpan.FromMinutes(1) }],
            AcceptLogDamage = true,
        };
        TestContext.Current.TestOutputHelper?.WriteLine(where);
        await using var gateway = await GatewayUnderTest.StartAsync(options, time: time);
        time.Advance(TimeSpan.FromMinutes(1));
        var must = all.Where(line => !lost.Contains(line, StringComparison.Ordinal)).ToHashSet();
        while (true)
        {
            var seen = await SealedAsync(gateway);
            seen.Distinct().Count().ShouldBe(seen.Count, $"{where}: a record is there twice");
            seen.Except(all).ShouldBeEmpty(where);
            must.ExceptWith(seen);
            if (must.Count == 0) return;
            try
            {
                await gateway.NextPublishedAsync();
            }
            catch (OperationCanceledException)
            {
                must.ShouldBeEmpty($"{where}: lost, or not sealed: {string.Join(' ', gateway.Health.Reasons.Values)}");
            }
        }
    }

    /// <summary>What the newest manifests list.</summary>
    static async Task<List<string>> SealedAsync(GatewayUnderTest gateway)
    {
        var newest = new Dictionary<string, string>();
        await foreach (var item in gateway.Lake.ListAsync("windows/", default)) newest[item.Key[..item.Key.LastIndexOf('/')]] = item.Key;
        var lines = new List<string>();
        foreach (var key in newest.Values)
        {
            var manifest = (await gateway.Lake.GetJsonAsync(key, ContractsJson.Default.WindowManifest, default))!;
            lines.AddRange((await gateway.ReadAsync(new(manifest.Stream, manifest.Window, manifest.Revision, key))).Lines);
        }
        return lines;
    }

    static IEnumerable<(string File, int Offset, int Bytes)> Batches(string log)
    {
        foreach (var path in Directory.GetFiles(log, "*.wal").Order())
        {
            using var handle = File.OpenHandle(path);
            var reader = new LogReader(handle, 4096);
            reader.TryReadHeader(out var position, out _).ShouldBeTrue();
            for (var offset = LogFormat.FileHeaderBytes; offset < reader.Length && reader.IsBatch(offset, position + offset, out var payload);)
            {
                yield return (Path.GetFileName(path), offset, LogFormat.BatchHeaderBytes + payload);
                offset += LogFormat.BatchHeaderBytes + payload;
            }
        }
    }
}
