using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Queries;

/// <summary>A DuckDB session with a view per published table, over exactly the files that the catalogue names.</summary>
/// <remarks>A folder lake is read in place. From another store the files of the tables that the SQL mentions are brought to a scratch folder first.</remarks>
sealed class TableSession : IDisposable
{
    readonly string _scratch;

    TableSession(string scratch, DuckDbSession session, IReadOnlyList<TableName> published) => (_scratch, Session, Published) = (scratch, session, published);

    public DuckDbSession Session { get; }

    /// <summary>What the catalogue names, whether the SQL mentions it or not.</summary>
    public IReadOnlyList<TableName> Published { get; }

    /// <param name="asOf">Null takes every table as it is now.</param>
    public static async Task<TableSession> OpenAsync(IObjectStore store, string sql, CancellationToken stop, AsOf? asOf = null)
    {
        var catalog = await store.GetJsonAsync(LakeLayout.CatalogJson, ContractsJson.Default.Catalog, stop) ?? new() { Tables = [] };
        var scratch = Directory.CreateTempSubdirectory("leanpipe-query-").FullName;
        try
        {
            var tables = catalog.Tables.Where(t => Mentions(sql, t.Name.Value)).ToList();
            if (asOf is not null) tables = await asOf.ApplyAsync(store, tables, stop);
            var files = new Dictionary<string, string>();
            foreach (var file in tables.SelectMany(t => t.Files)) files[file.Key] = store.LocalPath(file.Key) ?? await FetchAsync(store, file, scratch, stop);
            var session = DuckDbSession.Open(new() { ScratchDirectory = scratch, ReadablePaths = [.. files.Values], PreserveInsertionOrder = true });
            foreach (var table in tables)
            {
                IReadOnlyList<DuckDbColumn> columns = [.. table.Columns.Select(c => new DuckDbColumn(c.Name, c.Type))];
                if (table.Files.Count > 0) session.CreateParquetView(table.Name.Value, [.. table.Files.Select(f => files[f.Key])], columns);
                else session.CreateEmptyView(table.Name.Value, columns);
            }
            await RunTables.AddAsync(store, sql, scratch, session, stop);
            return new(scratch, session, [.. catalog.Tables.Select(t => t.Name)]);
        }
        catch
        {
            Directory.Delete(scratch, recursive: true);
            throw;
        }
    }

    public void Dispose()
    {
        Session.Dispose();
        Directory.Delete(_scratch, recursive: true);
    }

    /// <summary>As a whole word: <c>t</c> is not mentioned where <c>t_more</c> is.</summary>
    internal static bool Mentions(string sql, string name)
    {
        for (var at = sql.IndexOf(name, StringComparison.OrdinalIgnoreCase); at >= 0; at = sql.IndexOf(name, at + 1, StringComparison.OrdinalIgnoreCase))
            if ((at == 0 || !IsOfName(sql[at - 1])) && (at + name.Length == sql.Length || !IsOfName(sql[at + name.Length]))) return true;
        return false;

        static bool IsOfName(char c) => char.IsLetterOrDigit(c) || c is '_';
    }

    static async Task<string> FetchAsync(IObjectStore store, ObjectRef file, string scratch, CancellationToken stop)
    {
        var path = Path.Combine(scratch, $"{file.Sha256}.parquet");
        await using var from = await store.OpenAsync(file.Key, 0, null, stop) ?? throw new LeanPipeException(
            "cli.file_gone", $"The catalogue names {file.Key}, which is not there. A newer version of the table may have replaced it; try again.", isTransient: true);
        await using var to = File.Create(path);
        await from.CopyToAsync(to, stop);
        return path;
    }
}
