using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>Writes rows of a table's files into new files of the table. Nobody reads those before a commit names them; without one they are left for the vacuum.</summary>
sealed class TableRewriter(IObjectStore store, TableName table, TableScratch scratch)
{
    int fetched;
    int written;

    /// <summary>The files on this machine, by key.</summary>
    public async Task<IReadOnlyDictionary<string, string>> FetchAsync(IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        var local = new Dictionary<string, string>();
        foreach (var key in keys) local[key] = await scratch.FetchAsync(store, key, $"in-{fetched++}.parquet", cancellationToken);
        return local;
    }

    /// <summary>The rows of a SELECT as files of the table in a folder of it; none when there are no rows. Their names are new in any case: data files are never overwritten.</summary>
    /// <param name="folder">Relative to the table's folder, empty or ending in '/'.</param>
    public async Task<IReadOnlyList<TableAdd>> WriteAsync(
        DuckDbSession session, string select, DeltaSchema schema, string folder, long fileBytes, IReadOnlyDictionary<string, string> tags, CancellationToken cancellationToken)
    {
        var output = scratch.File($"out-{written++}");
        var (files, facts) = await Task.Run(() =>
        {
            var copied = session.CopyToParquet(select, new() { Directory = output, FileBytes = fileBytes }, cancellationToken).Where(f => f.Rows > 0).ToList();
            return (copied, ParquetFacts.Read(session, [.. copied.Select(f => f.Path)], schema.Columns, cancellationToken));
        }, cancellationToken);
        var adds = new List<TableAdd>();
        foreach (var file in files)
        {
            var sha256 = await HashAsync(file.Path, cancellationToken);
            var path = $"{folder}{Guid.CreateVersion7():N}-{sha256[..16]}.parquet";
            var key = LakeLayout.Table(table) + path;
            await store.PutFileAsync(key, file.Path, cancellationToken);
            adds.Add(new(path, new(key, file.Bytes, facts[file.Path].Rows, sha256), DeltaStats.ToJson(facts[file.Path].Rows, facts[file.Path].Stats, schema), tags));
        }
        return adds;
    }

    /// <summary>No row may be lost or doubled on the way from old files to new ones.</summary>
    /// <exception cref="LakeException"><c>lake.rows_differ</c></exception>
    public static void RequireRows(TableName table, IReadOnlyList<DeltaFile> files, long found)
    {
        // Statistics of other writers may lack the count; ours always have it.
        if (files.Sum(f => f.Rows) is var expected && expected == found || !files.All(f => f.Sha256 is not null)) return;
        throw new LakeException(
            "lake.rows_differ",
            $"{files.Count} files of table '{table}' have {expected} rows by their log and {found} when they are written anew; nothing was committed. Compare {files[0].Path} and its neighbours with the log.");
    }

    static async Task<string> HashAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: false);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }
}
