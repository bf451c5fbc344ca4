using LeanPipe.DuckDb;

namespace LeanPipe.Unit.DuckDb;

public sealed class ParquetOutputTests : IDisposable
{
    readonly SessionFolder _folder = new();
    readonly DuckDbSession _session;

    public ParquetOutputTests() => _session = _folder.Open();

    [Fact]
    public void Chunks_are_cut_by_size_narrow_in_the_order_and_lose_no_row()
    {
        var files = _session.CopyToParquet("SELECT (i * 7919) % 500000 AS id, random() AS v FROM range(500000) r(i)",
            new ParquetOutput { Directory = _folder.Inside("out"), FileBytes = 1 << 20, RowGroupRows = 20_480, OrderBy = ["id"] });

        files.Count.ShouldBeGreaterThan(2);
        files.Sum(file => file.Rows).ShouldBe(500_000);
        files.ShouldAllBe(file => file.Bytes == new FileInfo(file.Path).Length && file.Bucket == null);
        files.Select(file => Path.GetFileName(file.Path)).ShouldBe(Enumerable.Range(0, files.Count).Select(i => $"part-{i}.parquet"));
        _session.CreateParquetView("out", [.. files.Select(file => file.Path)]);
        _session.Scalar("SELECT count(DISTINCT id) FROM out").ShouldBe(500_000L);
        // Sorted, a row group spans about 20,480 ids; unsorted, all 500,000.
        _session.Scalar($"SELECT avg(stats_max::BIGINT - stats_min::BIGINT)::BIGINT FROM parquet_metadata('{_folder.Inside("out")}/*.parquet') WHERE path_in_schema = 'id'")
            .ShouldBeOfType<long>().ShouldBeLessThan(100_000);
        _session.Scalar($"SELECT DISTINCT compression FROM parquet_metadata('{files[0].Path}')").ShouldBe("ZSTD");
    }

    [Fact]
    public void Each_key_is_in_exactly_one_bucket_and_no_row_is_lost()
    {
        var files = _session.CopyToParquet("SELECT i, 'key ' || (i % 1000) AS k, CASE WHEN i % 10 > 0 THEN i % 7 END AS n FROM range(100000) r(i)",
            new ParquetOutput { Directory = _folder.Inside("out"), OrderBy = ["k"], Buckets = new HashBuckets(["k", "n"], 16) });

        files.Sum(file => file.Rows).ShouldBe(100_000);
        files.Select(file => file.Bucket).Distinct().Count().ShouldBe(16);
        var keys = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var bucket in files.GroupBy(file => file.Bucket!.Value))
        {
            _session.CreateParquetView("b", [.. bucket.Select(file => file.Path)]);
            _session.Describe("FROM b").Select(column => column.Name).ShouldBe(["i", "k", "n"]);
            foreach (var row in _session.Rows("SELECT DISTINCT k, n FROM b"))
                keys.TryAdd($"{row[0]}/{row[1]}", bucket.Key).ShouldBeTrue($"{row[0]}/{row[1]} is in two buckets");
        }

        keys.Count.ShouldBe((int)(long)_session.Scalar("SELECT count(*) FROM (SELECT DISTINCT i % 1000, CASE WHEN i % 10 > 0 THEN i % 7 END FROM range(100000) r(i))")!);
    }

    [Fact]
    public void Integers_of_every_width_meet_in_the_same_bucket()
    {
        int? BucketOf(string type, string folder) => _session.CopyToParquet($"SELECT (-5)::{type} AS k",
            new ParquetOutput { Directory = _folder.Inside(folder), Buckets = new HashBuckets(["k"], 1000) }).ShouldHaveSingleItem().Bucket;

        BucketOf("SMALLINT", "a").ShouldBe(BucketOf("BIGINT", "b"));
        BucketOf("INTEGER", "c").ShouldBe(BucketOf("BIGINT", "d"));
    }

    [Fact]
    public void A_bucket_column_that_does_not_exist_is_named_with_those_that_do()
    {
        Should.Throw<DuckDbException>(() => _session.CopyToParquet("SELECT 1 AS a, 2 AS b", new ParquetOutput { Directory = _folder.Inside("out"), Buckets = new HashBuckets(["c"], 4) }))
            .Message.ShouldBe("The rows shall be hashed by 'c', but the SELECT has no such column; it has a, b.");
    }

    [Fact]
    public void An_empty_result_is_one_empty_file_with_the_columns_and_no_bucket()
    {
        var file = _session.CopyToParquet("SELECT 1 AS a, 'x' AS b WHERE false", new ParquetOutput { Directory = _folder.Inside("out") }).ShouldHaveSingleItem();
        file.Rows.ShouldBe(0);
        _session.CreateParquetView("out", [file.Path]);
        _session.Describe("FROM out").ShouldBe([new DuckDbColumn("a", "INTEGER"), new DuckDbColumn("b", "VARCHAR")]);

        _session.CopyToParquet("SELECT 1 AS a WHERE false", new ParquetOutput { Directory = _folder.Inside("buckets"), Buckets = new HashBuckets(["a"], 4) }).ShouldBeEmpty();
    }

    [Fact]
    public void Statistics_name_nested_and_oddly_named_columns()
    {
        var file = _session.CopyToParquet("SELECT {'x': 1, 'y': NULL::INTEGER} AS s, 5 AS \"odd \"\"name\"\"\", NULL::BIGINT AS nothing",
            new ParquetOutput { Directory = _folder.Inside("out") }).ShouldHaveSingleItem();

        file.Columns["s.x"].ShouldBe(new ParquetColumnStatistics("1", "1", 0));
        file.Columns["odd \"name\""].Max.ShouldBe("5");
        file.Columns["nothing"].ShouldBe(new ParquetColumnStatistics(null, null, 1));
    }

    [Fact]
    public void A_folder_with_files_is_not_written_over()
    {
        var output = new ParquetOutput { Directory = _folder.Inside("out") };
        _session.CopyToParquet("SELECT 1 AS a", output);
        Should.Throw<DuckDbException>(() => _session.CopyToParquet("SELECT 2 AS a", output)).Message.ShouldContain("not empty");
    }

    public void Dispose()
    {
        _session.Dispose();
        _folder.Dispose();
    }
}
