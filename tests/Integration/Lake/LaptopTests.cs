using System.Diagnostics;
using System.Text;
using DuckDB.NET.Data;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;
using static LeanPipe.Integration.Lake.PublishFixture;
using static LeanPipe.Integration.Lake.RealRows;

namespace LeanPipe.Integration.Lake;

/// <summary>Real Parquet, published, then opened through <c>views.sql</c> and through the log by a DuckDB that is not ours.</summary>
public sealed class LaptopTests
{
    const string Rows = "SELECT 's' || (i % 50) AS sensor_id, i / 2 AS avg_value, TIMESTAMPTZ '2026-01-01 10:00:00+00' + to_microseconds(i) AS start_time FROM range(1000) t(i)";

    const string EveryType =
        """
        SELECT 'x' AS text, '{"a":1}'::JSON AS json, 1::BIGINT AS l, 2::INTEGER AS i, 3::SMALLINT AS s, 4::TINYINT AS b, 1.5::FLOAT AS f, 2.5::DOUBLE AS d, 3.25::DECIMAL(18,3) AS dec,
            true AS flag, 'ab'::BLOB AS raw, DATE '2026-01-01' AS day, TIMESTAMPTZ '2026-01-01 10:00:00+00' AS at, 'on'::ENUM('on', 'o''ff') AS state,
            [1, 2] AS list, [[1.5]] AS nested, {'a': 1, 'b_C': 'x'} AS flat, {'a': {'q': [DATE '2026-01-01']}} AS deep, MAP {'k': 1::BIGINT} AS map, [1, 2]::INTEGER[2] AS pair
        """;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("lake")]
    [InlineData("it's [my] lake? *1*")]
    public async Task A_folder_lake_opens_through_its_views(string name)
    {
        var parent = Directory.CreateTempSubdirectory("leanpipe-views-");
        try
        {
            var store = ObjectStores.Open(new() { Root = Path.Combine(parent.FullName, name) });
            await PublishSqlAsync(store, Hour(10), Rows);
            await PublishSqlAsync(store, Hour(11), $"SELECT sensor_id, avg_value, 'extra' AS added FROM ({Rows})");
            await PublishSqlAsync(store, Hour(10), "SELECT 1 AS one", new("emptied"));
            await PublishSqlAsync(store, Hour(10), "SELECT 1 AS one WHERE false", new("emptied"), revision: 2);
            using var duck = Open();
            Execute(duck, await ViewsAsync(store));
            Scalar(duck, "SELECT count(*) || ' ' || count(start_time) || ' ' || count(added) FROM temperatures_hourly").ShouldBe("2000 1000 1000");
            Scalar(duck, "SELECT string_agg(column_name || ' ' || column_type, ', ') FROM (DESCRIBE temperatures_hourly)")
                .ShouldBe("sensor_id VARCHAR, avg_value DOUBLE, start_time TIMESTAMP WITH TIME ZONE, added VARCHAR");
            Scalar(duck, "SELECT count(*) || typeof(sum(one)) FROM emptied").ShouldBe("0HUGEINT");
            await CheckAsync(store);
        }
        finally
        {
            parent.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Every_supported_type_comes_back_as_the_table_says()
    {
        await using var at = TestStore.Folder();
        await PublishSqlAsync(at.Store, Hour(10), EveryType);
        await DeltaLinter.CheckAsync(at.Store, Table);
        var columns = (await DeltaTable.OpenAsync(at.Store, Table, Token))!.Columns;
        using var duck = Open();
        Execute(duck, await ViewsAsync(at.Store));
        Scalar(duck, "SELECT count(*)::VARCHAR FROM temperatures_hourly").ShouldBe("1");
        foreach (var column in columns)
        {
            Scalar(duck, $"SELECT (\"{column.Name}\" IS NOT NULL)::VARCHAR FROM temperatures_hourly").ShouldBe("true");
            if (column.Name is "json") continue;
            Scalar(duck, $"SELECT typeof(\"{column.Name}\") FROM temperatures_hourly").ShouldBe(Canonical(duck, column.Type));
        }
    }

    [Fact]
    public async Task A_laptops_DuckDB_reads_the_table_from_S3_through_its_views_and_through_its_log()
    {
        await using var at = await TestStore.S3Async();
        var command = Environment.GetEnvironmentVariable("LEANPIPE_TEST_DUCKDB");
        if (string.IsNullOrEmpty(command))
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException("LEANPIPE_TEST_DUCKDB is not set, and CI must not skip.");
            Assert.Skip("LEANPIPE_TEST_DUCKDB names no DuckDB command line.");
        }
        await PublishSqlAsync(at.Store, Hour(10), Rows);
        await PublishSqlAsync(at.Store, Hour(11), Rows);
        await PublishSqlAsync(at.Store, Hour(10), $"{Rows} WHERE i < 10", revision: 2);
        var endpoint = new Uri(Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3")!);
        var log = $"{at.Store.Root}/{LakeLayout.TableLog(Table)}";
        var answer = await LaptopAsync(command!, $$"""
            LOAD httpfs;
            CREATE SECRET lake (TYPE s3, KEY_ID '{{Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3_KEY")}}', SECRET '{{Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3_SECRET")}}',
                REGION 'us-east-1', ENDPOINT '{{endpoint.Authority}}', URL_STYLE 'path', USE_SSL {{(endpoint.Scheme == "https" ? "true" : "false")}});
            {{await ViewsAsync(at.Store)}}
            SELECT 'views', count(*), sum(avg_value), min(start_time AT TIME ZONE 'UTC') FROM temperatures_hourly;
            SET VARIABLE live = (SELECT list('{{at.Store.Root}}/{{LakeLayout.Table(Table)}}' || added) FROM (
                SELECT json_extract_string(line, '$.add.path') AS added FROM read_csv('{{log}}*.json', columns = {'line': 'VARCHAR'}, delim = '\0', quote = '', escape = '', header = false)
                WHERE added IS NOT NULL AND added NOT IN (
                    SELECT json_extract_string(line, '$.remove.path') FROM read_csv('{{log}}*.json', columns = {'line': 'VARCHAR'}, delim = '\0', quote = '', escape = '', header = false)
                    WHERE json_extract_string(line, '$.remove.path') IS NOT NULL)));
            SELECT 'log', count(*), sum(avg_value), min(start_time AT TIME ZONE 'UTC') FROM read_parquet(getvariable('live'), hive_partitioning = false);
            """);
        answer.ShouldEndWith("views,1010,249772.5,2026-01-01 10:00:00\nlog,1010,249772.5,2026-01-01 10:00:00\n");
    }

    static async Task<string> ViewsAsync(IObjectStore store) => Encoding.UTF8.GetString((await store.GetAsync(LakeLayout.CatalogViews, Token))!.Value.Span);

    static async Task<string> LaptopAsync(string command, string sql)
    {
        using var process = Process.Start(new ProcessStartInfo(command, ["-csv", "-noheader"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync(Token);
        var errors = process.StandardError.ReadToEndAsync(Token);
        await process.StandardInput.WriteAsync(sql);
        process.StandardInput.Close();
        await process.WaitForExitAsync(Token);
        (await errors).ShouldBe("");
        return await output;
    }

    static string Canonical(DuckDBConnection duck, string type) => Scalar(duck, $"SELECT typeof(CAST(NULL AS {type}))");
}
