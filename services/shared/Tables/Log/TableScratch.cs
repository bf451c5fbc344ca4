using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>A folder of one piece of work with a small DuckDB over it; gone when it is disposed.</summary>
sealed class TableScratch : IDisposable
{
    readonly TableWork work;
    readonly DirectoryInfo folder;

    TableScratch(TableWork work, DirectoryInfo folder) => (this.work, this.folder) = (work, folder);

    public static TableScratch Create(TableWork? work = null)
    {
        work ??= new();
        return new(work, work.Scratch is null ? Directory.CreateTempSubdirectory("leanpipe-table-") : Directory.CreateDirectory(Path.Combine(work.Scratch, $"table-{Guid.NewGuid():N}")));
    }

    public string File(string name) => Path.Combine(folder.FullName, name);

    /// <summary>The object as a local file: in place where the store is a folder (and DuckDB would not take its path for a pattern), otherwise fetched under a name.</summary>
    /// <exception cref="LakeException"><c>lake.missing</c></exception>
    public async Task<string> FetchAsync(IObjectStore store, string key, string name, CancellationToken cancellationToken)
    {
        if (InPlace(store, key) is { } local) return local;
        await using var from = await store.OpenAsync(key, 0, null, cancellationToken)
            ?? throw new LakeException("lake.missing", $"Object '{key}' of {store.Root} is named and not there. If versions were cleaned up meanwhile, open the table again.");
        await using var to = System.IO.File.Create(File(name));
        await from.CopyToAsync(to, cancellationToken);
        return to.Name;
    }

    /// <summary>The file is not needed any more: it goes when it was fetched or made here.</summary>
    public void Release(string path)
    {
        if (IsOurs(path)) System.IO.File.Delete(path);
    }

    /// <summary>So many bytes of scratch the objects take when they are fetched.</summary>
    public static long FetchedBytes(IObjectStore store, IEnumerable<(string Key, long Bytes)> objects) => objects.Where(o => InPlace(store, o.Key) is null).Sum(o => o.Bytes);

    /// <param name="files">What SQL may read besides this folder.</param>
    /// <param name="reserved">So many bytes of scratch are for files; what is left is for spilling.</param>
    public DuckDbSession OpenSession(IReadOnlyList<string> files, long reserved = 0) => DuckDbSession.Open(new()
    {
        ScratchDirectory = folder.FullName,
        ReadablePaths = [.. files.Where(f => !IsOurs(f))],
        Threads = work.Threads,
        MemoryLimitBytes = work.MemoryBytes,
        SpillLimitBytes = work.Room - reserved,
        PreserveInsertionOrder = true,
    });

    public void Dispose() => folder.Delete(recursive: true);

    static string? InPlace(IObjectStore store, string key) => store.LocalPath(key) is { } path && !SqlText.IsPattern(path) ? path : null;

    bool IsOurs(string path) => path.StartsWith(folder.FullName, StringComparison.Ordinal);
}

/// <summary>What rewriting files and reading checkpoints may use of a machine.</summary>
public sealed record TableWork
{
    /// <summary>An existing folder for files on their way; null takes the system's temporary folder.</summary>
    public string? Scratch { get; init; }

    public int Threads { get; init; } = 1;

    /// <summary>DuckDB's own memory; what does not fit is spilled to the scratch folder.</summary>
    public long MemoryBytes { get; init; } = 256L << 20;

    /// <summary>Files that are fetched or written, and what is spilled, all together. A tenth of it is left for whatever else lies in the folder.</summary>
    public long ScratchBytes { get; init; } = 10L << 30;

    internal long Room => ScratchBytes / 10 * 9;

    /// <summary>Files of compactions are fetched and written in batches of half as much again: that with its output, and as much for spilling, must fit.</summary>
    internal long MostBytesPerFile => Room / 4;
}
