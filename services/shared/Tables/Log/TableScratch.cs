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
        if (store.LocalPath(key) is { } local && !SqlText.IsPattern(local)) return local;
        await using var from = await store.OpenAsync(key, 0, null, cancellationToken)
            ?? throw new LakeException("lake.missing", $"Object '{key}' of {store.Root} is named and not there. If versions were cleaned up meanwhile, open the table again.");
        await using var to = System.IO.File.Create(File(name));
        await from.CopyToAsync(to, cancellationToken);
        return to.Name;
    }

    /// <param name="files">What SQL may read besides this folder.</param>
    public DuckDbSession OpenSession(IReadOnlyList<string> files) => DuckDbSession.Open(new()
    {
        ScratchDirectory = folder.FullName,
        ReadablePaths = [.. files.Where(f => !f.StartsWith(folder.FullName, StringComparison.Ordinal))],
        Threads = work.Threads,
        MemoryLimitBytes = work.MemoryBytes,
        SpillLimitBytes = work.ScratchBytes,
        PreserveInsertionOrder = true,
    });

    public void Dispose() => folder.Delete(recursive: true);
}

/// <summary>What rewriting files and reading checkpoints may use of a machine.</summary>
public sealed record TableWork
{
    /// <summary>An existing folder for files on their way; null takes the system's temporary folder.</summary>
    public string? Scratch { get; init; }

    public int Threads { get; init; } = 1;

    /// <summary>DuckDB's own memory; what does not fit is spilled to the scratch folder.</summary>
    public long MemoryBytes { get; init; } = 256L << 20;

    public long ScratchBytes { get; init; } = 10L << 30;
}
