using System.Buffers;
using System.IO.Compression;

namespace LeanPipe.StepRunner;

/// <summary>The longest line of files. DuckDB refuses lines of about 32 MB and more, unless it is told how long they may be, and then keeps room for twice that in every thread: so it is told only when it has refused one.</summary>
internal static class LongLines
{
    const int ReadAtOnceBytes = 256 * 1024;

    /// <summary>What DuckDB says when a line is too long for it.</summary>
    public const string Refusal = "maximum_object_size";

    /// <returns>Bytes, with the line's end.</returns>
    public static long Longest(IEnumerable<string> paths, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadAtOnceBytes);
        var longest = 0L;
        foreach (var path in paths)
        {
            using var file = Open(path);
            var line = 0L;
            for (int read; (read = file.Read(buffer)) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                var rest = buffer.AsSpan(0, read);
                for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..], line = 0) longest = Math.Max(longest, line + end + 1);
                line += rest.Length;
            }
            longest = Math.Max(longest, line + 1);
        }
        ArrayPool<byte>.Shared.Return(buffer);
        return longest;
    }

    static Stream Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }
}
