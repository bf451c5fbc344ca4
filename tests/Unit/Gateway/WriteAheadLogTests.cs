using LeanPipe.Gateway;
using LeanPipe.Gateway.Log;
using LeanPipe.Lake;

namespace LeanPipe.Unit.Gateway;

public sealed class WriteAheadLogTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-log-");

    public void Dispose() => _folder.Delete(recursive: true);

    string Log => Path.Combine(_folder.FullName, "log");

    [Fact]
    public async Task A_tail_torn_at_any_byte_is_cut_at_the_last_whole_batch_and_the_log_goes_on()
    {
        var (whole, lastBatchAt) = await WriteBatchesAsync(3);
        for (var length = lastBatchAt; length < whole.Length; length++)
        {
            Replace(whole[..length]);
            await using (var log = Open())
            {
                log.Records.ShouldBe(2);
                await log.RecordAsync("again");
            }
            await using var reopened = Open();
            reopened.Records.ShouldBe(3);
        }
    }

    [Fact]
    public async Task A_flipped_bit_before_the_last_batch_is_refused_and_one_in_the_last_batch_is_a_torn_tail()
    {
        var (whole, lastBatchAt) = await WriteBatchesAsync(3);
        for (var at = 0; at < whole.Length; at++)
        {
            var damaged = whole.ToArray();
            damaged[at] ^= 0x10;
            Replace(damaged);
            if (at < lastBatchAt) Should.Throw<LogException>(() => Open(), $"byte {at}").Code.ShouldStartWith("gateway.log_");
            else
            {
                await using var log = Open();
                log.Records.ShouldBe(2);
            }
        }
    }

    [Fact]
    public async Task A_file_whose_making_was_torn_at_any_byte_is_made_again()
    {
        await using (Open())
        {
        }
        var fresh = File.ReadAllBytes(TheFile());
        for (var length = 0; length < fresh.Length - 1; length++)
        {
            // The stream's declaration is the second batch; all before it is the making of the file.
            Replace(fresh[..length]);
            await using var log = Open();
            await log.RecordAsync("first");
            log.Records.ShouldBe(1);
        }
    }

    [Fact]
    public async Task What_a_checkpoint_keeps_is_what_the_removed_files_said()
    {
        string before;
        await using (var log = Open(fileBytes: 4096))
        {
            for (var i = 0; i < 60; i++) await log.RecordAsync(new string('x', 100), lane: i % 3);
            await log.CutAndStoreAsync();
            await log.SealAsync(lane: 0);
            for (var i = 0; i < 60; i++) await log.RecordAsync(new string('y', 100), lane: i % 3);
            await log.TruncateAsync();
            before = log.Checkpoint();
        }
        Directory.GetFiles(Log, "*.wal").Order().First().ShouldNotEndWith(LogFormat.FileName(0));
        await using var reopened = Open(fileBytes: 4096);
        reopened.Checkpoint().ShouldBe(before);
        reopened.Records.ShouldBe(120);
        reopened.Uncut.ShouldBe(60);
    }

    [Fact]
    public async Task A_truncation_spares_what_came_after_it_was_decided()
    {
        await using var log = Open(fileBytes: 4096);
        for (var i = 0; i < 60; i++) await log.RecordAsync(new string('x', 100));
        await log.CutAndStoreAsync();
        var needed = log.NeededFrom;
        for (var i = 0; i < 60; i++) await log.RecordAsync(new string('y', 100));
        await log.TruncateAsync(needed);
        log.Lines().ShouldBe(Enumerable.Repeat(new string('y', 100), 60));
        await log.CutAndStoreAsync();
        await log.TruncateAsync();
        Directory.GetFiles(Log, "*.wal").Length.ShouldBe(1, "nothing is needed any more");
    }

    [Fact]
    public async Task A_batch_that_is_written_while_files_are_being_removed_goes_to_the_newest_file()
    {
        await using (var log = Open(fileBytes: 4096))
        {
            for (var i = 0; i < 60; i++) await log.RecordAsync(new string('x', 100));
            await log.CutAndStoreAsync();
            log.RecordWhileFilesAreRemoved("meanwhile");
            await log.TruncateAsync();
            await log.RecordedMeanwhile.ShouldNotBeNull();
            log.Lines().ShouldBe(["meanwhile"]);
        }
        await using var reopened = Open(fileBytes: 4096);
        reopened.Lines().ShouldBe(["meanwhile"]);
    }

    [Fact]
    public async Task Files_that_are_removed_while_others_are_begun_mix_nothing_up()
    {
        await using var log = Open(fileBytes: 4096);
        var filler = new string('x', 4096);
        using var ended = new CancellationTokenSource();
        var truncating = Task.Run(async () =>
        {
            while (!ended.IsCancellationRequested) await log.TruncateAsync();
        });
        for (var i = 0; i < 300; i++)
        {
            await log.RecordAsync($"{i} {filler}");
            log.Lines().ShouldBe([$"{i} {filler}"]);
            await log.CutAndStoreAsync();
        }
        await ended.CancelAsync();
        await truncating;
    }

    [Fact]
    public async Task A_missing_file_is_refused_wherever_it_is_missing()
    {
        await using (var log = Open(fileBytes: 4096))
            for (var i = 0; i < 120; i++) await log.RecordAsync(new string('x', 100));
        var files = Directory.GetFiles(Log, "*.wal").Order().ToList();
        files.Count.ShouldBeGreaterThan(3);
        foreach (var missing in files)
        {
            File.Move(missing, missing + ".away");
            Should.Throw<LogException>(() => Open(fileBytes: 4096)).Code.ShouldBe("gateway.log_damaged");
            File.Move(missing + ".away", missing);
        }
        await using var whole = Open(fileBytes: 4096);
        whole.Records.ShouldBe(120);
    }

    [Fact]
    public async Task Two_gateways_cannot_share_a_folder()
    {
        await using var log = Open();
        Should.Throw<LogException>(() => Open()).Code.ShouldBe("gateway.log_in_use");
    }

    [Fact]
    public void The_checksum_is_CRC_32C() => Crc32C.Compute("123456789"u8).ShouldBe(0xE3069283u);

    async Task<(byte[] Bytes, int LastBatchAt)> WriteBatchesAsync(int count)
    {
        long lastBatchAt = 0;
        await using (var log = Open())
            for (var i = 0; i < count; i++)
            {
                lastBatchAt = log.End;
                await log.RecordAsync($"line {i}");
            }
        return (File.ReadAllBytes(TheFile()), (int)lastBatchAt);
    }

    string TheFile() => Directory.GetFiles(Log, "*.wal").ShouldHaveSingleItem();

    void Replace(byte[] bytes)
    {
        foreach (var file in Directory.GetFiles(Log, "*.wal")) File.Delete(file);
        File.WriteAllBytes(Path.Combine(Log, LogFormat.FileName(0)), bytes);
    }

    OpenLog Open(long fileBytes = 64 * 1024 * 1024) => new(new()
    {
        Streams = [],
        Lake = new LakeOptions { Root = _folder.FullName },
        LogDirectory = Log,
        LogFileBytes = fileBytes,
        MaxCommitDelay = TimeSpan.Zero,
    });
}
