using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;
using static LeanPipe.Integration.Lake.PublishFixture;

namespace LeanPipe.Integration.Lake;

public sealed class FolderPublishSuite : PublishSuite
{
    protected override Task<TestStore> OpenAsync() => Task.FromResult(TestStore.Folder());
}

public sealed class S3PublishSuite : PublishSuite
{
    protected override Task<TestStore> OpenAsync() => TestStore.S3Async();
}

/// <summary>What a published table does, on every store.</summary>
public abstract class PublishSuite
{
    protected abstract Task<TestStore> OpenAsync();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_window_takes_the_place_of_the_same_window_and_of_no_other()
    {
        await using var at = await OpenAsync();
        var first = await PublishAsync(at.Store, Hour(10), 1, "r1", await ChunksAsync(at.Store, "10a", "10b"));
        first.ShouldBe(new(Table, 0, 20));
        (await PublishAsync(at.Store, Hour(11), 1, "r2", await ChunksAsync(at.Store, "11a"))).Version.ShouldBe(1);
        (await PublishAsync(at.Store, Hour(10), 2, "r3", await ChunksAsync(at.Store, "10c"))).Version.ShouldBe(2);
        (await SeenAsync(at.Store)).ShouldBe("10c 11a");
        await CheckAsync(at.Store);
        var old = (await DeltaTable.OpenAsync(at.Store, Table, Token, version: 0))!;
        old.Files.Count.ShouldBe(2);
        old.Columns.ShouldBe(Columns);
        (await DeltaTable.OpenAsync(at.Store, Table, Token, version: 3)).ShouldBeNull();
    }

