using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;
using static LeanPipe.Integration.Lake.PublishFixture;
using static LeanPipe.Integration.Lake.RealRows;

namespace LeanPipe.Integration.Lake;

/// <summary>Values at the edges of their types, folders with signs in their names, and what other writers put into a log.</summary>
public sealed class OddValuesTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("'nan'::DOUBLE", "1.5::DOUBLE")]
    [InlineData("'inf'::DOUBLE", "1.5::DOUBLE")]
    [InlineData("'-inf'::FLOAT", "1.5::FLOAT")]
    [InlineData("0.1::FLOAT", "0.7::FLOAT")]
    [InlineData("1.7976931348623157e308::DOUBLE", "5e-324::DOUBLE")]
    [InlineData("0.0::DOUBLE", "7.0::DOUBLE", "(-0.0)::DOUBLE")]
    [InlineData("(-0.0)::DOUBLE", "7.0::DOUBLE", "0.0::DOUBLE")]
    [InlineData("'infinity'::DATE", "'2026-01-01'::DATE")]
    [InlineData("'-infinity'::DATE", "'2026-01-01'::DATE")]
    [InlineData("'0044-03-15 (BC)'::DATE", "'12026-01-01'::DATE")]
    [InlineData("'infinity'::TIMESTAMPTZ", "'2026-01-01 10:00:00+00'::TIMESTAMPTZ")]
    [InlineData("'0044-03-15 (BC) 10:00:00.123456+00'::TIMESTAMPTZ", "'12026-01-01 10:00:00.123456+00'::TIMESTAMPTZ")]
    [InlineData("'0099-01-01 10:00:00.5+00'::TIMESTAMPTZ", "'2026-01-01 10:00:00.999999+00'::TIMESTAMPTZ")]
    [InlineData("'1969-12-31 23:59:59.999999+00'::TIMESTAMPTZ", "'1969-12-31 23:59:59.9995+00'::TIMESTAMPTZ")]
    [InlineData("repeat('z', 40)", "repeat('y', 33)")]
    [InlineData("repeat(chr(1114111), 40)", "'a'")]
    [InlineData("repeat('y', 31) || chr(1114111) || chr(1114111)", "'a'")]
    [InlineData("repeat('z', 20000)", "'a'")]
    [InlineData("''", "'NULL'")]
    [InlineData("'a' || chr(0) || 'b'", "'a'")]
    [InlineData("'it''s \"x\"' || chr(10) || '{'", "'größe'")]
    [InlineData("(-99999999999999999999999999999999999999)::DECIMAL(38,0)", "99999999999999999999999999999999999999::DECIMAL(38,0)")]
    [InlineData("0.0000000001::DECIMAL(38,10)", "(-0.0000000001)::DECIMAL(38,10)")]
    [InlineData("(-9223372036854775808)::BIGINT", "9223372036854775807::BIGINT")]
    [InlineData("(-128)::TINYINT", "127::TINYINT")]
    [InlineData("true", "false")]
    [InlineData("'\\xFF\\x00'::BLOB", "'\\x00'::BLOB")]
    public async Task A_merge_finds_the_row_whatever_value_its_key_has(string key, string other, string? again = null)
    {
        using var folder = new TemporaryFolder();
        var store = ObjectStores.Open(new() { Root = folder.Path });
        await PublishSqlAsync(store, Hour(10), $"SELECT * FROM (VALUES ({key}, 'old'), ({other}, 'other')) v(k, name)", mode: PublishMode.Merge, key: ["k"]);
        await PublishSqlAsync(store, Hour(11), $"SELECT * FROM (VALUES ({again ?? key}, 'new')) v(k, name)", mode: PublishMode.Merge, key: ["k"]);
        (await RowsAsync(store, "SELECT name FROM t ORDER BY name")).ShouldBe("new/other");
        for (var hour = 12; hour < 22; hour++) await PublishSqlAsync(store, Hour(hour), $"SELECT {again ?? key} AS k, '{hour}' AS name", mode: PublishMode.Merge, key: ["k"]);
        (await RowsAsync(store, "SELECT name FROM t ORDER BY name")).ShouldBe("21/other");
        // The linter writes bounds as SQL, which has no way to write this one.
        if (!key.Contains("chr(0)", StringComparison.Ordinal)) await CheckAsync(store);
    }

    [Theory]
    [InlineData("lake [1]", "lake 1")]
    [InlineData("wh*t?", "whatt")]
    [InlineData("it's", "its")]
    public async Task A_lake_may_lie_in_a_folder_of_any_name(string name, string twin)
    {
        using var folder = new TemporaryFolder();
        var store = ObjectStores.Open(new() { Root = Path.Combine(folder.Path, name) });
        for (var hour = 0; hour < 11; hour++) await PublishSqlAsync(store, Hour(hour), $"SELECT {hour} AS id, 'a' AS name", mode: PublishMode.Merge, key: ["id"]);
        Copy(Path.Combine(folder.Path, name), Path.Combine(folder.Path, twin));
        await PublishSqlAsync(store, Hour(11), "SELECT 3 AS id, 'b' AS name", mode: PublishMode.Merge, key: ["id"]);
        (await RowsAsync(store, "SELECT count(*), count(*) FILTER (name = 'b') FROM t")).ShouldBe("11 1");
        Copy(Path.Combine(folder.Path, name), Path.Combine(folder.Path, twin));
        await TableCompaction.RunAsync(store, Table, new() { MinFiles = 2, SettledAfter = TimeSpan.Zero }, new(), TimeProvider.System, Token);
        (await RowsAsync(store, "SELECT count(*), count(*) FILTER (name = 'b') FROM t")).ShouldBe("11 1");
    }

    [Fact]
    public async Task A_file_of_another_writer_is_removed_by_the_very_path_that_it_was_added_by()
    {
        const string Added = "part-(1)%c3%A4%2Bb~'.parquet";
        using var folder = new TemporaryFolder();
        var store = ObjectStores.Open(new() { Root = folder.Path });
        await PublishSqlAsync(store, Hour(10), "SELECT 1 AS id");
        var add = JsonSerializer.Serialize(new { add = new { path = Added, partitionValues = new { }, size = 3, modificationTime = 0, dataChange = true, stats = "{\"numRecords\":null}" } });
        await store.PutAsync(LakeLayout.TableCommit(Table, 1), Encoding.UTF8.GetBytes(add + "\n"), Token);
        await PublishSqlAsync(store, Hour(11), "SELECT 2 AS id", mode: PublishMode.ReplaceTable);
        var removed = (await DeltaLog.ReadAsync(store, Table, 2, Token)).Where(a => a.Remove is not null).Select(a => a.Remove!.Path).ToList();
        removed.ShouldContain(Added);
    }

    static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }

    sealed class TemporaryFolder : IDisposable
    {
        readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("leanpipe-odd-");

        public string Path => folder.FullName;

        public void Dispose() => folder.Delete(recursive: true);
    }
}
