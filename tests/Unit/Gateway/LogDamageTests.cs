using LeanPipe.Gateway;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;
using LeanPipe.Lake;

namespace LeanPipe.Unit.Gateway;

public sealed class LogDamageTests : IDisposable
{
    readonly DirectoryInfo _folder;

    /// <summary>Tens of thousands of recoveries: in memory where the system has such a folder.</summary>
    public LogDamageTests() =>
        _folder = Directory.Exists("/dev/shm") ? Directory.CreateDirectory($"/dev/shm/leanpipe-damage-{Guid.NewGuid():N}") : Directory.CreateTempSubdirectory("leanpipe-damage-");

    public void Dispose() => _folder.Delete(recursive: true);

    string Log => Path.Combine(_folder.FullName, "log");

    [Fact]
    public async Task A_log_torn_at_every_byte_of_its_last_64_KiB_has_every_batch_that_is_whole()
    {
        const int Tail = 64 * 1024;
        var ends = new List<long>();
        await using (var log = Open())
            for (var i = 0; log.End < Tail + 4096; i++)
            {
                await log.RecordAsync(new string((char)('a' + i % 26), 200 + i * 37 % 1500));
                ends.Add(log.End);
            }
        var path = Directory.GetFiles(Log, "*.wal").ShouldHaveSingleItem();
        var whole = File.ReadAllBytes(path);
        for (var to = whole.Length - 1; to >= whole.Length - Tail; to--)
        {
            // Reading back cuts the torn batch, so what stands behind the last whole one is put there again.
            var batches = ends.FindLastIndex(e => e <= to) + 1;
            var end = (int)(batches > 0 ? ends[batches - 1] : 0);
            using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
            {
                RandomAccess.Write(file, whole.AsSpan(end, to - end), end);
                RandomAccess.SetLength(file, to);
            }
            var state = new GatewayState(TimeProvider.System);
            var found = new LogRecovery(Log, state, 64).Read();
            found.Files.ForEach(f => f.Dispose());
            found.Damages.ShouldBeEmpty();
            (state.Streams[0].ToLedger("g", default).Records, found.CutBytes).ShouldBe((batches, to - end), $"torn at {to}");
        }
    }

    [Fact]
    public async Task A_flipped_bit_is_told_with_its_place_and_once_accepted_costs_nothing_but_its_own_batch()
    {
        const int Lines = 60;
        var ends = new List<long>();
        await using (var log = Open(fileBytes: 4096))
            for (var i = 0; i < Lines; i++)
            {
                await log.RecordAsync($"line {i} " + new string('x', 100));
                ends.Add(log.End);
            }
        var files = Directory.GetFiles(Log, "*.wal").Order().ToDictionary(f => f, File.ReadAllBytes);
        files.Count.ShouldBeGreaterThan(1);
        var newest = files.Keys.Max()!;
        foreach (var (path, whole) in files)
            for (var at = 0; at < whole.Length; at += 37)
            {
                foreach (var (file, bytes) in files) File.WriteAllBytes(file, bytes);
                var damaged = whole.ToArray();
                damaged[at] ^= 0x10;
                File.WriteAllBytes(path, damaged);
                var position = long.Parse(Path.GetFileNameWithoutExtension(path)) + at;
                if (position >= ends[^2] && path == newest)
                {
                    // The last batch cannot be told from a torn tail.
                    await using var torn = Open(fileBytes: 4096);
                    torn.Records.ShouldBe(Lines - 1);
                    continue;
                }
                if (path != newest && at >= whole.Length - LogFormat.ContinuedBatchBytes)
                {
                    // That another file follows is seen from that file, too.
                    await using var told = Open(fileBytes: 4096);
                    told.Records.ShouldBe(Lines);
                    continue;
                }
                var refused = Should.Throw<LogException>(() => Open(fileBytes: 4096), $"byte {at} of {path}");
                refused.Code.ShouldBe("gateway.log_damaged");
                var words = refused.Message.Split(' ');
                var from = long.Parse(words[Array.IndexOf(words, "position") + 1]);
                var bytesLost = long.Parse(words[Array.IndexOf(words, "bytes") - 1]);
                position.ShouldBeInRange(from, from + bytesLost - 1);

                var gone = System.Text.Encoding.ASCII.GetString(whole, (int)(from - position + at), (int)bytesLost);
                var lost = Enumerable.Range(0, Lines).Where(i => gone.Contains($"line {i} ", StringComparison.Ordinal)).ToList();
                lost.Count.ShouldBeLessThanOrEqualTo(1);
                List<string> lines;
                await using (var log = Open(fileBytes: 4096, accept: true))
                {
                    log.Health.Reasons.Keys.ShouldContain("log_damaged");
                    lines = log.Lines();
                    lines.ConvertAll(l => int.Parse(l.Split(' ')[1])).ShouldBe(Enumerable.Range(0, Lines).Except(lost), $"byte {at} of {path}");
                    await log.RecordAsync("line 60");
                }

                // It was accepted once; nobody is asked again.
                await using (var again = Open(fileBytes: 4096)) again.Lines().ShouldBe([.. lines, "line 60"]);
                foreach (var file in Directory.GetFiles(Log)) File.Delete(file);
            }
    }

