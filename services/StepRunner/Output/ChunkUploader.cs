using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.StepRunner;

/// <summary>Puts finished chunks below the attempt's prefix. Nobody reads there before the outcome names them, so the order among them is free.</summary>
internal sealed class ChunkUploader(IObjectStore lake, string prefix)
{
    const int Parallel = 4;

    public async Task<IReadOnlyList<Chunk>> UploadAsync(
        IReadOnlyList<ChunkFile> files, IReadOnlyDictionary<string, ParquetFacts> facts, Action<double> progress,
        CancellationToken cancellation)
    {
        var chunks = new Chunk[files.Count];
        var done = 0;
        await (files.Count == 1
            ? UploadOneAsync(0, cancellation).AsTask()
            : System.Threading.Tasks.Parallel.ForAsync(0, files.Count, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellation }, UploadOneAsync));
        return chunks;

        async ValueTask UploadOneAsync(int i, CancellationToken token)
        {
            var file = files[i];
            var sha256 = Hash(file.Path);
            var key = prefix + file.Name;
            await lake.PutFileAsync(key, file.Path, sha256, token);
            var (rows, bounds) = facts[file.Path];
            chunks[i] = new(new(key, file.Bytes, rows, sha256), file.Bucket, bounds);
            progress(Interlocked.Increment(ref done) / (double)files.Count);
        }
    }

    static string Hash(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: false);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
