using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>Puts what an object became into the lake. A name follows from the source and the contents, so a repetition writes the same again, and nothing names it until a record does.</summary>
sealed class RemadeSegments(IObjectStore store, StreamName stream, bool isDryRun)
{
    const string Mark = "-replay-";

    /// <param name="source">Key of the segment, or of the segment of frames.</param>
    public async Task<RemadeSegment> WriteAsync(string source, WindowId window, ReadOnlyMemory<byte> lines, long rows, CancellationToken stop)
    {
        var name = Path.GetFileNameWithoutExtension(source[(source.LastIndexOf('/') + 1)..]);
        if (name.LastIndexOf(Mark, StringComparison.Ordinal) is var at and > 0) name = name[..at];
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(lines.Span));
        var segment = new ObjectRef(LakeLayout.Segment(stream, window, $"{name}{Mark}{sha256[..16]}"), lines.Length, rows, sha256);
        if (!isDryRun && await store.SizeAsync(segment.Key, stop) != segment.Bytes) await store.PutAsync(segment.Key, lines, stop);
        return new(source, segment);
    }
}
