using LeanPipe.Contracts;

namespace LeanPipe.Integration.StepRunner;

/// <summary>A step's SQL sees its inputs and nothing else of the machine.</summary>
public sealed class LockDownTests
{
    [Theory]
    [InlineData("COPY (SELECT 1 AS one) TO '/tmp/leak.csv'", "sql.not_one_select")]
    [InlineData("ATTACH '/tmp/leak.duckdb' AS leak", "sql.not_one_select")]
    [InlineData("INSTALL httpfs", "sql.not_one_select")]
    [InlineData("LOAD httpfs", "sql.not_one_select")]
    [InlineData("SET enable_external_access = true", "sql.not_one_select")]
    [InlineData("PRAGMA version", "sql.not_one_select")]
    [InlineData("CREATE TABLE t AS SELECT 1 AS one", "sql.not_one_select")]
    [InlineData("SELECT 1 AS one; SELECT 2 AS two", "sql.not_one_select")]
    [InlineData("SELECT 1 AS one) TO '/tmp/leak.csv'; --", "sql.error")]
    [InlineData("", "sql.not_one_select")]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')", "sql.not_allowed")]
    [InlineData("SELECT content FROM read_text('/etc/passwd')", "sql.not_allowed")]
    [InlineData("SELECT * FROM '/etc/passwd'", "sql.error")]
    [InlineData("SELECT file FROM glob('/etc/*')", "sql.not_allowed")]
    [InlineData("SELECT * FROM read_json('http://127.0.0.1:1/x.json')", "sql.not_allowed")]
    [InlineData("SELECT getenv('HOME') AS home", "sql.error")]
    [InlineData("SELECT * FROM query('SELECT 1 AS one')", "sql.not_one_select")]
    public async Task Sql_that_reaches_out_is_refused(string sql, string code)
    {
        await using var lake = new TaskLake();
        (await lake.RunAsync(lake.Task(sql))).Failed(code);
        File.Exists("/tmp/leak.csv").ShouldBeFalse();
    }

    [Fact]
    public async Task Another_object_of_the_lake_is_out_of_reach()
    {
        await using var lake = new TaskLake();
        var ids = await lake.IdsAsync(1);
        await lake.PutAsync("raw/other.ndjson", "{\"id\":2}\n");
        var other = lake.Store.LocalPath("raw/other.ndjson");
        (await lake.RunAsync(lake.Task($"SELECT id FROM read_json('{other}')", ids))).Failed("sql.not_allowed");
    }
}
