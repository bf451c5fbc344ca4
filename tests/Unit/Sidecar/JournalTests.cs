using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Unit.Sidecar;

public sealed class JournalTests : IDisposable
{
    const long NeverCompact = long.MaxValue / 4;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-journal-");

    string File => Path.Combine(_folder.FullName, "journal");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task What_is_durable_is_there_after_a_reopen()
    {
        await WriteAsync(3);
        (await ReadAsync()).ShouldBe(["i0", "i1", "i2"]);
    }

    [Fact]
    public async Task Torn_at_each_byte_of_the_last_transaction_the_ones_before_stay_and_writing_goes_on()
    {
        await WriteAsync(2);
        var two = new FileInfo(File).Length;
        await WriteAsync(1, from: 2);
        var whole = await System.IO.File.ReadAllBytesAsync(File);

        for (var cut = two; cut < whole.Length; cut++)
        {
            await System.IO.File.WriteAllBytesAsync(File, whole[..(int)cut]);
            (await ReadAsync()).ShouldBe(["i0", "i1"], $"cut at {cut}");
            new FileInfo(File).Length.ShouldBe(two);
            await WriteAsync(1, from: 7);
            (await ReadAsync()).ShouldBe(["i0", "i1", "i7"], $"cut at {cut}");
        }
    }

