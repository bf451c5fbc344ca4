using System.Numerics;
using System.Runtime.CompilerServices;
using DuckDB.NET.Data;
using DuckDB.NET.Native;

namespace LeanPipe.Unit.DuckDb;

public sealed class CommandTests : IDisposable
{
    // Far more rows than any machine counts in a test's time: only an interrupt ends it.
    const string Endless = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range = 7";

    readonly MemoryDatabase _database = new();

    public static TheoryData<object?, string> Bound => new()
    {
        { null, "\"NULL\"" }, { true, "BOOLEAN" }, { (sbyte)-1, "TINYINT" }, { (byte)1, "UTINYINT" }, { (short)-2, "SMALLINT" }, { (ushort)2, "USMALLINT" },
        { 3, "INTEGER" }, { 3u, "UINTEGER" }, { 4L, "BIGINT" }, { 4ul, "UBIGINT" }, { BigInteger.Pow(2, 100), "HUGEINT" }, { 1.5f, "FLOAT" }, { 2.5, "DOUBLE" },
        { -12.345m, "DECIMAL(5,3)" }, { decimal.MaxValue, "DECIMAL(29,0)" }, { 0m, "DECIMAL(1,0)" }, { "tëxt\0with a zero", "VARCHAR" },
        { Guid.Parse("a1a2a3a4-b1b2-c1c2-d1d2-e1e2e3e4e5e6"), "UUID" }, { new DateOnly(1969, 7, 20), "DATE" }, { new TimeOnly(1, 2, 3, 4, 5), "TIME" },
        { new DateTime(1950, 1, 2, 3, 4, 5, 6, 7), "TIMESTAMP" }, { new TimeSpan(5, 4, 3, 2), "INTERVAL" }, { new List<int> { 1, 2 }, "INTEGER[]" }, { new List<string> { "a" }, "VARCHAR[]" },
    };

    [Theory]
    [MemberData(nameof(Bound))]
    public void A_parameter_keeps_its_type_and_value(object? value, string type)
    {
        _database.Scalar("SELECT typeof($1)", value).ShouldBe(type);
        _database.Scalar("SELECT ?", value).ShouldBeEquivalentTo(value ?? DBNull.Value);
    }