    [Fact]
    public async Task A_repeat_commits_nothing_and_an_older_revision_is_not_published()
    {
        await using var at = await OpenAsync();
        var chunks = await ChunksAsync(at.Store, "a");
        await PublishAsync(at.Store, Hour(10), 2, "r2", chunks);
        (await PublishAsync(at.Store, Hour(10), 2, "r2", chunks)).ShouldBe(new(Table, 0, 10));
        (await PublishAsync(at.Store, Hour(10), 1, "r1", await ChunksAsync(at.Store, "late"))).ShouldBe(new(Table, 0, 0) { Superseded = true });
        (await SeenAsync(at.Store)).ShouldBe("a");
        (await PublishAsync(at.Store, Hour(10), 2, "again", await ChunksAsync(at.Store, "b"))).ShouldBe(new(Table, 1, 10));
        (await PublishAsync(at.Store, Hour(10), 2, "r2", chunks)).Version.ShouldBe(0);
        (await SeenAsync(at.Store)).ShouldBe("b");
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task Two_chunks_with_the_same_bytes_are_both_in_the_table()
    {
        await using var at = await OpenAsync();
        var chunk = (await ChunksAsync(at.Store, "same"))[0];
        await PublishAsync(at.Store, Hour(10), 1, "r1", [chunk, chunk]);
        (await SeenAsync(at.Store)).ShouldBe("same same");
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task Two_pipelines_publish_the_same_window_side_by_side_and_a_whole_table_replaces_both()
    {
        await using var at = await OpenAsync();
        await PublishAsync(at.Store, Hour(10), 1, "r1", await ChunksAsync(at.Store, "one"));
        await PublishAsync(at.Store, Hour(10), 1, "r2", await ChunksAsync(at.Store, "two"), pipeline: new("other"));
        (await SeenAsync(at.Store)).ShouldBe("one two");
        await PublishAsync(at.Store, Hour(11), 1, "r3", await ChunksAsync(at.Store, "all"), PublishMode.ReplaceTable, [new("sensor_id", "BIGINT"), new("n", "INTEGER")]);
        (await SeenAsync(at.Store)).ShouldBe("all");
        (await DeltaTable.OpenAsync(at.Store, Table, Token))!.Columns.ShouldBe([new("sensor_id", "BIGINT"), new("n", "INTEGER")]);
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task An_empty_result_empties_the_window_and_a_table_may_begin_empty()
    {
        await using var at = await OpenAsync();
        (await PublishAsync(at.Store, Hour(9), 1, "r0", [])).ShouldBe(new(Table, 0, 0));
        (await SeenAsync(at.Store)).ShouldBe("");
        await CheckAsync(at.Store);
        await PublishAsync(at.Store, Hour(10), 1, "r1", await ChunksAsync(at.Store, "a"));
        (await PublishAsync(at.Store, Hour(10), 2, "r2", [])).ShouldBe(new(Table, 2, 0));
        (await SeenAsync(at.Store)).ShouldBe("");
        (await PublishAsync(at.Store, Hour(10), 1, "r1", [])).Version.ShouldBe(1);
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task A_run_that_was_planned_earlier_and_publishes_last_does_not_replace_the_window()
    {
        await using var at = await OpenAsync();
        var planned = TimeProvider.System.GetUtcNow();
        await PublishAsync(at.Store, Hour(10), 1, "later", await ChunksAsync(at.Store, "new"), plannedAt: planned.AddSeconds(1));
        (await PublishAsync(at.Store, Hour(10), 1, "earlier", await ChunksAsync(at.Store, "old"), plannedAt: planned)).ShouldBe(new(Table, 0, 0) { Superseded = true });
        (await SeenAsync(at.Store)).ShouldBe("new");
        (await PublishAsync(at.Store, Hour(10), 2, "late-data", await ChunksAsync(at.Store, "late"), plannedAt: planned)).Version.ShouldBe(1);
        (await SeenAsync(at.Store)).ShouldBe("late");
        await CheckAsync(at.Store);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_whole_table_of_newer_data_is_not_replaced_by_a_run_over_older_data_that_publishes_last(bool readsWindow)
    {
        await using var at = await OpenAsync();
        var planned = TimeProvider.System.GetUtcNow();
        Task<PublishedTable> Publish(int hour, int revision, string run, int seconds, params string[] contents) => PublishChunksAsync(
            at.Store, contents, chunks => PublishAsync(at.Store, Hour(hour), revision, run, chunks, PublishMode.ReplaceTable, plannedAt: planned.AddSeconds(seconds), readsWindow: readsWindow));
        (await Publish(11, 1, "r11", 2, "eleven")).Superseded.ShouldBeNull();
        (await Publish(10, 1, "r10", 1, "ten")).ShouldBe(new(Table, 0, 0) { Superseded = true });
        (await SeenAsync(at.Store)).ShouldBe("eleven");
        // Late data of an older window: older than the table when windows are read; the latest run when they are not.
        (await Publish(10, 2, "r10-2", 3, "ten-late")).Superseded.ShouldBe(readsWindow ? true : null);
        (await SeenAsync(at.Store)).ShouldBe(readsWindow ? "eleven" : "ten-late");
        (await Publish(11, 2, "r11-2", 4, "eleven-late")).Superseded.ShouldBeNull();
        (await Publish(12, 1, "r12", 5, "twelve")).Superseded.ShouldBeNull();
        (await SeenAsync(at.Store)).ShouldBe("twelve");
        await CheckAsync(at.Store);
    }

    [Theory]
    [InlineData(PublishMode.ReplaceWindow, true)]
    [InlineData(PublishMode.ReplaceTable, false)]
    public async Task What_a_clock_that_was_ahead_has_published_is_replaced_when_it_is_right_again(PublishMode mode, bool readsWindow)
    {
        await using var at = await OpenAsync();
        var now = TimeProvider.System.GetUtcNow();
        await PublishAsync(at.Store, Hour(10), 1, "ahead", await ChunksAsync(at.Store, "ahead"), mode, plannedAt: now.AddYears(10), readsWindow: readsWindow);
        (await PublishAsync(at.Store, Hour(10), 1, "right", await ChunksAsync(at.Store, "right"), mode, plannedAt: now, readsWindow: readsWindow)).ShouldBe(new(Table, 1, 10));
        (await SeenAsync(at.Store)).ShouldBe("right");
        (await PublishAsync(at.Store, Hour(10), 1, "older", await ChunksAsync(at.Store, "older"), mode, plannedAt: now.AddHours(-1), readsWindow: readsWindow)).Superseded.ShouldBe(true);
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task Appended_rows_come_once_per_run_and_stay()
    {
        await using var at = await OpenAsync();
        Task<PublishedTable> Append(string run, params string[] contents) =>
            PublishChunksAsync(at.Store, contents, chunks => PublishAsync(at.Store, Hour(10), 1, run, chunks, PublishMode.Append));
        (await Append("r1", "a", "b")).ShouldBe(new(Table, 0, 20));
        (await Append("r2", "c")).Version.ShouldBe(1);
        (await Append("r1", "a", "b")).ShouldBe(new(Table, 0, 20));
        await PublishAsync(at.Store, Hour(10), 1, "w", await ChunksAsync(at.Store, "window"));
        (await SeenAsync(at.Store)).ShouldBe("a b c window");
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task A_new_column_goes_behind_the_others_and_a_missing_one_stays()
    {
        await using var at = await OpenAsync();
        await PublishAsync(at.Store, Hour(10), 1, "r1", await ChunksAsync(at.Store, "a"));
        await PublishAsync(at.Store, Hour(11), 1, "r2", await ChunksAsync(at.Store, "b"), columns: [new("kind", "ENUM('x', 'y')"), new("sensor_id", "VARCHAR")]);
        (await DeltaTable.OpenAsync(at.Store, Table, Token))!.Columns.ShouldBe([.. Columns, new("kind", "VARCHAR")]);
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task A_changed_type_is_refused_before_anything_is_written()
    {
        await using var at = await OpenAsync();
        var chunks = await ChunksAsync(at.Store, "a");
        await PublishAsync(at.Store, Hour(10), 1, "r1", chunks);
        var before = await at.Store.ListAsync("tables/", Token).ToListAsync(Token);
        var error = await Should.ThrowAsync<LakeException>(() => PublishAsync(at.Store, Hour(11), 1, "r2", chunks, columns: [new("avg_value", "VARCHAR")]));
        error.Code.ShouldBe("lake.type_change");
        error.IsTransient.ShouldBeFalse();
        error.Message.ShouldContain("CAST(\"avg_value\" AS DOUBLE)");
        (await at.Store.ListAsync("tables/", Token).ToListAsync(Token)).ShouldBe(before);
    }

    [Fact]
    public async Task Thirty_two_publishers_at_once_lose_no_commit()
    {
        await using var at = await OpenAsync();
        var chunks = new List<IReadOnlyList<Chunk>>();
        for (var n = 0; n < 32; n++) chunks.Add(await ChunksAsync(at.Store, $"w{n:D2}"));
        var published = await Task.WhenAll(chunks.Select((c, n) => Task.Run(() => PublishAsync(at.Store, Hour(n % 16), 1 + n / 16, $"r{n}", c, pipeline: new($"p{n / 16}")), Token)));
        published.Select(p => p.Version).Order().ShouldBe(Enumerable.Range(0, 32).Select(n => (long)n));
        (await SeenAsync(at.Store)).ShouldBe(string.Join(" ", Enumerable.Range(0, 32).Select(n => $"w{n:D2}")));
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task Publishers_of_many_tables_at_once_leave_a_catalog_with_all_of_them()
    {
        await using var at = await OpenAsync();
        var chunks = await ChunksAsync(at.Store, "x");
        TableName Named(int n) => new($"table-{n}");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() => PublishAsync(at.Store, Hour(n), 1, $"r{n}", chunks, table: Named(n)), Token)));
        for (var n = 0; n < 8; n++) await CheckAsync(at.Store, Named(n));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_death_at_any_write_shows_the_old_or_the_new_table_and_a_repeat_finishes_it(bool afterItsEffect)
    {
        for (var dieAt = 1; ; dieAt++)
        {
            await using var at = await OpenAsync();
            await PublishAsync(at.Store, Hour(9), 1, "r0", await ChunksAsync(at.Store, "09"));
            await PublishAsync(at.Store, Hour(10), 1, "r1", await ChunksAsync(at.Store, "10old"));
            var chunks = await ChunksAsync(at.Store, "10a", "10b");
            var torn = new TornStore(at.Store, dieAt, afterItsEffect);
            try
            {
                await PublishAsync(torn, Hour(10), 2, "r2", chunks);
            }
            catch (LakeException e) when (e.Code == "lake.test_torn")
            {
                torn.Died.ShouldBeTrue();
            }
            (await SeenAsync(at.Store)).ShouldBeOneOf("09 10old", "09 10a 10b");
            await DeltaLinter.CheckAsync(at.Store, Table);

            (await PublishAsync(at.Store, Hour(10), 2, "r2", chunks)).ShouldBe(new(Table, 2, 20));
            (await SeenAsync(at.Store)).ShouldBe("09 10a 10b");
            await CheckAsync(at.Store);
            await PublishAsync(at.Store, Hour(11), 1, "r3", await ChunksAsync(at.Store, "11"));
            (await SeenAsync(at.Store)).ShouldBe("09 10a 10b 11");
            await CheckAsync(at.Store);
            if (torn.Died) continue;
            // Two copies, the commit and the catalog's two files.
            dieAt.ShouldBe(6);
            return;
        }
    }
}
