using LeanPipe.Contracts;
using static LeanPipe.Integration.StepRunner.TaskLake;

namespace LeanPipe.Integration.StepRunner;

public sealed class StepRunTests
{
    [Fact]
    public async Task Ndjson_segments_become_typed_parquet()
    {
        await using var lake = new TaskLake();
        var segments = new[]
        {
            await lake.PutAsync("raw/t/date=2026-01-01/a.ndjson", """{"sensor":"a","at":1767261600000,"value":1.5,"extra":true}""" + "\n", 1),
            await lake.PutAsync("raw/t/date=2026-01-01/b.ndjson", """{"sensor":"b","at":1767261601500}""" + "\n", 1),
        };
        var raw = new TaskInput("raw", InputFormat.Ndjson,
            [Column("sensor", "VARCHAR"), Column("at", "TIMESTAMP WITH TIME ZONE", "BIGINT", "make_timestamptz(\"at\" * 1000)"), Column("value", "DOUBLE")], segments);
        var spec = lake.Task("SELECT * FROM raw;\n-- every record\n", raw) with { Output = new() { OrderBy = ["sensor"] } };

        var outcome = (await lake.RunAsync(spec)).Succeeded();

        outcome.Columns.ShouldBe([new("sensor", "VARCHAR"), new("at", "TIMESTAMP WITH TIME ZONE"), new("value", "DOUBLE")]);
        (outcome.RowsIn, outcome.BytesIn, outcome.RowsOut).ShouldBe((2, segments.Sum(s => s.Bytes), 2));
        outcome.Engine.ShouldStartWith("duckdb v");
        outcome.PeakMemoryBytes.ShouldBeGreaterThan(1 << 20);
        var chunk = outcome.Chunks.ShouldHaveSingleItem();
        chunk.Object.Key.ShouldBe("runs/run-1/hourly/00000/1/part-00000.parquet");
        (await lake.Store.SizeAsync(chunk.Object.Key, CancellationToken.None)).ShouldBe(chunk.Object.Bytes);
        chunk.Stats.ShouldNotBeNull()["at"].ShouldBe(new("2026-01-01T10:00:00.000000Z", "2026-01-01T10:00:01.500000Z", 0));
        chunk.Stats["sensor"].ShouldBe(new("a", "b", 0));
        chunk.Stats["value"].ShouldBe(new("1.5", "1.5", 1));
        (await lake.ReadAsync(outcome.Chunks, "SELECT sensor, CAST(\"at\" AS VARCHAR), value FROM chunks"))
            .ShouldBe(["a|2026-01-01 10:00:00+00|1.5", "b|2026-01-01 10:00:01.5+00|"]);
        lake.Scratch.GetFileSystemInfos().ShouldBeEmpty();
    }

    [Fact]
    public async Task Parquet_fans_in_and_joins_csv()
    {
        await using var lake = new TaskLake();
        var chunks = new List<ObjectRef>();
        foreach (var part in (int[])[0, 1, 2])
            chunks.AddRange((await lake.RunAsync(lake.Task($"SELECT range AS id, range % 3 AS kind FROM range({part * 10}, {part * 10 + 10})"))).Succeeded().Chunks.Select(c => c.Object));
        var kinds = new TaskInput("kinds", InputFormat.Csv, [], [await lake.PutAsync("runs/run-1/files/kinds.csv", "kind,name\n0,zero\n1,\"o,ne\"\n2,two\n")]);
        var parts = new TaskInput("parts", InputFormat.Parquet, [Column("id", "BIGINT"), Column("kind", "BIGINT")], chunks);

        var outcome = (await lake.RunAsync(lake.Task("SELECT name, count(*) AS n, CAST(sum(id) AS BIGINT) AS total FROM parts JOIN kinds USING (kind) GROUP BY name", parts, kinds) with
        {
            Output = new() { OrderBy = ["name"] },
        })).Succeeded();

        (await lake.ReadAsync(outcome.Chunks, "SELECT name, n, total FROM chunks")).ShouldBe(["o,ne|10|145", "two|10|155", "zero|10|135"]);
    }