    [Fact]
    public void Blobs_and_moments_with_an_offset_can_be_bound()
    {
        _database.Scalar("SELECT hex(?)", new byte[] { 0, 255 }).ShouldBe("00FF");
        _database.Scalar("SELECT ?", new DateTimeOffset(2024, 1, 1, 2, 0, 0, TimeSpan.FromHours(2))).ShouldBe(new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc));
    }

    [Fact]
    public void Named_parameters_go_where_their_name_stands_in_each_statement()
    {
        _database.Run("CREATE TABLE t(a INTEGER, b VARCHAR)");
        _database.Run("INSERT INTO t VALUES ($a, $b); INSERT INTO t VALUES ($a + 1, 'other')", new DuckDBParameter("b", "text"), new DuckDBParameter("a", 1));
        _database.Scalar("SELECT string_agg(a || b, ',' ORDER BY a) FROM t").ShouldBe("1text,2other");
    }

    [Fact]
    public void Too_few_parameters_are_refused_with_both_numbers()
    {
        Should.Throw<InvalidOperationException>(() => _database.Scalar("SELECT ?, ?", 1)).Message.ShouldContain("2");
    }

    [Fact]
    public void Statements_run_in_order_and_each_result_set_is_read()
    {
        using var command = _database.Command("CREATE TABLE t AS SELECT 1 AS x; SELECT x FROM t; INSERT INTO t VALUES (2), (3); SELECT sum(x)::INTEGER FROM t");
        using var reader = command.ExecuteReader();
        reader.Read().ShouldBeTrue();
        reader.GetInt32(0).ShouldBe(1);
        reader.NextResult().ShouldBeTrue();
        reader.Read().ShouldBeTrue();
        reader.GetInt32(0).ShouldBe(6);
        reader.NextResult().ShouldBeFalse();
    }

    [Fact]
    public void ExecuteNonQuery_counts_changed_rows()
    {
        using var command = _database.Command("CREATE TABLE t AS SELECT range AS i FROM range(10); DELETE FROM t WHERE i < 4; UPDATE t SET i = 0 WHERE i = 9");
        command.ExecuteNonQuery().ShouldBe(4 + 1);
    }

    [Theory]
    [InlineData("SELECT nope", "Binder Error: Referenced column \"nope\"")]
    [InlineData("SELEC 1", "Parser Error: syntax error at or near \"SELEC\"")]
    [InlineData("SELECT * FROM nowhere", "Catalog Error: Table with name nowhere does not exist")]
    [InlineData("SELECT 'x'::INTEGER", "Conversion Error: Could not convert string 'x' to INT32")]
    [InlineData("SELECT error('my own words')", "my own words")]
    public void An_error_is_DuckDBs_own_message(string sql, string expected)
    {
        Should.Throw<DuckDBException>(() => _database.Scalar(sql)).Message.ShouldContain(expected);
    }

    [Fact]
    public void An_error_while_running_has_its_type()
    {
        _database.Run("CREATE TABLE t(x INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
        Should.Throw<DuckDBException>(() => _database.Run("INSERT INTO t VALUES (1)")).ErrorType.ShouldBe(DuckDBErrorType.Constraint);
    }

    [Fact]
    public async Task A_token_interrupts_a_running_query()
    {
        using var stop = new CancellationTokenSource();
        await using var command = _database.Command(Endless);
        var run = Task.Run(() => command.ExecuteScalarAsync(stop.Token));
        // Whether it runs by now or begins only after this: it ends.
        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => run);
        _database.Scalar("SELECT 42").ShouldBe(42);
    }

    [Fact]
    public async Task A_token_that_is_cancelled_at_any_moment_around_the_start_ends_the_query()
    {
        for (var i = 0; i < 50; i++)
        {
            using var stop = new CancellationTokenSource();
            await using var command = _database.Command(Endless);
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var run = Task.Run(() =>
            {
                started.SetResult();
                return command.ExecuteReaderAsync(stop.Token);
            });
            await started.Task;
            Thread.SpinWait(i * 200);
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => run);
        }
    }

    [Fact]
    public async Task A_token_interrupts_rows_that_are_being_computed()
    {
        using var stop = new CancellationTokenSource();
        await using var command = _database.Command("SELECT i FROM range(1000000000000000) r(i) WHERE i < 1000000");
        command.UseStreamingMode = true;
        await using var reader = await command.ExecuteReaderAsync(stop.Token);
        var read = Task.Run(async () =>
        {
            while (await reader.ReadAsync(stop.Token))
                reader.GetInt64(0);
        });
        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => read);
    }

    [Fact]
    public async Task Cancel_interrupts_what_runs_on_another_thread()
    {
        using var command = _database.Command(Endless);
        var run = Task.Run(command.ExecuteNonQuery);
        // Cancel means what runs now, so one that comes before the query has begun is for nothing.
        while (!run.IsCompleted)
            command.Cancel();

        await Should.ThrowAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public void A_transaction_is_undone_unless_committed()
    {
        _database.Run("CREATE TABLE t(x INTEGER)");
        using (_database.Connection.BeginTransaction())
            _database.Run("INSERT INTO t VALUES (1)");
        _database.Scalar("SELECT count(*) FROM t").ShouldBe(0L);

        using (var transaction = _database.Connection.BeginTransaction())
        {
            _database.Run("INSERT INTO t VALUES (1)");
            transaction.Commit();
        }

        _database.Scalar("SELECT count(*) FROM t").ShouldBe(1L);
    }

    [Fact]
    public void Connections_to_one_file_share_its_database_and_the_last_one_closes_it()
    {
        var folder = Directory.CreateTempSubdirectory();
        var path = Path.Combine(folder.FullName, "a.duckdb");
        using (var first = new DuckDBConnection($"Data Source={path};threads=1"))
        using (var second = new DuckDBConnection($"DataSource={path}"))
        {
            first.Open();
            second.Open();
            using var create = new DuckDBCommand("CREATE TABLE t AS SELECT 5 AS x", first);
            create.ExecuteNonQuery();
            using var read = new DuckDBCommand("SELECT x FROM t", second);
            read.ExecuteScalar().ShouldBe(5);
        }

        // A closed database can be moved and opened anew.
        File.Move(path, path + "2");
        using var third = new DuckDBConnection($"DataSource={path}2");
        third.Open();
        using var again = new DuckDBCommand("SELECT x FROM t", third);
        again.ExecuteScalar().ShouldBe(5);
        third.Close();
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Leaked_readers_commands_and_connections_are_finalized_in_any_order()
    {
        for (var i = 0; i < 20; i++)
            Leak();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _database.Scalar("SELECT 1").ShouldBe(1);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Leak()
        {
            var connection = new DuckDBConnection("DataSource=:memory:");
            connection.Open();
            var reader = new DuckDBCommand("SELECT i, 'a text that is not inlined ' || i FROM range(100000) r(i)", connection) { UseStreamingMode = true }.ExecuteReader();
            reader.Read();
        }
    }

    public void Dispose() => _database.Dispose();
}
