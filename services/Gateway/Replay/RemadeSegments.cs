using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>Puts what an object became into the lake. A name follows from the source, the replay's number in the window and the contents, so a repetition writes the same again, and nothing names it until a record does.</summary>
/// <remarks>
/// What the window's newest record has made of a source with the same contents is taken as it is. Nothing else that an earlier replay has made is ever named again: so what neither the newest manifest nor the two newest records
/// name is nobody's for good, which is what lets housekeeping take it.
/// </remarks>
sealed class RemadeSegments(IObjectStore store, StreamName stream, bool isDryRun)
{
    const string Mark = "-replay-";

    readonly Dictionary<WindowId, (int Number, IReadOnlyList<RemadeSegment> Segments)> _newest = [];

    /// <summary>Says what the newest record of a window is, before anything is made of it.</summary>
    public void Knows(WindowId window, int number, WindowReplay? newest) => _newest[window] = (number, newest?.Segments ?? []);

    /// <param name="source">Key of the segment, or of the segment of frames.</param>
    public async Task<RemadeSegment> WriteAsync(string source, WindowId window, ReadOnlyMemory<byte> lines, long rows, CancellationToken stop)
    {
        var name = Path.GetFileNameWithoutExtension(source[(source.LastIndexOf('/') + 1)..]);
        if (name.LastIndexOf(Mark, StringComparison.Ordinal) is var at and > 0) name = name[..at];
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(lines.Span));
        var (number, made) = _newest.GetValueOrDefault(window);
        if (made?.FirstOrDefault(m => m.Source == source && m.Object.Sha256 == sha256) is { } same) return same;
        var segment = new ObjectRef(LakeLayout.Segment(stream, window, LakeLayout.RemadeSegment(name, number + 1, sha256)), lines.Length, rows, sha256);
        if (!isDryRun && await store.SizeAsync(segment.Key, stop) != segment.Bytes) await store.PutAsync(segment.Key, lines, stop);
        return new(source, segment);
    }
}
