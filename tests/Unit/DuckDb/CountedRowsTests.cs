using LeanPipe.DuckDb;

namespace LeanPipe.Unit.DuckDb;

public sealed class CountedRowsTests : IDisposable
{
    readonly SessionFolder _folder = new();
    readonly DuckDbSession _session;

    public CountedRowsTests() => _session = _folder.Open();

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("SELECT count(*) FROM range(5) t(n) WHERE n > 2", "3 4")]
    [InlineData("select count() as bad from range(3) t(n) where n = 1;", "1")]
    [InlineData("WITH a AS (SELECT 7 AS n) SELECT count(*) FROM a JOIN range(8) b(n) USING (n)", "7")]
    public void The_rows_of_a_plain_count_are_found(string count, string rows)
    {
        var found = new List<string>();
        using var read = _session.Query(_session.CountedRows(count).ShouldNotBeNull());
        while (read.Read()) found.Add($"{read.GetValue(0)}");
        string.Join(' ', found).ShouldBe(rows);
    }

    [Theory]
    [InlineData("SELECT count(*) FILTER (WHERE n > 2) FROM range(5) t(n)")]
    [InlineData("SELECT count(DISTINCT n) FROM range(5) t(n)")]
    [InlineData("SELECT count(n) FROM range(5) t(n)")]
    [InlineData("SELECT count(*) FROM range(5) t(n) GROUP BY n")]
    [InlineData("SELECT count(*) - 1 FROM range(5)")]
    [InlineData("SELECT sum(n) FROM range(5) t(n)")]
    [InlineData("SELECT count(*) FROM range(5) UNION ALL SELECT 1")]
    [InlineData("VALUES (1)")]
    public void Anything_else_has_no_rows_to_speak_of(string select) => _session.CountedRows(select).ShouldBeNull();
}
