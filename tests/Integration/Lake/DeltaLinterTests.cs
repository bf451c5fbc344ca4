using System.Text;
using LeanPipe.Lake;
using static LeanPipe.Integration.Lake.PublishFixture;

namespace LeanPipe.Integration.Lake;

/// <summary>A log that breaks one rule is found out by it, or the linter would prove nothing.</summary>
public sealed class DeltaLinterTests : IAsyncDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("leanpipe-linter-");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync()
    {
        folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_log_as_it_is_written_has_no_fault() => (await FaultsAsync(_ => { })).ShouldBeEmpty();

    [Theory]
    [InlineData(0, "\"minWriterVersion\":2", "\"minWriterVersion\":3", "another protocol")]
    [InlineData(0, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n", "", "version 0 without protocol")]
    [InlineData(0, "\"provider\":\"parquet\"", "\"provider\":\"orc\"", "no format parquet")]
    [InlineData(0, "\"partitionColumns\":[],", "", "no partitionColumns")]
    [InlineData(0, "\"configuration\":{},", "", "no configuration")]
    [InlineData(0, "\\\"type\\\":\\\"double\\\"", "\\\"type\\\":\\\"uint64\\\"", "has the type uint64")]
    [InlineData(0, "\\\"name\\\":\\\"avg_value\\\"", "\\\"name\\\":\\\"avg value\\\"", "column mapping")]
    [InlineData(0, "\\\"name\\\":\\\"avg_value\\\"", "\\\"name\\\":\\\"SENSOR_ID\\\"", "twice")]
    [InlineData(0, "\"id\":\"", "\"id\":\"x", "no GUID")]
    [InlineData(0, "\"partitionValues\":{},\"size\":1", "\"partitionValues\":{\"day\":\"1\"},\"size\":1", "other partition values")]
    [InlineData(0, ",\"dataChange\":true,\"stats\"", ",\"stats\"", "without modificationTime or dataChange")]
    [InlineData(0, "\\\"numRecords\\\":10", "\\\"numRecords\\\":-1", "without numRecords")]
    [InlineData(0, "\\\"nullCount\\\":{\\\"sensor_id\\\":0", "\\\"nullCount\\\":{\\\"sensor_id\\\":11", "nullCount of 'sensor_id'")]
    [InlineData(0, "\\\"minValues\\\":{\\\"sensor_id\\\":\\\"a\\\"", "\\\"minValues\\\":{\\\"sensor_id\\\":1", "minValues of 'sensor_id'")]
    [InlineData(0, "\\\"minValues\\\":{\\\"sensor_id\\\"", "\\\"minValues\\\":{\\\"other\\\"", "no column")]
    [InlineData(0, "{\"add\":", "{\"cdc\":{},\"add\":", "instead of one action")]
    [InlineData(0, "{\"add\":", "{\"sidecar\":", "instead of one action")]
    [InlineData(0, "{\"add\":", "{add:", "no JSON")]
    [InlineData(0, "{\"add\":{\"path\":\"window", "{\"add\":{\"path\":\"/window", "not relative")]
    [InlineData(0, "{\"add\":{\"path\":\"window", "{\"add\":{\"path\":\"a b/window", "not relative")]
    [InlineData(0, "{\"add\":{\"path\":\"window", "{\"add\":{\"path\":\"elsewhere", "does not exist")]
    [InlineData(1, "\"size\":1,\"modificationTime\"", "\"size\":11,\"modificationTime\"", "bytes; it has")]
    [InlineData(1, "{\"remove\":{\"path\":\"window", "{\"remove\":{\"path\":\"xwindow", "is not live")]
    [InlineData(1, "\"deletionTimestamp\"", "\"deletedAt\"", "without deletionTimestamp")]
    [InlineData(1, "\"txn\":{\"appId\":\"leanpipe/telemetry-hourly/2026-01-01T10\",\"version\":", "\"txn\":{\"appId\":\"leanpipe/telemetry-hourly/2026-01-01T10\",\"version\":-", "takes txn")]
    [InlineData(1, "{\"commitInfo\":{\"timestamp\":1", "{\"commitInfo\":{\"timestamp\":0", "no JSON")]
    [InlineData(1, "{\"commitInfo\":{\"timestamp\":", "{\"commitInfo\":{\"timestamp\":-", "before the version before it")]
    [InlineData(1, "\"operation\":", "\"op\":", "without timestamp or operation")]
    [InlineData(0, "\"dataChange\":true", "\"dataChange\":false", "changes no data")]
    public async Task A_broken_rule_of_a_commit_is_named(int version, string good, string bad, string named)
    {
        var faults = await FaultsAsync(store =>
        {
            var path = store.LocalPath(LakeLayout.TableCommit(Table, version))!;
            var text = File.ReadAllText(path);
            text.ShouldContain(good);
            File.WriteAllText(path, text.Replace(good, bad, StringComparison.Ordinal));
        });
        faults.ShouldContain(f => f.Contains(named, StringComparison.Ordinal), string.Join('\n', faults));
    }

    [Fact]
    public async Task A_path_or_an_application_named_twice_in_a_commit_is_named()
    {
        var faults = await FaultsAsync(store =>
        {
            var path = store.LocalPath(LakeLayout.TableCommit(Table, 0))!;
            var lines = File.ReadAllLines(path);
            File.WriteAllLines(path, [.. lines, lines.First(l => l.StartsWith("{\"txn", StringComparison.Ordinal)), lines.First(l => l.StartsWith("{\"add", StringComparison.Ordinal)), lines[2]]);
        });
        faults.Count(f => f.Contains("has two actions for", StringComparison.Ordinal)).ShouldBe(3);
        faults.ShouldContain(f => f.Contains("which is live", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("00000000000000000000.json", "00000000000000000050.json", "versions are contiguous")]
    [InlineData("00000000000000000011.json", "00000000000000000013.json", "versions are contiguous")]
    [InlineData("00000000000000000011.json", "1.json", "no name of a log file")]
    [InlineData("00000000000000000010.checkpoint.parquet", "00000000000000000009.checkpoint.parquet", "live files where the log holds")]
    [InlineData("00000000000000000010.checkpoint.parquet", "00000000000000000090.checkpoint.parquet", "has no commit")]
    [InlineData("00000000000000000010.checkpoint.parquet", "_last_checkpoint2", "which does not exist")]
    public async Task A_log_with_wrong_names_is_named(string from, string to, string named)
    {
        var faults = await FaultsAsync(store =>
        {
            var log = store.LocalPath(LakeLayout.TableLastCheckpoint(Table))!;
            File.Move(Path.Combine(Path.GetDirectoryName(log)!, from), Path.Combine(Path.GetDirectoryName(log)!, to));
        }, versions: 12);
        faults.ShouldContain(f => f.Contains(named, StringComparison.Ordinal), string.Join('\n', faults));
    }

    [Fact]
    public async Task A_table_whose_id_or_column_type_changes_is_named()
    {
        var faults = await FaultsAsync(store =>
        {
            var first = File.ReadAllLines(store.LocalPath(LakeLayout.TableCommit(Table, 0))!).Single(l => l.StartsWith("{\"metaData", StringComparison.Ordinal));
            var changed = first.Replace("\"id\":\"0", "\"id\":\"1", StringComparison.Ordinal).Replace("\\\"double\\\"", "\\\"string\\\"", StringComparison.Ordinal);
            File.AppendAllText(store.LocalPath(LakeLayout.TableCommit(Table, 2))!, changed + "\n", new UTF8Encoding(false));
        });
        faults.ShouldContain(f => f.Contains("changes the table's id", StringComparison.Ordinal));
        faults.ShouldContain(f => f.Contains("changes the type of avg_value", StringComparison.Ordinal));
    }

    async Task<IReadOnlyList<string>> FaultsAsync(Action<IObjectStore> damage, int versions = 3)
    {
        var store = ObjectStores.Open(new() { Root = folder.FullName });
        for (var n = 0; n < versions; n++) await PublishAsync(store, Hour(10 + n / 2), 1 + n, $"r{n}", await ChunksAsync(store, $"{n}", $"{n}b"));
        damage(store);
        return await DeltaLinter.FaultsAsync(store, Table);
    }
}