    [Fact]
    public async Task A_last_transaction_of_zeros_is_cut()
    {
        await WriteAsync(1);
        var one = new FileInfo(File).Length;
        await WriteAsync(1, from: 1);
        var whole = await System.IO.File.ReadAllBytesAsync(File);
        whole.AsSpan((int)one).Clear();
        await System.IO.File.WriteAllBytesAsync(File, whole);
        (await ReadAsync()).ShouldBe(["i0"]);
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_before_the_last_transaction_is_refused_and_the_file_left_alone()
    {
        await WriteAsync(2);
        var two = (int)new FileInfo(File).Length;
        await WriteAsync(1, from: 2);
        var whole = await System.IO.File.ReadAllBytesAsync(File);

        for (var bit = 0; bit < two * 8; bit++)
        {
            var damaged = whole.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            await System.IO.File.WriteAllBytesAsync(File, damaged);
            var e = await Should.ThrowAsync<LeanPipeException>(ReadAsync());
            e.Code.ShouldBe("sidecar.journal_damaged", $"bit {bit}");
            (await System.IO.File.ReadAllBytesAsync(File)).ShouldBe(damaged);
        }
    }

    [Fact]
    public async Task A_damaged_snapshot_is_refused_even_when_nothing_follows_it()
    {
        await using (var store = await StoreAsync(compactAtBytes: 1))
        {
            for (var i = 0; i < 5; i++)
                await CommitAsync(store, $"i{i}");
        }

        var whole = await System.IO.File.ReadAllBytesAsync(File);
        whole[^1] ^= 1;
        for (var length = JournalFile.HeaderBytes; length < whole.Length; length += 7)
        {
            await System.IO.File.WriteAllBytesAsync(File, whole[..length]);
            if (length < JournalFile.HeaderBytes + BitConverter.ToInt64(whole, 8))
                (await Should.ThrowAsync<LeanPipeException>(ReadAsync())).Code.ShouldBe("sidecar.journal_damaged");
        }
    }

    [Fact]
    public async Task Compaction_keeps_the_state_and_bounds_the_file()
    {
        await using (var store = await StoreAsync(compactAtBytes: 2000))
        {
            await CommitAsync(store, "kept");
            for (var i = 0; i < 2000; i++)
            {
                await CommitAsync(store, "again");
                await CommitAsync(store, new InstanceChange { InstanceId = "again", Purge = true });
            }
        }

        new FileInfo(File).Length.ShouldBeLessThan(20_000);
        (await ReadAsync()).ShouldBe(["kept"]);
    }

    [Fact]
    public async Task A_compaction_that_did_not_get_its_name_is_ignored()
    {
        await WriteAsync(2);
        await System.IO.File.WriteAllTextAsync(File + ".new", "half a snapshot");
        (await ReadAsync()).ShouldBe(["i0", "i1"]);
        System.IO.File.Exists(File + ".new").ShouldBeFalse("on a full disk its bytes are missed");
    }

    [Fact]
    public async Task A_journal_whose_sidecar_is_restarted_before_each_compaction_is_compacted_all_the_same()
    {
        for (var life = 0; life < 60; life++)
        {
            await using var store = await StoreAsync(compactAtBytes: 2000);
            for (var i = 0; i < 20; i++)
            {
                await CommitAsync(store, "again");
                await CommitAsync(store, new InstanceChange { InstanceId = "again", Purge = true });
            }
        }

        new FileInfo(File).Length.ShouldBeLessThan(20_000);
    }

    [Fact]
    public async Task Many_at_once_share_flushes_and_are_all_there()
    {
        await using (var store = await StoreAsync())
            await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Task.Run(() => CommitAsync(store, $"i{i}"))));
        (await ReadAsync()).Count.ShouldBe(500);
    }

    [Fact]
    public async Task However_much_waits_a_frame_stays_small_enough_to_be_one_array()
    {
        const int Megabyte = 1024 * 1024;
        await using (var store = await StoreAsync())
        {
            await Task.WhenAll(Enumerable.Range(0, 48).Select(i => CommitAsync(store, new InstanceChange
            {
                InstanceId = $"i{i}",
                Reset = true,
                InboxAdded = { new HistoryEvent { EventRaised = new EventRaisedEvent { Name = "e", Input = new string('x', Megabyte) } } },
            })));
        }

        var bytes = await System.IO.File.ReadAllBytesAsync(File);
        for (var at = JournalFile.HeaderBytes; at < bytes.Length;)
        {
            var frame = JournalFile.FramePrefixBytes + BitConverter.ToInt32(bytes, at + 4);
            frame.ShouldBeLessThan(18 * Megabyte);
            at += frame;
        }

        (await ReadAsync()).Count.ShouldBe(48);
    }

    [Fact]
    public async Task Transactions_longer_than_the_readers_window_are_read_and_damage_in_front_of_them_is_seen()
    {
        const int Megabyte = 1024 * 1024;
        await using (var store = await StoreAsync())
        {
            foreach (var (id, length) in new[] { ("small", 1), ("large", (3 * Megabyte) + 7), ("end", 1) })
                await CommitAsync(store, new InstanceChange { InstanceId = id, Reset = true, InboxAdded = { new HistoryEvent { EventRaised = new EventRaisedEvent { Name = "e", Input = new string('x', length) } } } });
        }

        (await ReadAsync()).ShouldBe(["small", "large", "end"], ignoreOrder: true);
        var whole = await System.IO.File.ReadAllBytesAsync(File);
        // In the large one, so that the whole one behind it is beyond the window in which the search begins.
        whole[JournalFile.HeaderBytes + 200] ^= 1;
        await System.IO.File.WriteAllBytesAsync(File, whole);
        (await Should.ThrowAsync<LeanPipeException>(ReadAsync())).Message.ShouldContain("but whole ones follow at byte");
        whole[JournalFile.HeaderBytes + 200] ^= 1;
        await System.IO.File.WriteAllBytesAsync(File, whole[..^1_000_000]);
        (await ReadAsync()).ShouldBe(["small"]);
    }

    [Fact]
    public async Task A_journal_is_read_beyond_two_gigabytes()
    {
        await WriteAsync(2);
        var two = new FileInfo(File).Length;
        // A hole: zeros, as a power cut leaves them where the length was durable before the bytes.
        using (var file = System.IO.File.OpenHandle(File, FileMode.Open, FileAccess.Write))
            RandomAccess.SetLength(file, int.MaxValue + 1000L);
        (await ReadAsync()).ShouldBe(["i0", "i1"]);
        new FileInfo(File).Length.ShouldBe(two);
    }

    [Fact]
    public async Task A_second_sidecar_on_the_same_state_is_refused()
    {
        await using var store = await StoreAsync();
        (await Should.ThrowAsync<LeanPipeException>(StoreAsync())).Code.ShouldBe("sidecar.state_in_use");
    }

    [Fact]
    public async Task Message_ids_are_not_used_twice_after_compaction_and_reopen()
    {
        await using (var store = await StoreAsync(compactAtBytes: 1))
        {
            long id;
            Task durable;
            lock (store.Gate)
            {
                id = store.NextMessageId();
                durable = Commit(store, new Transaction { Messages = { new MessageChange { Id = id, Topic = "t" } } });
                durable = Commit(store, new Transaction { Messages = { new MessageChange { Id = id, Removed = true } } });
            }

            id.ShouldBe(1);
            await durable;
        }

        await using var again = await StoreAsync();
        again.Messages.ShouldBeEmpty();
        again.NextMessageId().ShouldBe(2);
    }

    async Task<StateStore> StoreAsync(long compactAtBytes = NeverCompact)
    {
        var store = new StateStore();
        await Task.Run(() => store.Open(_folder.FullName, compactAtBytes));
        return store;
    }

    async Task WriteAsync(int count, int from = 0)
    {
        await using var store = await StoreAsync();
        for (var i = from; i < from + count; i++)
            await CommitAsync(store, $"i{i}");
    }

    async Task<List<string>> ReadAsync()
    {
        await using var store = await StoreAsync();
        return [.. store.Instances.Keys.Order(StringComparer.Ordinal)];
    }

    static Task CommitAsync(StateStore store, string id) => CommitAsync(store, new InstanceChange
    {
        InstanceId = id,
        Reset = true,
        InboxAdded = { new HistoryEvent { EventId = -1, EventRaised = new EventRaisedEvent { Name = "e" } } },
    });

    static Task CommitAsync(StateStore store, InstanceChange change)
    {
        lock (store.Gate)
            return Commit(store, new Transaction { Instances = { change } });
    }

    static Task Commit(StateStore store, Transaction transaction)
    {
        foreach (var change in transaction.Instances)
            store.Apply(change);
        foreach (var change in transaction.Messages)
            store.Apply(change);
        return store.Commit(transaction);
    }
}
