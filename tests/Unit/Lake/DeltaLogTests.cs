using System.Collections.Immutable;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Unit.Lake;

public sealed class DeltaLogTests : IDisposable
{
    const string Protocol = """{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}""";

    const string MetaData =
        """{"metaData":{"id":"0199a0c0-0000-7000-8000-000000000001","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}""";

    static readonly TableName Table = new("t");
    static readonly PublishOrigin Origin = new(new("p"), WindowId.Parse("2026-01-01"), 1, new("r"), DateTimeOffset.UnixEpoch, ReadsWindow: true);

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("leanpipe-log-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task A_log_of_another_writer_is_read()
    {
        var table = (await Open(
            Lines(
                """{"commitInfo":{"timestamp":1767265500000,"operationParameters":{"n":1}}}""", Protocol, MetaData,
                """{"add":{"path":"a%20b.parquet","partitionValues":{},"size":10,"modificationTime":1,"dataChange":true,"deletionVector":null}}"""),
            Lines(
                """{"futureAction":{"x":1}}""",
                """{"add":{"path":"c.parquet","partitionValues":{},"size":5,"modificationTime":1,"dataChange":false,"stats":"{\"numRecords\":3}"}}""")))!;
        table.Files.Select(f => (f.Path, f.Bytes, f.Rows)).ShouldBe([("a b.parquet", 10L, 0L), ("c.parquet", 5L, 3L)]);
        table.Columns.ShouldBe([new("a", "BIGINT")]);
        table.Version.ShouldBe(1);
        table.CommittedAt.ToUnixTimeMilliseconds().ShouldBe(1767265500000);
    }

    [Theory]
    [InlineData("""{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors","timestampNtz"],"writerFeatures":[]}}""", "deletionVectors, timestampNtz")]
    [InlineData("""{"protocol":{"minReaderVersion":2,"minWriterVersion":5}}""", "reader version 2")]
    public async Task A_table_that_asks_for_more_is_refused_by_name(string protocol, string named)
    {
        var error = await Should.ThrowAsync<LakeException>(() => Open($"{protocol}\n{MetaData}"));
        error.Code.ShouldBe("lake.unsupported_table");
        error.Message.ShouldContain(named);
    }

    [Fact]
    public async Task A_partitioned_table_is_refused() =>
        (await Should.ThrowAsync<LakeException>(() => Open($"{Protocol}\n{MetaData.Replace("\"partitionColumns\":[]", "\"partitionColumns\":[\"day\"]", StringComparison.Ordinal)}"))).Message.ShouldContain("day");

    [Fact]
    public void The_versions_that_can_be_read_are_those_with_every_commit_since_a_checkpoint_or_the_beginning()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var there = Enumerable.Range(0, 30).Where(_ => random.Next(8) > 0).ToImmutableSortedDictionary(v => (long)v, _ => DateTimeOffset.UnixEpoch);
            var checkpoints = Enumerable.Range(0, 30).Where(_ => random.Next(6) == 0).Select(v => new LogCheckpoint(v, [])).ToList();
            var listing = new LogListing(Table, there, checkpoints);
            listing.Readable.ShouldBe(Enumerable.Range(0, 30).Select(v => (long)v).Where(v => (there.ContainsKey(v) || checkpoints.Exists(c => c.Version == v)) && listing.FirstMissing(v) is null), $"seed {seed}");
        }
    }

    [Fact]
    public async Task A_table_for_newer_writers_is_read_but_not_written()
    {
        await Open(Lines("""{"protocol":{"minReaderVersion":1,"minWriterVersion":3}}""", MetaData));
        var error = await Should.ThrowAsync<LakeException>(() => TablePublisher.PublishAsync(
            Store(), new(Table), Origin, [new("a", "BIGINT")], [], TimeProvider.System, CancellationToken.None));
        error.Code.ShouldBe("lake.unsupported_table");
        error.Message.ShouldContain("writer version 3");
    }

    [Fact]
    public async Task A_missing_version_is_an_error_that_names_it()
    {
        await Open($"{Protocol}\n{MetaData}", "", "");
        File.Delete(Path.Combine(folder.FullName, LakeLayout.TableCommit(Table, 1)));
        var error = await Should.ThrowAsync<LakeException>(() => DeltaTable.OpenAsync(Store(), Table, CancellationToken.None));
        error.Code.ShouldBe("lake.corrupt_log");
        error.Message.ShouldContain("version 1 is missing");
    }

    [Fact]
    public void Every_cut_of_a_commit_is_read_as_damaged_or_as_fewer_whole_lines()
    {
        var whole = Encoding.UTF8.GetString(DeltaLog.Format(DeltaLog.Parse(Table, 0, File.ReadAllBytes(Path.Combine(Repository.Tree.Root, "tests/golden/lake/delta-commit.json")))).Span);
        for (var cut = 0; cut < whole.Length; cut++)
        {
            try
            {
                DeltaLog.Parse(Table, 0, Encoding.UTF8.GetBytes(whole[..cut])).Count.ShouldBe(whole[..cut].Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
            }
            catch (LakeException e)
            {
                e.Code.ShouldBe("lake.corrupt_log");
            }
        }
    }

    [Fact]
    public async Task One_damaged_table_does_not_take_the_others_from_the_catalog()
    {
        await Open($"{Protocol}\n{MetaData}", "{not json");
        await TablePublisher.PublishAsync(
            Store(), new(new("good"), PublishMode.ReplaceTable), Origin, [new("a", "BIGINT")], [], TimeProvider.System, CancellationToken.None);
        var catalog = (await Store().GetJsonAsync(LakeLayout.CatalogJson, ContractsJson.Default.Catalog, CancellationToken.None))!;
        catalog.Tables.ShouldHaveSingleItem().Name.Value.ShouldBe("good");
        (await File.ReadAllTextAsync(Path.Combine(folder.FullName, LakeLayout.CatalogViews))).ShouldContain("-- Left out: The log of table 't'");
    }

    static string Lines(params string[] actions) => string.Join('\n', actions);

    IObjectStore Store() => ObjectStores.Open(new() { Root = folder.FullName });

    async Task<DeltaTable?> Open(params string[] commits)
    {
        for (var version = 0; version < commits.Length; version++)
            await Store().PutAsync(LakeLayout.TableCommit(Table, version), Encoding.UTF8.GetBytes(commits[version]), CancellationToken.None);
        try
        {
            return await DeltaTable.OpenAsync(Store(), Table, CancellationToken.None);
        }
        catch (LakeException e) when (e.Code == "lake.corrupt_log")
        {
            return null;
        }
    }
}
