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

    /// <summary>The file on this machine. Release it when it is not needed any more.</summary>
    public Task<string> FetchAsync(string key, CancellationToken cancellationToken) => scratch.FetchAsync(store, key, $"in-{fetched++}.parquet", cancellationToken);

    public async Task<IReadOnlyList<string>> FetchAsync(IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        var local = new List<string>();
        foreach (var key in keys) local.Add(await FetchAsync(key, cancellationToken));
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
            scratch.Release(file.Path);
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

    /// <summary>What DuckDB could not do with the room that it has.</summary>
    /// <exception cref="LakeException"><c>lake.no_room</c></exception>
    public static async Task<T> WithinAsync<T>(TableName table, TableWork work, Func<Task<T>> rewrite)
    {
        try
        {
            return await rewrite();
        }
        catch (DuckDbException e) when (e.Code is "duckdb.out_of_memory" or "duckdb.out_of_spill")
        {
            throw NoRoom(table, $"it ran out of its {work.MemoryBytes} bytes of memory and {work.ScratchBytes} of scratch ({e.Message})", e);
        }
    }

    public static LakeException NoRoom(TableName table, string found, Exception? inner = null) => new(
        "lake.no_room", $"Files of table '{table}' cannot be written anew: {found}; nothing was committed. Give rewrites more room (LEANPIPE_TABLE_SCRATCH, LEANPIPE_TABLE_MEMORY), or publish fewer rows at a time.", inner: inner);

    static async Task<string> HashAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: false);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }
}
