using LeanPipe.Contracts;
using static LeanPipe.Integration.StepRunner.TaskLake;

namespace LeanPipe.Integration.StepRunner;

/// <summary>Inputs and columns that are allowed and that nobody thinks of.</summary>
public sealed class OddInputsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_column_may_be_called_rowid(bool hashed)
    {
        await using var lake = new TaskLake();
        var outcome = (await lake.RunAsync(lake.Task("SELECT (1000 - range) * 7 AS RowId, range AS v FROM range(1000)") with
        {
            Output = hashed ? new() { Hash = new("v", 4) } : new() { OrderBy = ["v"] },
        })).Succeeded();
        outcome.RowsOut.ShouldBe(1000);
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*), count(DISTINCT v), bool_and(RowId = (1000 - v) * 7) FROM chunks")).ShouldBe(["1000|1000|True"]);
        outcome.Columns.ShouldBe([new("RowId", "BIGINT"), new("v", "BIGINT")]);
    }

    [Theory]
    [InlineData("data[1].csv", "data1.csv")]
    [InlineData("wh*t.csv", "whoot.csv")]
    [InlineData("wh?t.csv", "what.csv")]
    [InlineData("it's 100%.csv", "x.csv")]
    public async Task An_objects_name_is_no_pattern(string name, string twin)
    {
        await using var lake = new TaskLake();
        await lake.PutAsync($"imports/{twin}", "id\n999\n");
        var input = new TaskInput("t", InputFormat.Csv, [], [await lake.PutAsync($"imports/{name}", "id\n1\n2\n")]);
        var outcome = (await lake.RunAsync(lake.Task("SELECT id FROM t", input))).Succeeded();
        (await lake.ReadAsync(outcome.Chunks, "SELECT sum(id)::BIGINT FROM chunks")).ShouldBe(["3"]);
    }

    [Fact]
    public async Task An_objects_name_is_no_pattern_in_s3_either()
    {
        await using var lake = new TaskLake(await LeanPipe.Integration.Lake.TestStore.S3OptionsAsync());
        var input = new TaskInput("t", InputFormat.Csv, [], [await lake.PutAsync("imports/a.[1]*?+ &.csv", "id\n1\n2\n"), await lake.PutAsync("imports/b%20#.v2.csv", "id\n4\n")]);
        var outcome = (await lake.RunAsync(lake.Task("SELECT id FROM t", input))).Succeeded();
        (await lake.ReadAsync(outcome.Chunks, "SELECT sum(id)::BIGINT FROM chunks")).ShouldBe(["7"]);
    }

    [Theory]
    [InlineData(17 << 20)]
    [InlineData(63 << 20)]
    public async Task A_record_as_long_as_a_frame_may_be_is_read(int length)
    {
        await using var lake = new TaskLake();
        var segment = await lake.PutAsync("raw/long.ndjson", $"{{\"id\":1,\"text\":\"short\"}}\n{{\"id\":2,\"text\":\"{new string('x', length)}\"}}\n{{\"id\":3,\"text\":\"short\"}}\n", 3);
        var outcome = (await lake.RunAsync(lake.Task("SELECT id, length(text) AS n FROM t", new TaskInput("t", InputFormat.Ndjson, [Column("id", "BIGINT"), Column("text", "VARCHAR")], [segment])))).Succeeded();
        (await lake.ReadAsync(outcome.Chunks, "SELECT id, n FROM chunks ORDER BY id")).ShouldBe(["1|5", $"2|{length}", "3|5"]);
    }

    [Fact]
    public async Task Csv_files_whose_columns_stand_in_another_order_are_read_by_name()
    {
        await using var lake = new TaskLake();
        var input = new TaskInput("t", InputFormat.Csv, [], [await lake.PutAsync("imports/a.csv", "id,n\n1,10\n2,20\n"), await lake.PutAsync("imports/b.csv", "n,id\n30,3\n40,4\n")]);
        var outcome = (await lake.RunAsync(lake.Task("SELECT id, n FROM t", input))).Succeeded();
        (await lake.ReadAsync(outcome.Chunks, "SELECT id, n FROM chunks ORDER BY id")).ShouldBe(["1|10", "2|20", "3|30", "4|40"]);
    }

    [Theory]
    [InlineData(InputFormat.Csv, "csv", "id,n\n1,10\n")]
    [InlineData(InputFormat.Ndjson, "ndjson", "{\"id\":1,\"n\":10}\n")]
    public async Task A_file_without_a_byte_among_others_has_no_rows(InputFormat format, string ending, string content)
    {
        await using var lake = new TaskLake();
        foreach (var first in (bool[])[true, false])
        {
            var (full, empty) = (await lake.PutAsync($"imports/full.{ending}", content), await lake.PutAsync($"imports/empty.{ending}", ""));
            var outcome = (await lake.RunAsync(lake.Task("SELECT id, n FROM t", new TaskInput("t", format, [], first ? [empty, full] : [full, empty])))).Succeeded();
            (await lake.ReadAsync(outcome.Chunks, "SELECT id, n FROM chunks")).ShouldBe(["1|10"]);
        }
    }

    [Fact]
    public async Task Text_that_looks_like_something_else_stays_text()
    {
        await using var lake = new TaskLake();
        var segment = await lake.PutAsync("raw/odd.ndjson", "{\"a b\":\"NULL\",\"it's\":\"nan\",\"q\\\"\":\"2026-01-01\",\"größe\":\"1e5\",\"select\":\"\"}\n", 1);
        TaskInput input = new("t", InputFormat.Ndjson, [.. new[] { "a b", "it's", "q\"", "größe", "select" }.Select(n => Column(n, "VARCHAR"))], [segment]);
        var outcome = (await lake.RunAsync(lake.Task("SELECT \"a b\" AS a, \"it's\" AS b, \"q\"\"\" AS c, \"größe\", \"select\" FROM t", input))).Succeeded();
        (await lake.ReadAsync(outcome.Chunks, "SELECT a, b, c, größe, \"select\" FROM chunks")).ShouldBe(["NULL|nan|2026-01-01|1e5|"]);
    }
}