    [Fact]
    public async Task Chunks_hold_one_value_of_the_partitions_columns_in_the_row_groups_and_the_compression_that_are_asked_for()
    {
        await using var lake = new TaskLake();
        var outcome = (await lake.RunAsync(lake.Task("SELECT CAST(range AS BIGINT) AS id, range % 3 AS site, range % 2 AS side FROM range(200000)") with
        {
            Output = new() { PartitionBy = ["site"], OrderBy = ["id"], Hash = new("side", 2, ["site"]), RowGroupRows = 10_000, Compression = ChunkCompression.Snappy },
        })).Succeeded();
        outcome.RowsOut.ShouldBe(200_000);
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*) FROM (SELECT filename FROM chunks GROUP BY filename HAVING count(DISTINCT site) > 1)")).ShouldBe(["0"]);
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(DISTINCT hash(side, site) % 2) FROM chunks GROUP BY filename ORDER BY 1 DESC LIMIT 1")).ShouldBe(["1"]);
        var path = lake.Store.LocalPath(outcome.Chunks[0].Object.Key).ShouldNotBeNull();
        await using var duckDb = new DuckDB.NET.Data.DuckDBConnection("Data Source=:memory:");
        await duckDb.OpenAsync();
        await using var command = duckDb.CreateCommand();
        command.CommandText = $"SELECT any_value(compression), max(row_group_num_rows) FROM parquet_metadata('{path}')";
        await using var reader = await command.ExecuteReaderAsync();
        (await reader.ReadAsync()).ShouldBeTrue();
        reader.GetValue(0).ShouldBe("SNAPPY");
        // DuckDB ends a row group with a vector of 2,048 rows.
        reader.GetInt64(1).ShouldBeInRange(10_000, 12_288);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_table_of_files_of_two_ages_has_all_its_columns_in_their_order(bool old, bool young)
    {
        await using var lake = new TaskLake();
        var files = new List<ObjectRef>();
        async Task AddAsync(string sql, string key)
        {
            var chunk = (await lake.RunAsync(lake.Task(sql))).Succeeded().Chunks.ShouldHaveSingleItem().Object;
            await lake.Store.CopyAsync(chunk.Key, key, CancellationToken.None);
            files.Add(chunk with { Key = key });
        }
        if (old) await AddAsync("SELECT 1::BIGINT AS id, 'a' AS name", "tables/t/window=2026-01-01/p/old.parquet");
        if (young) await AddAsync("SELECT 'x' AS note, 'b' AS name, 2::BIGINT AS id", "tables/t/window=2026-01-02/p/young.parquet");
        var table = new TaskInput("t", InputFormat.Parquet, [Column("id", "BIGINT"), Column("name", "VARCHAR"), Column("note", "VARCHAR")], files);

        var outcome = (await lake.RunAsync(lake.Task("SELECT * FROM t", table) with { Output = new() { OrderBy = ["id"] } })).Succeeded();

        outcome.Columns.Select(c => c.Name).ShouldBe(["id", "name", "note"]);
        (await lake.ReadAsync(outcome.Chunks, "SELECT id, name, note FROM chunks")).ShouldBe([.. old ? ["1|a|"] : (string[])[], .. young ? ["2|b|x"] : (string[])[]]);
    }

    [Fact]
    public async Task Each_key_meets_in_one_bucket_and_a_consumer_of_all_buckets_sees_every_row_once()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task("SELECT range AS id, range % 97 AS sensor FROM range(20000)") with { Output = new() { Hash = new("sensor", 8), OrderBy = ["sensor", "id"] } };

        var outcome = (await lake.RunAsync(spec)).Succeeded();

