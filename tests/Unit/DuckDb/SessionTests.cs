using System.IO.Compression;
using System.Text;
using LeanPipe.DuckDb;

namespace LeanPipe.Unit.DuckDb;

public sealed class SessionTests : IDisposable
{
    readonly SessionFolder _folder = new();

    [Fact]
    public void Ndjson_is_read_by_the_types_that_are_given_plain_and_gzipped()
    {
        const string lines = """
            {"ts":"2026-01-01T10:00:00.5Z","v":1.5,"tags":["a"],"extra":{"x":1}}
            {"ts":"2026-01-01T10:00:00+02:00","v":2}

            """;
        File.WriteAllText(_folder.Inside("a.ndjson"), lines);
        using (var gzip = new GZipStream(File.Create(_folder.Inside("b.ndjson.gz")), CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(lines));
        using var session = _folder.Open();
        session.CreateNdjsonView("raw", [_folder.Inside("a.ndjson"), _folder.Inside("b.ndjson.gz")],
            [new("ts", "TIMESTAMP WITH TIME ZONE"), new("v", "DOUBLE"), new("tags", "VARCHAR[]"), new("it's absent", "BIGINT")]);

        var rows = session.Rows("SELECT * FROM raw ORDER BY ts");

        rows.Count.ShouldBe(4);
        rows[0].ShouldBe([new DateTime(2026, 1, 1, 8, 0, 0, DateTimeKind.Utc), 2.0, null, null]);
        rows[3][2].ShouldBe(new List<string> { "a" });
        session.Describe("FROM raw").Select(column => column.Type).ShouldBe(["TIMESTAMP WITH TIME ZONE", "DOUBLE", "VARCHAR[]", "BIGINT"]);
    }

    [Fact]
    public void An_empty_view_has_columns_and_no_rows()
    {
        using var session = _folder.Open();
        session.CreateEmptyView("nothing", [new("a", "DECIMAL(10,2)"), new("b b", "STRUCT(x INTEGER)")]);

        session.Describe("FROM nothing").Select(column => column.Type).ShouldBe(["DECIMAL(10,2)", "STRUCT(x INTEGER)"]);
        session.Rows("FROM nothing").ShouldBeEmpty();
    }

    [Fact]
    public void Variables_reach_selects_and_views_without_becoming_SQL()
    {
        using var session = _folder.Open();
        session.SetVariable("kind", "'; DROP TABLE x; --");
        session.SetVariable("odd \"name", 5);
        session.CreateView("v", "SELECT getvariable('kind') AS kind");

        session.Scalar("SELECT kind FROM v").ShouldBe("'; DROP TABLE x; --");
        session.Scalar("SELECT getvariable('odd \"name') + 1").ShouldBe(6);
    }

    [Fact]
    public void Values_of_a_row_are_plain_dotnet_values()
    {
        using var session = _folder.Open();
        var row = session.Rows(@"SELECT NULL, 'a', '\x01'::BLOB, TIMESTAMPTZ '2026-01-01 00:00:00Z', {'a': [1]}").ShouldHaveSingleItem();
        row[..2].ShouldBe([null, "a"]);
        row[2].ShouldBeOfType<byte[]>().ShouldBe([1]);
        row[3].ShouldBeOfType<DateTime>().Kind.ShouldBe(DateTimeKind.Utc);
        row[4].ShouldBeOfType<Dictionary<string, object?>>()["a"].ShouldBe(new List<int> { 1 });
        Should.Throw<DuckDbException>(() => session.Scalar("SELECT 'infinity'::TIMESTAMP AS t")).Code.ShouldBe("duckdb.value");
    }

    [Fact]
    public void Errors_carry_DuckDBs_message_and_a_code()
    {
        using var session = _folder.Open();
        var unknown = Should.Throw<DuckDbException>(() => session.Rows("SELECT nope FROM range(1)"));
        unknown.Code.ShouldBe("duckdb.sql");
        unknown.IsTransient.ShouldBeFalse();
        unknown.Message.ShouldContain("Binder Error: Referenced column \"nope\" not found");

        Should.Throw<DuckDbException>(() => session.Rows("SELECT error('boom')")).Code.ShouldBe("duckdb.sql");

        var absent = Should.Throw<DuckDbException>(() => session.CreateParquetView("v", [_folder.Inside("absent.parquet")]));
        absent.Code.ShouldBe("duckdb.io");
        absent.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task A_sort_larger_than_its_memory_is_spilled_and_is_right()
    {
        using var session = SessionFolder.Open(new DuckDbSessionOptions { ScratchDirectory = _folder.Scratch, Threads = 2, MemoryLimitBytes = 96 << 20 });

        var copy = Task.Run(() => session.CopyToParquet("SELECT md5(i::VARCHAR) AS k, i FROM range(2000000) r(i)", new ParquetOutput { Directory = _folder.Inside("out"), OrderBy = ["k"], RowGroupRows = 20_480, ZstdLevel = 1 }));
        while (!copy.IsCompleted)
            session.Progress();

        var progress = session.Progress();
        // DuckDB's counters are read one after another while they change, so their sum may be a little above the limit.
        progress.PeakMemoryBytes.ShouldBeInRange(1, 112 << 20);
        progress.PeakSpilledBytes.ShouldBeGreaterThan(0);
        session.CreateParquetView("out", [.. (await copy).Select(file => file.Path)]);
        session.Rows("SELECT count(*), sum(i)::BIGINT, bool_and(k = md5(i::VARCHAR)) FROM out").ShouldHaveSingleItem().ShouldBe([2_000_000L, 1_999_999L * 1_000_000, true]);
    }

    [Fact]
    public void Too_little_memory_and_too_little_spill_have_codes_of_their_own()
    {
        const string large = "SELECT md5(i::VARCHAR) AS k, i FROM range(3000000) r(i) ORDER BY k";
        using (var session = SessionFolder.Open(new DuckDbSessionOptions { ScratchDirectory = _folder.Scratch, Threads = 2, MemoryLimitBytes = 48 << 20, SpillLimitBytes = 1 << 20 }))
            Should.Throw<DuckDbException>(() => session.Rows(large)).Code.ShouldBe("duckdb.out_of_spill");

        // A list is one value: it cannot be spilled.
        using (var session = SessionFolder.Open(new DuckDbSessionOptions { ScratchDirectory = _folder.Scratch, Threads = 2, MemoryLimitBytes = 48 << 20 }))
            Should.Throw<DuckDbException>(() => session.Rows("SELECT len(list(md5(i::VARCHAR))) FROM range(5000000) r(i)")).Code.ShouldBe("duckdb.out_of_memory");
    }

    [Fact]
    public async Task A_token_ends_a_copy_and_the_session_goes_on()
    {
        using var session = _folder.Open();
        using var stop = new CancellationTokenSource();
        var copy = Task.Run(() => session.CopyToParquet("SELECT a.range FROM range(100000000) a, range(100000000) b", new ParquetOutput { Directory = _folder.Inside("out") }, stop.Token));
        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => copy);
        session.Scalar("SELECT 1").ShouldBe(1);
    }

    [Fact]
    public async Task A_running_query_shows_its_progress_and_can_be_interrupted()
    {
        using var session = _folder.Open();
        session.Execute("CREATE TABLE t AS SELECT range AS i FROM range(10000000)");
        var query = Task.Run(() => session.Rows("SELECT count(DISTINCT md5(i::VARCHAR)) FROM t"));
        while (session.Progress() is not { Percentage: > 0 })
            query.IsCompleted.ShouldBeFalse();
        while (!query.IsCompleted)
            session.Interrupt();

        await Should.ThrowAsync<OperationCanceledException>(() => query);
    }

    [Fact]
    public void Rows_that_are_open_refuse_the_next_call_until_they_are_disposed()
    {
        using var session = _folder.Open();
        using (var rows = session.Query("SELECT * FROM range(100000)"))
        {
            rows.Read().ShouldBeTrue();
            Should.Throw<InvalidOperationException>(() => session.Rows("SELECT 1"));
        }

        session.Scalar("SELECT 1").ShouldBe(1);
    }

    public void Dispose() => _folder.Dispose();
}
