using LeanPipe.Lake;
using LeanPipe.Tables;
using static LeanPipe.Integration.Lake.PublishFixture;

namespace LeanPipe.Integration.Lake;

public sealed class FolderCheckpointSuite : CheckpointSuite
{
    protected override Task<TestStore> OpenAsync() => Task.FromResult(TestStore.Folder());
}

public sealed class S3CheckpointSuite : CheckpointSuite
{
    protected override Task<TestStore> OpenAsync() => TestStore.S3Async();
}

/// <summary>A long log: its checkpoints, what reading costs, other times, and what stays after a clean-up.</summary>
public abstract class CheckpointSuite
{
    protected abstract Task<TestStore> OpenAsync();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_long_log_is_read_from_its_checkpoint_and_the_commits_behind_it()
    {
        await using var at = await OpenAsync();
        await PublishManyAsync(at.Store, 26);
        (await LogAsync(at.Store)).Where(n => n.Contains("checkpoint", StringComparison.Ordinal)).ShouldBe(
            ["00000000000000000010.checkpoint.parquet", "00000000000000000020.checkpoint.parquet", "_last_checkpoint"]);
        var counting = new CountingStore(at.Store);
        var table = (await DeltaTable.OpenAsync(counting, Table, Token))!;
        table.Version.ShouldBe(25);
        table.Files.Count.ShouldBe(24);
        table.Columns.ShouldBe(Columns);
        // The commits 20 to 25; the checkpoint itself is opened as a file.
        counting.Gets.ShouldBe(6);

        var whole = await ReplayedAsync(at.Store);
        table.Objects.ShouldBe(whole.Objects);
        table.Transactions.Keys.Order(StringComparer.Ordinal).ShouldBe(whole.Transactions.Keys.Order(StringComparer.Ordinal));
        table.Id.ShouldBe(whole.Id);
        table.CommittedAt.ShouldBe(whole.CommittedAt);
        (await PublishAsync(at.Store, Hour(3), 1, "r3", await ChunksAsync(at.Store, "x"))).Rows.ShouldBe(10);
        (await DeltaTable.OpenAsync(at.Store, Table, Token))!.Version.ShouldBe(25);
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task Any_version_and_any_instant_is_read_whether_a_checkpoint_lies_before_it_or_not()
    {
        await using var at = await OpenAsync();
        await PublishManyAsync(at.Store, 13);
        var times = new List<DateTimeOffset>();
        for (var version = 0; version < 13; version++)
        {
            var table = (await DeltaTable.OpenAsync(at.Store, Table, Token, version))!;
            (table.Version, table.Files.Count).ShouldBe((version, Math.Min(version + 1, 24)));
            times.Add(table.CommittedAt);
        }
        times.ShouldBe(times.Order());
        (await DeltaTable.OpenAtAsync(at.Store, Table, times[0].AddMilliseconds(-1), Token)).ShouldBeNull();
        foreach (var instant in times.Distinct())
        {
            (await DeltaTable.OpenAtAsync(at.Store, Table, instant, Token))!.Version.ShouldBe(times.LastIndexOf(instant));
            (await DeltaTable.OpenAtAsync(at.Store, Table, instant.AddTicks(1), Token))!.Version.ShouldBe(times.LastIndexOf(instant));
        }
        (await DeltaTable.OpenAtAsync(at.Store, Table, times[^1].AddYears(1), Token))!.Version.ShouldBe(12);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_death_at_any_write_around_a_checkpoint_leaves_a_table_that_is_read_and_written(bool afterItsEffect)
    {
        for (var dieAt = 1; ; dieAt++)
        {
            await using var at = await OpenAsync();
            await PublishManyAsync(at.Store, 10);
            var chunks = await ChunksAsync(at.Store, "tenth");
            var torn = new TornStore(at.Store, dieAt, afterItsEffect);
            try
            {
                await PublishAsync(torn, Hour(20), 1, "r20", chunks);
            }
            catch (LakeException e) when (e.Code == "lake.test_torn")
            {
                torn.Died.ShouldBeTrue();
            }
            (await DeltaTable.OpenAsync(at.Store, Table, Token))!.Files.Count.ShouldBeOneOf(10, 11);
            await DeltaLinter.CheckAsync(at.Store, Table);
            (await PublishAsync(at.Store, Hour(20), 1, "r20", chunks)).Version.ShouldBe(10);
            (await LogAsync(at.Store)).ShouldContain("00000000000000000010.checkpoint.parquet");
            await PublishAsync(at.Store, Hour(21), 1, "r21", await ChunksAsync(at.Store, "next"));
            await CheckAsync(at.Store);
            if (torn.Died) continue;
            // A copy, the commit, the checkpoint, _last_checkpoint and the catalog's two files.
            dieAt.ShouldBe(7);
            return;
        }
    }

    [Fact]
    public async Task A_clean_up_keeps_every_version_of_its_retention_and_the_table()
    {
        await using var at = await OpenAsync();
        await PublishManyAsync(at.Store, 34);
        var then = (await DeltaTable.OpenAsync(at.Store, Table, Token, 25))!;
        var expired = await LogRetention.ExpiredAsync(at.Store, Table, then.CommittedAt, Token);
        expired.Count.ShouldBe(21);
        // Cut short after any deletion, the table and every version that shall stay are still there.
        for (var done = 0; done < expired.Count; done++)
        {
            await at.Store.DeleteAsync(expired[done].Key, Token);
            if (done % 7 == 3) await DeltaLinter.CheckAsync(at.Store, Table);
        }
        (await LogAsync(at.Store))[0].ShouldBe("00000000000000000020.checkpoint.parquet");
        (await DeltaTable.OpenAsync(at.Store, Table, Token))!.Files.Count.ShouldBe(24);
        (await DeltaTable.OpenAsync(at.Store, Table, Token, 25))!.Objects.ShouldBe(then.Objects);
        (await DeltaTable.OpenAtAsync(at.Store, Table, then.CommittedAt, Token))!.Version.ShouldBe(25);
        var gone = await Should.ThrowAsync<LakeException>(() => DeltaTable.OpenAsync(at.Store, Table, Token, 19));
        gone.Code.ShouldBe("lake.version_gone");
        gone.Message.ShouldContain("version 20");
        (await Should.ThrowAsync<LakeException>(() => DeltaTable.OpenAtAsync(at.Store, Table, DateTimeOffset.UnixEpoch, Token))).Code.ShouldBe("lake.version_gone");
        (await PublishAsync(at.Store, Hour(1), 9, "late", await ChunksAsync(at.Store, "late"))).Version.ShouldBe(34);
        (await LogRetention.ExpiredAsync(at.Store, Table, then.CommittedAt, Token)).ShouldBeEmpty();
        await CheckAsync(at.Store);
    }

    /// <summary>Twenty-four hours, then each again: from version 24 on a publish replaces a file.</summary>
    static async Task PublishManyAsync(IObjectStore store, int versions)
    {
        for (var n = 0; n < versions; n++)
            (await PublishAsync(store, Hour(n % 24), 1 + n / 24, $"r{n}", await ChunksAsync(store, $"c{n}"))).Version.ShouldBe(n);
    }

    static async Task<List<string>> LogAsync(IObjectStore store) =>
        [.. (await store.ListAsync(LakeLayout.TableLog(Table), Token).ToListAsync(Token)).Select(o => o.Key[LakeLayout.TableLog(Table).Length..])];

    static async Task<DeltaTable> ReplayedAsync(IObjectStore store)
    {
        var folder = Directory.CreateTempSubdirectory("leanpipe-replay-");
        try
        {
            var copy = ObjectStores.Open(new() { Root = folder.FullName });
            await foreach (var item in store.ListAsync(LakeLayout.TableLog(Table), Token))
                if (item.Key.EndsWith(".json", StringComparison.Ordinal)) await copy.PutAsync(item.Key, (await store.GetAsync(item.Key, Token))!.Value, Token);
            return (await DeltaTable.OpenAsync(copy, Table, Token))!;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
