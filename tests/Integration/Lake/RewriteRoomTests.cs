using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;
using static LeanPipe.Integration.Lake.PublishFixture;
using static LeanPipe.Integration.Lake.RealRows;

namespace LeanPipe.Integration.Lake;

/// <summary>What merges and compactions use of the machine they run on.</summary>
public sealed class RewriteRoomTests
{
    const long MiB = 1L << 20;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_merge_several_times_larger_than_its_memory_spills_and_is_what_a_recomputation_gives()
    {
        // Keys of 32 characters that no bound and no compression makes smaller: the run's keys alone take some 90 bytes each where they are hashed.
        const int rows = 2_000_000, half = rows / 2;
        static string Rows(int from, int to, string value) => $"SELECT md5(CAST(i AS VARCHAR)) AS k, '{value}' || i AS v FROM range({from}, {to}) t(i)";
        await using var at = TestStore.Folder();
        using var scratch = new ScratchFolder();
        await PublishSqlAsync(at.Store, Hour(10), Rows(0, rows, "old "), mode: PublishMode.Merge, key: ["k"]);
        var spilled = scratch.WatchSpill();

        await PublishSqlAsync(at.Store, Hour(11), Rows(half, rows + half, "new "), mode: PublishMode.Merge, key: ["k"], work: new() { Scratch = scratch.Path, MemoryBytes = 48 * MiB });

        // The system tells of it a little later, or never: then the merge was no larger than its memory.
        await spilled.WaitAsync(TimeSpan.FromMinutes(1), Token);
        const string sums = "count(*), sum(CAST(hash(k, v) AS HUGEINT)), count(*) FILTER (v LIKE 'old %')";
        var recomputed = $"SELECT {sums} FROM ({Rows(0, half, "old ")} UNION ALL {Rows(half, rows + half, "new ")})";
        (await RowsAsync(at.Store, $"SELECT {sums} FROM t")).ShouldBe(await RowsAsync(at.Store, recomputed));
        scratch.Files.ShouldBeEmpty();
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task A_merge_fetches_one_file_of_the_table_at_a_time()
    {
        await using var at = TestStore.Folder();
        using var scratch = new ScratchFolder();
        for (var n = 0; n < 5; n++) await MergeAsync(at.Store, n, $"SELECT i, 'old' AS v FROM range({n}, 500, 10) t(i)");
        var far = new FarStore(at.Store, scratch);

        await MergeAsync(far, 9, "SELECT i, 'new' AS v FROM range(0, 500, 5) t(i)", new() { Scratch = scratch.Path });

        // The run's chunk and one file; what is written in its place is not fetched.
        far.MostFetched.ShouldBe(2);
        (await RowsAsync(at.Store, "SELECT v, count(*) FROM t GROUP BY ALL ORDER BY ALL")).ShouldBe("new 100/old 200");
        // And those that are newer than a run that comes late.
        await MergeAsync(far, 3, "SELECT i, 'late' AS v FROM range(0, 501) t(i)", new() { Scratch = scratch.Path }, revision: 2);
        far.MostFetched.ShouldBe(2);
        (await RowsAsync(at.Store, "SELECT v, count(*) FROM t GROUP BY ALL ORDER BY ALL")).ShouldBe("late 351/new 100/old 50");
        scratch.Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_merge_that_does_not_fit_into_its_scratch_is_refused_by_name_and_writes_nothing()
    {
        await using var at = TestStore.Folder();
        using var scratch = new ScratchFolder();
        await MergeAsync(at.Store, 1, "SELECT md5(CAST(i AS VARCHAR)) AS i, 'old' AS v FROM range(300000) t(i)");
        var before = await at.Store.ListAsync("tables/", Token).ToListAsync(Token);

        var error = await Should.ThrowAsync<LakeException>(() => MergeAsync(
            new FarStore(at.Store, scratch), 2, "SELECT md5(CAST(i AS VARCHAR)) AS i, 'new' AS v FROM range(10) t(i)", new() { Scratch = scratch.Path, ScratchBytes = 4 * MiB }));

        (error.Code, error.IsTransient).ShouldBe(("lake.no_room", false));
        error.Message.ShouldContain($"'{Table}'");
        error.Message.ShouldContain("LEANPIPE_TABLE_SCRATCH");
        (await at.Store.ListAsync("tables/", Token).ToListAsync(Token)).ShouldBe(before);
        scratch.Files.ShouldBeEmpty();
        // With the room it goes on.
        await MergeAsync(at.Store, 2, "SELECT md5(CAST(i AS VARCHAR)) AS i, 'new' AS v FROM range(10) t(i)");
        (await RowsAsync(at.Store, "SELECT count(*) FILTER (v = 'new'), count(*) FROM t")).ShouldBe("10 300000");
    }

    [Fact]
    public async Task A_compaction_with_little_scratch_makes_smaller_files_of_the_same_rows()
    {
        await using var at = TestStore.Folder();
        using var scratch = new ScratchFolder();
        for (var n = 0; n < 12; n++) await PublishSqlAsync(at.Store, Hour(n), $"SELECT md5(CAST(i AS VARCHAR)) AS v FROM range({n * 10_000}, {(n + 1) * 10_000}) t(i)", mode: PublishMode.Append, run: $"a{n}");
        const string sums = "SELECT count(*), sum(CAST(hash(v) AS HUGEINT)) FROM t";
        var before = await RowsAsync(at.Store, sums);
        // 12 files of some 170 KB: room for files of some 900 KB.
        var work = new TableWork { Scratch = scratch.Path, ScratchBytes = 4 * MiB };
        var options = new CompactionOptions { MinFiles = 2, SettledAfter = TimeSpan.Zero };

        var done = await TableCompaction.RunAsync(new FarStore(at.Store, scratch), Table, options, work, TimeProvider.System, Token);

        (done.FilesBefore, done.Rows).ShouldBe((12, 120_000));
        done.FilesAfter.ShouldBeInRange(2, 4);
        (await RowsAsync(at.Store, sums)).ShouldBe(before);
        scratch.MostBytes.ShouldBeLessThan(4 * MiB);
        await CheckAsync(at.Store);
    }

    [Fact]
    public async Task Rewrites_of_a_process_come_one_at_a_time_whatever_tables_they_are_of()
    {
        await using var at = TestStore.Folder();
        var tables = Enumerable.Range(0, 6).Select(n => new TableName($"t{n}")).ToList();
        foreach (var table in tables) await PublishSqlAsync(at.Store, Hour(1), "SELECT 1 AS i, 'old' AS v UNION ALL SELECT 3, 'old'", table, mode: PublishMode.Merge, key: ["i"]);
        var counting = new CountingRewrites(at.Store);

        await Task.WhenAll(tables.Select(table => Task.Run(() => PublishSqlAsync(counting, Hour(2), "SELECT 1 AS i, 'new' AS v UNION ALL SELECT 2, 'new'", table, mode: PublishMode.Merge, key: ["i"], run: $"r-{table}"), Token)));

        (counting.Begun, counting.MostAtOnce).ShouldBe((6, 1));
        foreach (var table in tables) (await RowsAsync(at.Store, "SELECT * FROM t ORDER BY ALL", table)).ShouldBe("1 new/2 new/3 old");
    }

    static Task<PublishedTable> MergeAsync(IObjectStore store, int hour, string sql, TableWork? work = null, int revision = 1) =>
        PublishSqlAsync(store, Hour(hour), sql, mode: PublishMode.Merge, key: ["i"], work: work, revision: revision);

    /// <summary>Where rewrites put what they need on the machine.</summary>
    sealed class ScratchFolder : IDisposable
    {
        readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-room-");
        FileSystemWatcher? _watcher;

        public string Path => _folder.FullName;

        public IEnumerable<string> Files => _folder.EnumerateFiles("*", SearchOption.AllDirectories).Select(f => f.FullName);

        /// <summary>As <see cref="FarStore"/> saw it when something was fetched or stored.</summary>
        public long MostBytes { get; private set; }

        public void Look() => MostBytes = Math.Max(MostBytes, _folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length));

        /// <returns>Ends when a spill folder has a file.</returns>
        public Task WatchSpill()
        {
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _watcher = new FileSystemWatcher(Path) { IncludeSubdirectories = true };
            void Look(object sender, FileSystemEventArgs e)
            {
                if (e.FullPath.Contains($"{System.IO.Path.DirectorySeparatorChar}spill{System.IO.Path.DirectorySeparatorChar}", StringComparison.Ordinal)) seen.TrySetResult();
            }
            // A new folder is watched a little later than it is made: a file that was there by then shows when it is written to, or goes.
            _watcher.Created += Look;
            _watcher.Changed += Look;
            _watcher.Deleted += Look;
            _watcher.EnableRaisingEvents = true;
            return seen.Task;
        }

        public void Dispose()
        {
            _watcher?.Dispose();
            _folder.Delete(recursive: true);
        }
    }

    /// <summary>A store whose objects are on another machine: each that is opened is fetched.</summary>
    sealed class FarStore(IObjectStore inner, ScratchFolder scratch) : ForwardingStore(inner)
    {
        /// <summary>So many fetched files were there at a time.</summary>
        public int MostFetched { get; private set; }

        public override string? LocalPath(string key) => null;

        public override ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken)
        {
            if (key.EndsWith(".parquet", StringComparison.Ordinal) && !key.Contains("_delta_log", StringComparison.Ordinal))
                MostFetched = Math.Max(MostFetched, 1 + scratch.Files.Count(f => Path.GetFileName(f).StartsWith("in-", StringComparison.Ordinal)));
            scratch.Look();
            return base.OpenAsync(key, offset, length, cancellationToken);
        }

        public override ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken)
        {
            scratch.Look();
            return base.PutFileAsync(key, path, cancellationToken);
        }
    }

    /// <summary>Counts rewrites between the first look at a table and its commit.</summary>
    sealed class CountingRewrites(IObjectStore inner) : ForwardingStore(inner)
    {
        int _now;
        int _begun;

        public int Begun => _begun;

        public int MostAtOnce { get; private set; }

        public override async ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken)
        {
            if (!key.StartsWith(LakeLayout.Tables, StringComparison.Ordinal))
            {
                await base.PutFileAsync(key, path, cancellationToken);
                return;
            }
            var now = Interlocked.Increment(ref _now);
            lock (this) MostAtOnce = Math.Max(MostAtOnce, now);
            Interlocked.Increment(ref _begun);
            // The file a rewrite has made is slow to arrive: whoever may come beside it is there long before.
            for (var n = 0; n < 200; n++) await base.SizeAsync(key, cancellationToken);
            await base.PutFileAsync(key, path, cancellationToken);
            Interlocked.Decrement(ref _now);
        }
    }
}
