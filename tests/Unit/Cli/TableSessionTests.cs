using LeanPipe.Cli;
using LeanPipe.Cli.Queries;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Unit.Cli;

public sealed class TableSessionTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-tables-");

    [Theory]
    [InlineData(1, "1 a ")]
    [InlineData(2, "1 a /2 b x")]
    public async Task A_table_whose_files_are_of_two_ages_shows_all_its_columns_in_their_order(int files, string rows)
    {
        var store = ObjectStores.Open(new() { Root = Path.Combine(_folder.FullName, "lake") });
        await AddAsync(store, "tables/t/window=2026-01-01/p/a-old.parquet", "SELECT 1::BIGINT AS id, 'a' AS name");
        await AddAsync(store, "tables/t/window=2026-01-02/p/b-young.parquet", "SELECT 'x' AS note, 'b' AS name, 2::BIGINT AS id");
        string[] keys = ["tables/t/window=2026-01-01/p/a-old.parquet", "tables/t/window=2026-01-02/p/b-young.parquet"];
        await store.PutJsonAsync(LakeLayout.CatalogJson, new Catalog
        {
            Tables =
            [
                new(new("t"), 1, 2, 2, [new("id", "BIGINT"), new("name", "VARCHAR"), new("note", "VARCHAR")], [.. keys[..files].Select(k => new ObjectRef(k, 1, 1, ""))],
                    DateTimeOffset.UnixEpoch),
            ],
        }, ContractsJson.Default.Catalog, default);

        using var tables = await TableSession.OpenAsync(store, "SELECT * FROM t ORDER BY id", default);

        using var found = tables.Session.Query("SELECT * FROM t ORDER BY id");
        found.Names.ShouldBe(["id", "name", "note"]);
        var read = new List<string>();
        while (found.Read()) read.Add(string.Join(' ', Enumerable.Range(0, 3).Select(n => $"{found.GetValue(n)}")));
        string.Join('/', read).ShouldBe(rows);
    }

    [Fact]
    public async Task A_table_whose_name_is_a_part_of_another_ones_is_not_opened_for_it()
    {
        var store = ObjectStores.Open(new() { Root = Path.Combine(_folder.FullName, "lake") });
        await AddAsync(store, "tables/t_more/a.parquet", "SELECT 1::BIGINT AS id");
        await store.PutJsonAsync(LakeLayout.CatalogJson, new Catalog
        {
            Tables =
            [
                new(new("t"), 1, 1, 1, [new("id", "BIGINT")], [new ObjectRef("tables/t/gone.parquet", 1, 1, "")], DateTimeOffset.UnixEpoch),
                new(new("t_more"), 1, 1, 1, [new("id", "BIGINT")], [new ObjectRef("tables/t_more/a.parquet", 1, 1, "")], DateTimeOffset.UnixEpoch),
            ],
        }, ContractsJson.Default.Catalog, default);

        foreach (var sql in (string[])["SELECT id FROM t_more", "SELECT id FROM \"T_MORE\" WHERE id = 1;", "FROM t_more"])
        {
            using var tables = await TableSession.OpenAsync(store, sql, default);
            using var found = tables.Session.Query(sql);
            found.Read().ShouldBeTrue(sql);
        }
        (await Should.ThrowAsync<UsageException>(() => TableSession.OpenAsync(store, "FROM t_more", default, AsOf.Parse("3")))).Message.ShouldBe("Table 't_more' has no version 3; the newest is 1.");
    }

    async Task AddAsync(IObjectStore store, string key, string select)
    {
        var scratch = _folder.CreateSubdirectory(Path.GetRandomFileName()).FullName;
        using var session = DuckDbSession.Open(new() { ScratchDirectory = scratch });
        session.Execute($"COPY ({select}) TO '{scratch}/rows.parquet' (FORMAT parquet)");
        await store.PutFileAsync(key, Path.Combine(scratch, "rows.parquet"), default);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
