using System.Buffers;
using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.StepRunner;

/// <summary>Brings every object of the task's inputs to a local path: in place when the lake is a folder, else downloaded.</summary>
/// <remarks>
/// A download is hashed on its way and refused when it is not what was pinned. An object in place is compared by size only: its bytes are never copied, so hashing
/// would read everything twice, and a damaged Parquet page or JSON line is found by DuckDB when it reads it. One whose path DuckDB would take for a pattern is downloaded, too.
/// </remarks>
internal sealed class InputFetcher(IObjectStore lake, Scratch scratch)
{
    const int Parallel = 8;

    /// <summary>Hashed and written at once: more than a socket gives at a time, and little enough to be in the cache still.</summary>
    const int PieceBytes = 256 * 1024;

    /// <summary>What of the scratch the inputs take.</summary>
    public long DownloadedBytes { get; private set; }

    /// <summary>Local paths by object key.</summary>
    public async Task<IReadOnlyDictionary<string, string>> FetchAsync(
        IReadOnlyList<TaskInput> inputs, long scratchBytes, Action<double> progress, CancellationToken cancellation)
    {
        var objects = inputs.SelectMany(i => i.Objects).DistinctBy(o => o.Key).ToList();
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        if (objects.Count == 0) return paths;
        for (var i = 0; i < objects.Count; i++)
            paths[objects[i].Key] = InPlace(objects[i]) ?? Path.Combine(scratch.Inputs, $"{i:D5}{Ending(objects[i].Key)}");
        foreach (var item in objects.Where(o => InPlace(o) is not null)) CheckInPlace(item, paths[item.Key]);
        objects.RemoveAll(o => InPlace(o) is not null);
        var total = objects.Sum(o => o.Bytes);
        if (total > scratchBytes)
            throw new TaskException(
                "task.inputs_exceed_scratch",
                $"The task's inputs have {total} bytes in {objects.Count} objects, but its scratch is limited to {scratchBytes} bytes. Split the task, or raise limits.scratch_bytes.");
        var done = 0L;
        await System.Threading.Tasks.Parallel.ForEachAsync(objects, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellation }, async (item, token) =>
        {
            await DownloadAsync(item, paths[item.Key], token);
            progress(Interlocked.Add(ref done, item.Bytes) / (double)Math.Max(total, 1));
        });
        DownloadedBytes = total;
        return paths;
    }

    string? InPlace(ObjectRef item) => lake.LocalPath(item.Key) is { } path && !SqlText.IsPattern(path) ? path : null;

    void CheckInPlace(ObjectRef item, string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists) throw Missing(item);
        if (file.Length != item.Bytes) throw Changed(item, $"{file.Length} bytes", $"{item.Bytes} bytes");
    }

    async Task DownloadAsync(ObjectRef item, string path, CancellationToken cancellation)
    {
        await using var source = await lake.OpenAsync(item.Key, 0, null, cancellation) ?? throw Missing(item);
        // Its room is taken at once: cheaper than page by page, and a disk that is too small says so before anything is downloaded.
        using var target = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, preallocationSize: item.Bytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        var length = 0L;
        try
        {
            while (await source.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation) is > 0 and var read)
            {
                // More than was pinned must not fill the scratch before it is noticed.
                if (length + read > item.Bytes) throw Changed(item, $"more than {item.Bytes} bytes", $"{item.Bytes} bytes");
                hash.AppendData(buffer, 0, read);
                RandomAccess.Write(target, buffer.AsSpan(0, read), length);
                length += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (length < item.Bytes)
            throw new TaskException("task.input_truncated", $"Input object '{item.Key}' of {lake.Root} ended after {length} of {item.Bytes} bytes. Try again.", isTransient: true);
        var found = Convert.ToHexStringLower(hash.GetCurrentHash());
        // A file that another writer added to a table is pinned by its size alone.
        if (item.Sha256.Length > 0 && found != item.Sha256) throw Changed(item, $"SHA-256 {found}", item.Sha256);
    }

    TaskException Missing(ObjectRef item) => new(
        "task.input_missing", $"Input object '{item.Key}' is not in {lake.Root}. It was pinned when the run was planned, so something deleted it; plan the run again.");

    TaskException Changed(ObjectRef item, string found, string expected) => new(
        "task.input_changed",
        $"Input object '{item.Key}' of {lake.Root} has {found}, expected {expected}. Objects of a lake never change, so something overwrote or damaged it; restore it, or plan the run again.");

    /// <summary>DuckDB tells compression by the ending.</summary>
    static string Ending(string key)
    {
        var ending = Path.GetExtension(key);
        if (ending == ".gz") ending = Path.GetExtension(key[..^ending.Length]) + ending;
        return SqlText.IsPattern(ending) ? "" : ending;
    }
}