    [Fact]
    public async Task Behind_a_missing_file_the_next_checkpoint_says_what_was_known_and_no_position_is_used_twice()
    {
        long end;
        await using (var log = Open(fileBytes: 4096))
        {
            for (var i = 0; i < 60; i++) await log.RecordAsync($"line {i} " + new string('x', 200));
            end = log.End;
        }
        var files = Directory.GetFiles(Log, "*.wal").Order().ToDictionary(f => f, File.ReadAllBytes);
        foreach (var missing in files.Keys)
        {
            foreach (var file in Directory.GetFiles(Log)) File.Delete(file);
            foreach (var (file, bytes) in files) File.WriteAllBytes(file, bytes);
            File.Delete(missing);
            Should.Throw<LogException>(() => Open(fileBytes: 4096)).Code.ShouldBe("gateway.log_damaged");
            await using (var log = Open(fileBytes: 4096, accept: true))
            {
                if (missing != files.Keys.Max()) log.Records.ShouldBe(60, missing);
                log.Lines().Count.ShouldBeInRange(60 - 4096 / 200, 59);
                log.End.ShouldBeGreaterThan(end);
                await log.RecordAsync("line 60");
            }
            await using var again = Open(fileBytes: 4096);
            again.Lines()[^1].ShouldBe("line 60");
        }
    }

    [Fact]
    public async Task A_file_with_a_part_lost_is_kept_for_a_person_when_the_log_needs_it_no_more()
    {
        await using (var log = Open(fileBytes: 4096))
            for (var i = 0; i < 60; i++) await log.RecordAsync(new string('x', 200));
        var first = Directory.GetFiles(Log, "*.wal").Order().First();
        var bytes = File.ReadAllBytes(first);
        bytes[1000] ^= 1;
        File.WriteAllBytes(first, bytes);
        await using (var log = Open(fileBytes: 4096, accept: true))
        {
            await log.CutAndStoreAsync();
            await log.TruncateAsync();
        }
        File.Exists(first).ShouldBeFalse();
        File.ReadAllBytes(Path.Combine(Log, "quarantine", Path.GetFileName(first))).ShouldBe(bytes);
        await using (var log = Open(fileBytes: 4096)) log.Health.Reasons.Keys.ShouldContain("log_damaged");
        Directory.Delete(Path.Combine(Log, "quarantine"), recursive: true);
        await using (var log = Open(fileBytes: 4096)) log.Health.Reasons.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_large_log_is_read_back_with_memory_for_one_batch()
    {
        await using (var log = Open())
            for (var i = 0; i < 64; i++) await log.RecordAsync(new string('x', 500_000));
        new FileInfo(Directory.GetFiles(Log, "*.wal").Single()).Length.ShouldBeGreaterThan(32_000_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var state = new GatewayState(TimeProvider.System);
        new LogRecovery(Log, state, 64).Read().Files.ForEach(f => f.Dispose());
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(2_000_000);
        state.Streams[0].ToLedger("g", default).Records.ShouldBe(64);
    }

    OpenLog Open(long fileBytes = 64 * 1024 * 1024, bool accept = false) => new(new()
    {
        Streams = [],
        Lake = new LakeOptions { Root = _folder.FullName },
        LogDirectory = Log,
        LogFileBytes = fileBytes,
        MaxCommitDelay = TimeSpan.Zero,
        AcceptLogDamage = accept,
    });
}
