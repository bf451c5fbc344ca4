using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;
using static LeanPipe.Integration.Lake.PublishFixture;
using static LeanPipe.Integration.Lake.RealRows;

namespace LeanPipe.Integration.Lake;

public sealed class FolderRewriteSuite : RewriteSuite
{
    protected override Task<TestStore> OpenAsync() => Task.FromResult(TestStore.Folder());
}

public sealed class S3RewriteSuite : RewriteSuite
{
    protected override Task<TestStore> OpenAsync() => TestStore.S3Async();
}

/// <summary>Merges by key and compactions, over real rows.</summary>
public abstract class RewriteSuite
{
    const string All = "SELECT * FROM t ORDER BY ALL";

    static readonly CompactionOptions Now = new() { MinFiles = 2, SettledAfter = TimeSpan.Zero };

    protected abstract Task<TestStore> OpenAsync();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_row_takes_the_place_of_the_row_with_its_key_and_only_its_file_is_written_anew()
    {
        await using var at = await OpenAsync();
        await MergeAsync(at.Store, 10, "(1, 'a'), (2, 'b')");
        await MergeAsync(at.Store, 11, "(7, 'g'), (9, 'i')");
        var untouched = (await DeltaTable.OpenAsync(at.Store, Table, Token))!.Files.Single(f => f.Window == Hour(11).Value);
        (await MergeAsync(at.Store, 12, "(2, 'B'), (3, 'C')")).ShouldBe(new(Table, 2, 2));
        (await RowsAsync(at.Store, All)).ShouldBe("1 a/2 B/3 C/7 g/9 i");
        (await DeltaTable.OpenAsync(at.Store, Table, Token))!.Files.ShouldContain(f => f.Key == untouched.Key);
        (await RowsAsync(at.Store, All, version: 1)).ShouldBe("1 a/2 b/7 g/9 i");
        (await MergeAsync(at.Store, 12, "(2, 'B'), (3, 'C')")).ShouldBe(new(Table, 2, 2));
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task The_newer_datas_rows_stay_in_whatever_order_runs_merge()
    {
        await using var at = await OpenAsync();
        await MergeAsync(at.Store, 12, "(1, '12'), (2, '12')");
        await MergeAsync(at.Store, 11, "(2, '11'), (3, '11')");
        await MergeAsync(at.Store, 10, "(1, '10')");
        (await RowsAsync(at.Store, All)).ShouldBe("1 12/2 12/3 11");
        // A later revision of the window in the middle.
        await MergeAsync(at.Store, 11, "(2, '11b'), (3, '11b'), (4, '11b')", revision: 2);
        (await MergeAsync(at.Store, 11, "(5, 'stale')", run: "stale")).Superseded.ShouldBe(true);
        (await RowsAsync(at.Store, All)).ShouldBe("1 12/2 12/3 11b/4 11b");
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task Rows_of_a_clock_that_was_ahead_give_way_when_it_is_right_again()
    {
        await using var at = await OpenAsync();
        var now = TimeProvider.System.GetUtcNow();
        foreach (var (run, planned) in new[] { ("ahead", now.AddYears(10)), ("right", now), ("older", now.AddHours(-1)) })
            await PublishSqlAsync(at.Store, Hour(10), $"SELECT 1 AS id, '{run}' AS name", mode: PublishMode.Merge, key: ["id"], run: run, plannedAt: planned);
        (await RowsAsync(at.Store, All)).ShouldBe("1 right");
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task A_merge_adds_columns_and_keeps_those_that_it_lacks()
    {
        await using var at = await OpenAsync();
        await PublishSqlAsync(at.Store, Hour(10), "SELECT * FROM (VALUES (1, 'a', 1.5), (2, 'b', 2.5)) v(id, name, x)", mode: PublishMode.Merge, key: ["id"]);
        await PublishSqlAsync(at.Store, Hour(11), "SELECT 2 AS id, DATE '2026-01-01' AS day", mode: PublishMode.Merge, key: ["id"]);
        (await RowsAsync(at.Store, "SELECT id, name, x, strftime(day, '%Y') FROM t ORDER BY id")).ShouldBe("1 a 1.5 -/2 - - 2026");
        await CheckAsync(at.Store);
    }

    [Theory]
    [InlineData("SELECT 1 AS id, 'a' AS name UNION ALL SELECT 1, 'b'", "id", "1 keys (id) come more than once")]
    [InlineData("SELECT NULL::INTEGER AS id, 'a' AS name", "id", "1 rows have no value in the key (id)")]
    [InlineData("SELECT 1 AS id, 'a' AS name", "nr", "the key 'nr' is no plain column")]
    public async Task A_key_that_does_not_tell_rows_apart_is_refused_before_anything_is_written(string sql, string key, string named)
    {
        await using var at = await OpenAsync();
        await MergeAsync(at.Store, 10, "(1, 'a')");
        var before = await at.Store.ListAsync("tables/", Token).ToListAsync(Token);
        var error = await Should.ThrowAsync<LakeException>(() => PublishSqlAsync(at.Store, Hour(11), sql, mode: PublishMode.Merge, key: [key]));
        (error.Code, error.IsTransient).ShouldBe(("lake.merge_key", false));
        error.Message.ShouldContain(named);
        (await at.Store.ListAsync("tables/", Token).ToListAsync(Token)).ShouldBe(before);
    }

    [Fact]
    public async Task Merges_at_once_lose_no_row()
    {
        await using var at = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(n => Task.Run(() => MergeAsync(at.Store, 10 + n, $"({n}, 'own'), (100, '{n}')"), Token)));
        (await RowsAsync(at.Store, All)).ShouldBe("0 own/1 own/2 own/3 own/4 own/5 own/100 5");
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task A_compaction_makes_few_files_of_many_and_changes_no_row()
    {
        await using var at = await OpenAsync();
        for (var n = 0; n < 5; n++) await PublishSqlAsync(at.Store, Hour(n), $"SELECT {n} AS id, {{'a': {n}, 'b': {{'c': 'x{n}'}}}} AS s", mode: PublishMode.Append, run: $"a{n}");
        await PublishSqlAsync(at.Store, Hour(9), "SELECT 9 AS id");
        var before = await RowsAsync(at.Store, All);
        (await TableCompaction.RunAsync(at.Store, Table, Now, new(), TimeProvider.System, Token)).ShouldBe(new(6, 5, 1, 5));
        (await RowsAsync(at.Store, All)).ShouldBe(before);
        (await DeltaTable.OpenAsync(at.Store, Table, Token))!.RowsByWindow.ShouldBe(new SortedDictionary<string, long>(StringComparer.Ordinal) { [""] = 5, [Hour(9).Value] = 1 });
        (await TableCompaction.RunAsync(at.Store, Table, Now, new(), TimeProvider.System, Token)).Version.ShouldBeNull();
        await CheckAsync(at.Store);
        var history = await TableHistory.ReadAsync(at.Store, Table, Token);
        history.Select(v => (v.RowsAdded, v.RowsRemoved, v.DataChange)).ShouldBe([(1, 0, true), (1, 0, true), (1, 0, true), (1, 0, true), (1, 0, true), (1, 0, true), (5, 5, false)]);
        history[5].Publish.ShouldBe(new(Pipeline, Hour(9), 1, new($"{Hour(9)}-r1")));
        history[6].Rows.ShouldBe(6);
    }

    [Fact]
    public async Task Rows_of_a_run_that_is_repeated_after_its_txn_has_gone_are_not_added_twice()
    {
        await using var at = await OpenAsync();
        var day = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await AppendAsync("old", day, day);
        // Eleven commits later, a month on, a checkpoint leaves its txn out.
        for (var n = 0; n < 11; n++) await AppendAsync($"r{n}", day.AddDays(31).AddHours(n), day.AddDays(31).AddHours(n));
        (await DeltaTable.OpenAsync(at.Store, Table, Token))!.Transactions.Keys.ShouldNotContain(k => k.EndsWith("/old", StringComparison.Ordinal));

        var error = await Should.ThrowAsync<LakeException>(() => AppendAsync("old", day, day.AddDays(32)));
        (error.Code, error.IsTransient).ShouldBe(("lake.append_untold", false));
        error.Message.ShouldContain("'old' was planned on 2026-01-01");
        (await RowsAsync(at.Store, "SELECT count(*) FROM t")).ShouldBe("12");
        // A repeat within the month is told, and a run that was planned within it goes on.
        await AppendAsync("r0", day.AddDays(31), day.AddDays(59));
        (await RowsAsync(at.Store, "SELECT count(*) FROM t")).ShouldBe("12");
        await AppendAsync("late", day.AddDays(31), day.AddDays(59));
        (await RowsAsync(at.Store, "SELECT count(*) FROM t")).ShouldBe("13");
        await CheckAsync(at.Store);

        Task<PublishedTable> AppendAsync(string run, DateTimeOffset plannedAt, DateTimeOffset now) =>
            PublishSqlAsync(at.Store, Hour(10), $"SELECT '{run}' AS run", mode: PublishMode.Append, run: run, plannedAt: plannedAt, time: new Housekeeping.SetTime(now));
    }

    [Fact]
    public async Task A_window_that_was_compacted_is_still_replaced_as_a_whole()
    {
        await using var at = await OpenAsync();
        var chunks = new List<Chunk>();
        await PublishSqlAsync(at.Store, Hour(10), "SELECT 1 AS id");
        await PublishSqlAsync(at.Store, Hour(11), "SELECT 2 AS id");
        var table = (await DeltaTable.OpenAsync(at.Store, Table, Token))!;
        foreach (var file in table.Files) chunks.Add(new(new(file.Key, file.Bytes, file.Rows, file.Sha256!)));
        await PublishAsync(at.Store, Hour(12), 1, "two", chunks, columns: table.Columns);
        (await TableCompaction.RunAsync(at.Store, Table, Now, new(), TimeProvider.System, Token)).ShouldBe(new(3, 2, 1, 2));
        (await RowsAsync(at.Store, All)).ShouldBe("1/1/2/2");
        await PublishSqlAsync(at.Store, Hour(12), "SELECT 12 AS id", revision: 2);
        (await RowsAsync(at.Store, All)).ShouldBe("1/2/12");
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task A_compaction_beside_publishers_loses_neither()
    {
        await using var at = await OpenAsync();
        for (var n = 0; n < 4; n++) await PublishSqlAsync(at.Store, Hour(n), $"SELECT {n} AS id", mode: PublishMode.Append, run: $"a{n}");
        var publishers = Enumerable.Range(4, 4).Select(n => Task.Run(() => PublishSqlAsync(at.Store, Hour(n), $"SELECT {n} AS id", mode: PublishMode.Append, run: $"a{n}"), Token));
        var compaction = Task.Run(() => TableCompaction.RunAsync(at.Store, Table, Now, new(), TimeProvider.System, Token), Token);
        await Task.WhenAll([.. publishers, compaction]);
        (await RowsAsync(at.Store, All)).ShouldBe("0/1/2/3/4/5/6/7");
        await CheckAsync(at.Store);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_death_at_any_write_of_a_merge_shows_the_old_or_the_new_rows(bool afterItsEffect)
    {
        for (var dieAt = 1; ; dieAt++)
        {
            await using var at = await OpenAsync();
            await MergeAsync(at.Store, 10, "(1, 'a'), (2, 'b')");
            var torn = new TornStore(at.Store, dieAt, afterItsEffect, onlyBelow: "tables/");
            try
            {
                await MergeAsync(torn, 11, "(2, 'B')");
            }
            catch (LakeException e) when (e.Code == "lake.test_torn")
            {
                torn.Died.ShouldBeTrue();
            }
            (await RowsAsync(at.Store, All)).ShouldBeOneOf("1 a/2 b", "1 a/2 B");
            await DeltaLinter.CheckAsync(at.Store, Table);
            await MergeAsync(at.Store, 11, "(2, 'B')");
            (await RowsAsync(at.Store, All)).ShouldBe("1 a/2 B");
            if (torn.Died) continue;
            // The file written anew, the chunk's copy, the commit.
            dieAt.ShouldBe(4);
            return;
        }
    }

    static Task<PublishedTable> MergeAsync(IObjectStore store, int hour, string values, int revision = 1, string? run = null) =>
        PublishSqlAsync(store, Hour(hour), $"SELECT * FROM (VALUES {values}) v(id, name)", revision: revision, mode: PublishMode.Merge, key: ["id"], run: run, plannedAt: run == "stale" ? DateTimeOffset.UnixEpoch : null);
}
