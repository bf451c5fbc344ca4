using LeanPipe.DuckDb;

namespace LeanPipe.Unit.DuckDb;

public sealed class SelectCheckTests : IDisposable
{
    readonly SessionFolder _folder = new();
    readonly DuckDbSession _session;

    public SelectCheckTests() => _session = _folder.Open();

    [Theory]
    [InlineData("SELECT 1")]
    [InlineData("select 1 ;\n\n")]
    [InlineData("-- what it is for\nSELECT 1 -- at the end")]
    [InlineData("WITH a AS (SELECT 1 AS x) SELECT x FROM a")]
    [InlineData("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT max(n) FROM t")]
    [InlineData("FROM nowhere")]
    [InlineData("FROM nowhere SELECT x WHERE x > getvariable('least')")]
    [InlineData("VALUES (1), (2)")]
    [InlineData("(SELECT 1)")]
    [InlineData("SELECT 1 UNION ALL SELECT 2")]
    [InlineData("SELECT * FROM t PIVOT (sum(v) FOR k IN ('a', 'b'))")]
    [InlineData("SELECT ';', 'DROP TABLE x; --'")]
    public void One_select_is_accepted_whatever_it_reads(string sql) => _session.FindRefusal(sql).ShouldBeNull();

    [Theory]
    [InlineData("")]
    [InlineData("-- nothing")]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("SELECT 1; DROP TABLE x")]
    [InlineData("CREATE TABLE t AS SELECT 1")]
    [InlineData("INSERT INTO t VALUES (1)")]
    [InlineData("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a")]
    [InlineData("COPY (SELECT 1) TO 'a.csv'")]
    [InlineData("ATTACH 'a.db'")]
    [InlineData("SET threads = 1")]
    [InlineData("PRAGMA version")]
    [InlineData("CALL pragma_version()")]
    [InlineData("EXPLAIN ANALYZE SELECT 1")]
    [InlineData("PREPARE p AS SELECT 1")]
    [InlineData("SELECT * FROM enable_logging(storage = 'file')")]
    [InlineData("SELECT (SELECT count(*) FROM checkpoint())")]
    [InlineData("FROM query('DROP TABLE x')")]
    public void Anything_else_is_refused(string sql)
    {
        _session.FindRefusal(sql)!.Code.ShouldBe("duckdb.not_one_select");
        Should.Throw<DuckDbException>(() => _session.Query(sql)).Code.ShouldBe("duckdb.not_one_select");
        Should.Throw<DuckDbException>(() => _session.CreateView("v", sql));
        Should.Throw<DuckDbException>(() => _session.CopyToParquet(sql, new ParquetOutput { Directory = _folder.Inside("out") }));
    }

    [Fact]
    public void A_syntax_error_says_line_and_column()
    {
        var refusal = _session.FindRefusal("SELECT 1,\n       2\nFORM nowhere")!;
        refusal.Code.ShouldBe("duckdb.sql");
        refusal.Message.ShouldBe("Parser Error: syntax error at or near \"nowhere\" (line 3, column 6)");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }
}
