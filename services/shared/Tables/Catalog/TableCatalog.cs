using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary><c>catalog/tables.json</c> and <c>catalog/views.sql</c>, always made anew from the tables' logs.</summary>
/// <remarks>
/// Any number of refreshes may run at once: each one looks at the logs again after it has written, and writes again when a table has moved on meanwhile. The refresh that
/// writes last looks after every other one's write, so what stays is what the logs say. A crash in between leaves an older catalog, whole, until the next refresh.
/// </remarks>
public static class TableCatalog
{
    /// <summary>Brings both files up to date. The orchestrator calls it with every publish; anybody may call it to repair.</summary>
    /// <param name="published">Read from its log in any case: its catalog entry may be of a table of the same name that was dropped.</param>
    public static async Task RefreshAsync(IObjectStore store, CancellationToken cancellationToken, TableName? published = null)
    {
        // Without one that can be read the catalog is made from the logs alone.
        var known = await store.FindJsonAsync(LakeLayout.CatalogJson, ContractsJson.Default.Catalog, cancellationToken);
        if (known is not null && published is not null) known = known with { Tables = [.. known.Tables.Where(t => t.Name != published)] };
        var versions = await VersionsAsync(store, cancellationToken);
        while (true)
        {
            var (catalog, unreadable) = await ReadAsync(store, versions, known, cancellationToken);
            await store.PutJsonAsync(LakeLayout.CatalogJson, catalog, ContractsJson.Default.Catalog, cancellationToken);
            await store.PutAsync(LakeLayout.CatalogViews, Encoding.UTF8.GetBytes(ViewsSql.Write(catalog, store.Root, unreadable)), cancellationToken);
            var now = await VersionsAsync(store, cancellationToken);
            if (now.SequenceEqual(versions)) return;
            (versions, known) = (now, catalog);
        }
    }

    // An entry of the version that a log ends with is still right, for versions never change; so only tables that moved on are read.
    static async Task<(Catalog Catalog, IReadOnlyList<LakeException> Unreadable)> ReadAsync(
        IObjectStore store, IReadOnlyList<(TableName Table, long? Version)> versions, Catalog? known, CancellationToken cancellationToken)
    {
        var tables = new List<CatalogTable>();
        var unreadable = new List<LakeException>();
        foreach (var (name, version) in versions)
        {
            try
            {
                var same = known?.Tables.FirstOrDefault(t => t.Name == name && t.TableVersion == version);
                if (same is not null) tables.Add(same);
                else if (await DeltaTable.OpenAsync(store, name, cancellationToken, version) is { } table) tables.Add(Entry(table));
            }
            catch (LakeException e) when (!e.IsTransient)
            {
                // One damaged table must not take the others from the laptop; views.sql says what is missing and why.
                unreadable.Add(e);
            }
        }
        return (new() { Tables = tables }, unreadable);
    }

    static CatalogTable Entry(DeltaTable table) =>
        new(table.Name, table.Version, table.Rows, table.Files.Sum(f => f.Bytes), table.Columns, table.Objects, table.CommittedAt);

    /// <summary>Every table's newest version; null for one whose log cannot be read, so that reading it says why.</summary>
    static async Task<IReadOnlyList<(TableName Table, long? Version)>> VersionsAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        var versions = new List<(TableName Table, long? Version)>();
        await foreach (var folder in store.ListFoldersAsync(LakeLayout.Tables, cancellationToken))
        {
            if (!Name.IsValid(folder[..^1])) continue;
            var table = new TableName(folder[..^1]);
            try
            {
                if (await DeltaLog.LatestAsync(store, table, cancellationToken) is { } version) versions.Add((table, version));
            }
            catch (LakeException e) when (e.Code == "lake.corrupt_log")
            {
                versions.Add((table, null));
            }
        }
        return versions;
    }
}