        outcome.RowsOut.ShouldBe(20000);
        outcome.Chunks.Select(c => c.Bucket).ShouldBe([0, 1, 2, 3, 4, 5, 6, 7]);
        outcome.Chunks[7].Object.Key.ShouldEndWith("/1/part-b007-0000.parquet");
        (await lake.ReadAsync(outcome.Chunks, "SELECT max(files) FROM (SELECT count(DISTINCT filename) AS files FROM chunks GROUP BY sensor)")).ShouldBe(["1"]);
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*) FROM (SELECT (sensor, id) AS k, lag(k) OVER (PARTITION BY filename ORDER BY file_row_number) AS p FROM chunks) WHERE p > k")).ShouldBe(["0"]);
        var sum = 0L;
        foreach (var chunk in outcome.Chunks)
        {
            var bucket = new TaskInput("t", InputFormat.Parquet, [Column("id", "BIGINT"), Column("sensor", "BIGINT")], [chunk.Object]);
            sum += (await lake.RunAsync(lake.Task("SELECT sensor, count(*) AS n FROM t GROUP BY sensor", bucket))).Succeeded().RowsOut;
        }
        sum.ShouldBe(97);
    }

    [Fact]
    public async Task Equal_keys_of_different_widths_meet_in_one_bucket()
    {
        await using var lake = new TaskLake();
        var buckets = new List<int?>();
        foreach (var type in (string[])["TINYINT", "SMALLINT", "INTEGER", "BIGINT"])
            buckets.Add((await lake.RunAsync(lake.Task($"SELECT (-7)::{type} AS k") with { Output = new() { Hash = new("k", 64) } })).Succeeded().Chunks.ShouldHaveSingleItem().Bucket);
        buckets.Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Chunks_are_cut_near_the_size_and_hold_one_order_over_all_of_them()
    {
        await using var lake = new TaskLake();
        // By the input they should have fitted into one.
        var spec = lake.Task("SELECT range AS id, hash(range)::VARCHAR AS text FROM range(600000), ids", await lake.IdsAsync(1)) with { Output = new() { ChunkBytes = 1 << 20, OrderBy = ["text"] } };

        var outcome = (await lake.RunAsync(spec)).Succeeded();

        outcome.Chunks.Count.ShouldBeGreaterThan(3);
        outcome.Chunks.SkipLast(1).ShouldAllBe(c => c.Object.Bytes > 700_000 && c.Object.Bytes < 1_500_000);
        outcome.Chunks.Sum(c => c.Object.Rows).ShouldBe(600000);
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*) FROM (SELECT text, lag(text) OVER (ORDER BY filename, file_row_number) AS p FROM chunks) WHERE p > text")).ShouldBe(["0"]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(300_000)]
    public async Task Rows_that_fit_into_one_chunk_are_sorted_into_it(int rows)
    {
        await using var lake = new TaskLake();
        var one = await lake.IdsAsync(1);
        var spec = lake.Task($"SELECT range AS id, hash(range)::VARCHAR AS text FROM range({rows}), ids", one) with { Output = new() { OrderBy = ["text"], RowGroupRows = 20_480 } };

        var outcome = (await lake.RunAsync(spec)).Succeeded();

        outcome.Chunks.Count.ShouldBe(rows == 0 ? 0 : 1);
        outcome.RowsOut.ShouldBe(rows);
        outcome.Columns.Select(c => c.Name).ShouldBe(["id", "text"]);
        if (rows == 0) return;
        outcome.Chunks[0].Object.Key.ShouldEndWith("/part-00000.parquet");
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*), count(DISTINCT id) FROM chunks")).ShouldBe(["300000|300000"]);
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*) FROM (SELECT text, lag(text) OVER (ORDER BY file_row_number) AS p FROM chunks) WHERE p > text")).ShouldBe(["0"]);
    }

    [Fact]
    public async Task An_input_too_large_for_one_chunk_is_staged_and_cut_in_order()
    {
        await using var lake = new TaskLake();
        var content = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{{\"id\":{i * 7919 % 20_000}}}\n"));
        var input = new TaskInput("raw", InputFormat.Ndjson, [Column("id", "BIGINT")], [await lake.PutAsync("raw/t/0.ndjson", content, 20_000)]);

        var outcome = (await lake.RunAsync(lake.Task("SELECT id FROM raw", input) with { Output = new() { OrderBy = ["id"], ChunkBytes = 8 * 1024 } })).Succeeded();

        outcome.Chunks.Count.ShouldBeGreaterThan(1);
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*), count(DISTINCT id) FROM chunks")).ShouldBe(["20000|20000"]);
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY filename, file_row_number) AS p FROM chunks) WHERE p > id")).ShouldBe(["0"]);
    }

    [Fact]
    public async Task Rows_without_an_order_stream_into_several_chunks()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task("SELECT range AS id, hash(range)::VARCHAR AS text FROM range(600000)") with { Output = new() { ChunkBytes = 1 << 20 } };

        var outcome = (await lake.RunAsync(spec)).Succeeded();

        outcome.Chunks.Count.ShouldBeGreaterThan(1);
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*), count(DISTINCT id) FROM chunks")).ShouldBe(["600000|600000"]);
    }

    [Fact]
    public async Task Parameters_are_typed_variables()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task(
            "SELECT getvariable('kind') AS s, getvariable('n') + 1 AS i, getvariable('x') AS f, getvariable('on') AS b, getvariable('since') AS t, typeof(getvariable('since')) AS tt") with
        {
            Params =
            [
                new("kind", ParamType.String, "it's"), new("n", ParamType.Int64, "41"), new("x", ParamType.Float64, "0.5"), new("on", ParamType.Bool, "true"),
                new("since", ParamType.Timestamp, "2026-01-01T10:00:00Z"),
            ],
        };

        var outcome = (await lake.RunAsync(spec)).Succeeded();

        (await lake.ReadAsync(outcome.Chunks, "SELECT s, i, f, b, CAST(t AS VARCHAR), tt FROM chunks")).ShouldBe(["it's|42|0.5|True|2026-01-01 10:00:00+00|TIMESTAMP WITH TIME ZONE"]);
    }

    [Fact]
    public async Task An_input_without_objects_is_an_empty_view_and_an_empty_result_has_columns_and_no_chunk()
    {
        await using var lake = new TaskLake();
        var none = new TaskInput("t", InputFormat.Parquet, [Column("sensor-id", "VARCHAR"), Column("at", "TIMESTAMP WITH TIME ZONE")], []);
        foreach (var output in (TaskOutput[])[new(), new() { OrderBy = ["hour"] }, new() { Hash = new("sensor", 4) }])
        {
            var outcome = (await lake.RunAsync(lake.Task("SELECT \"sensor-id\" AS sensor, date_trunc('hour', \"at\") AS hour FROM t", none) with
            {
                Output = output,
                Checks = [new("none", "SELECT count(*) FROM output", 0)],
            })).Succeeded();
            outcome.Chunks.ShouldBeEmpty();
            outcome.Columns.ShouldBe([new("sensor", "VARCHAR"), new("hour", "TIMESTAMP WITH TIME ZONE")]);
        }
    }

    [Fact]
    public async Task Types_that_lose_nothing_are_cast_and_read_back_equal()
    {
        await using var lake = new TaskLake();
        var outcome = (await lake.RunAsync(lake.Task(
            "SELECT 200::UTINYINT AS a, 4000000000::UINTEGER AS b, 'x'::ENUM('x', 'y') AS c, 'e7a1b2c3-0000-4000-8000-000000000001'::UUID AS d, {'k': 7::USMALLINT} AS e, '[1]'::JSON AS f"))).Succeeded();

        outcome.Columns.Select(c => c.Type).ShouldBe(["SMALLINT", "BIGINT", "VARCHAR", "VARCHAR", "STRUCT(k INTEGER)", "VARCHAR"]);
        (await lake.ReadAsync(outcome.Chunks, "SELECT a, b, c, d, e.k, f FROM chunks")).ShouldBe(["200|4000000000|x|e7a1b2c3-0000-4000-8000-000000000001|7|[1]"]);
    }

    [Fact]
    public async Task Bounds_are_left_out_where_the_footer_does_not_tell()
    {
        await using var lake = new TaskLake();
        var stats = (await lake.RunAsync(lake.Task(
            "SELECT CASE WHEN range = 1 THEN 'NaN'::DOUBLE ELSE range END AS f, repeat('x', 1000) || range AS long, true AS flag, NULL::DATE AS never, range::DECIMAL(9,2) AS d FROM range(3)")))
            .Succeeded().Chunks.ShouldHaveSingleItem().Stats.ShouldNotBeNull();

        stats.Keys.ShouldBe(["d", "never"]);
        stats["d"].ShouldBe(new("0.00", "2.00", 0));
        stats["never"].ShouldBe(new(null, null, 3));
    }

    [Fact]
    public async Task An_attempt_that_has_an_outcome_is_not_run_again()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task("SELECT random() AS r");
        var first = (await lake.RunAsync(spec)).Succeeded();
        var again = await lake.RunAsync(spec);
        again.Succeeded().Chunks.ShouldHaveSingleItem().Object.ShouldBe(first.Chunks[0].Object);
        again.Output.ShouldBeEmpty();
        (await lake.RunAsync(spec, attempt: 2)).Succeeded().Chunks[0].Object.Key.ShouldContain("/2/part-");
    }
}
