using System.Security.Cryptography;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Integration.Lake;

/// <summary>Publishes made-up chunks, whose bytes say what they are, and reads back what a table's readers see.</summary>
static class PublishFixture
{
    public static readonly TableName Table = new("temperatures_hourly");
    public static readonly PipelineName Pipeline = new("telemetry-hourly");
    public static readonly IReadOnlyList<OutputColumn> Columns = [new("sensor_id", "VARCHAR"), new("avg_value", "DOUBLE"), new("start_time", "TIMESTAMP WITH TIME ZONE")];

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static WindowId Hour(int n) => WindowId.Parse($"2026-01-01T{n:D2}");

    public static async Task<IReadOnlyList<Chunk>> ChunksAsync(IObjectStore store, params string[] contents)
    {
        var chunks = new List<Chunk>();
        foreach (var content in contents)
        {
            var bytes = Encoding.UTF8.GetBytes(content);
            var key = $"runs/r/hourly/00000/1/part-{chunks.Count}-{content}.parquet";
            await store.PutAsync(key, bytes, Token);
            chunks.Add(new(
                new(key, bytes.Length, 10, Convert.ToHexStringLower(SHA256.HashData(bytes))), null,
                new Dictionary<string, ColumnStats> { ["sensor_id"] = new("a", "z", 0), ["avg_value"] = new("-1.5", "2.25", 1), ["start_time"] = new("2026-01-01T10:00:00.000001Z", "2026-01-01T10:59:59.999999Z", 0) }));
        }
        return chunks;
    }

    public static Task<PublishedTable> PublishAsync(
        IObjectStore store, WindowId window, int revision, string run, IReadOnlyList<Chunk> chunks, PublishMode mode = PublishMode.ReplaceWindow,
        IReadOnlyList<OutputColumn>? columns = null, TableName? table = null, PipelineName? pipeline = null,
        DateTimeOffset? plannedAt = null, bool readsWindow = true, IReadOnlyList<string>? key = null,
        TableWork? work = null, TimeProvider? time = null) =>
        TablePublisher.PublishAsync(
            store, new(table ?? Table, mode, key), new(pipeline ?? Pipeline, window, revision, new(run), plannedAt ?? TimeProvider.System.GetUtcNow(), readsWindow), columns ?? Columns, chunks,
            time ?? TimeProvider.System, Token, work);

    public static async Task<PublishedTable> PublishChunksAsync(IObjectStore store, string[] contents, Func<IReadOnlyList<Chunk>, Task<PublishedTable>> publish) =>
        await publish(await ChunksAsync(store, contents));

    /// <summary>The contents of the live files, sorted; null when there is no table.</summary>
    public static async Task<string?> SeenAsync(IObjectStore store, TableName? table = null)
    {
        if (await DeltaTable.OpenAsync(store, table ?? Table, Token) is not { } open) return null;
        var seen = new List<string>();
        foreach (var file in open.Files) seen.Add(Encoding.UTF8.GetString((await store.GetAsync(file.Key, Token))!.Value.Span));
        return string.Join(" ", seen.Order(StringComparer.Ordinal));
    }

    /// <summary>The log keeps every rule, and the catalog says exactly what the log says.</summary>
    public static async Task CheckAsync(IObjectStore store, TableName? table = null)
    {
        await DeltaLinter.CheckAsync(store, table ?? Table);
        var catalog = (await store.GetJsonAsync(LakeLayout.CatalogJson, ContractsJson.Default.Catalog, Token))!;
        var entry = catalog.Tables.Single(t => t.Name == (table ?? Table));
        var open = (await DeltaTable.OpenAsync(store, table ?? Table, Token))!;
        entry.TableVersion.ShouldBe(open.Version);
        entry.Files.ShouldBe(open.Objects);
        entry.Rows.ShouldBe(open.Rows);
        var views = Encoding.UTF8.GetString((await store.GetAsync(LakeLayout.CatalogViews, Token))!.Value.Span);
        foreach (var file in open.Files) views.ShouldContain($"/{file.Key}'");
    }
}
