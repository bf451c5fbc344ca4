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

    /// <summary>The image of a gateway's disk with two windows sealed and one open.</summary>
    async Task<(LeanPipe.Gateway.GatewayOptions Options, List<string> All)> FilledAsync(ValidationMode mode)
    {
        var live = Path.Combine(_folder.FullName, "live");
        var options = GatewayUnderTest.Options(live, Stream with { Validation = mode }) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = 128 }, LogFileBytes = 4096, MaxLogBytes = 1 << 20 };
        var all = new List<string>();
        await using (var gateway = await GatewayUnderTest.StartAsync(options))
        {
            using var sender = await gateway.ConnectAsync();

            // The first record's window stays open, and with it the whole log stays in its folder.
            for (var i = 0; i < 60; i++)
            {
                all.Add(Sender.Line(i, i == 0 ? "2026-01-01T13:00:00Z" : $"2026-01-01T1{i / 20}:00:00Z"));
                await sender.SendAsync(all[^1] + "\n");
                await sender.AcknowledgedAsync(i + 1);
            }
            for (var windows = 0; windows < 2; windows++) await gateway.NextPublishedAsync();
            TornLake.Copy(options.LogDirectory, Path.Combine(_folder.FullName, "image", "log"));
            TornLake.Copy(options.Lake.Root, Path.Combine(_folder.FullName, "image", "lake"));
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
