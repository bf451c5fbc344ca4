using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Shipping;

/// <summary>Makes a recorded cut an object of the lake.</summary>
/// <remarks>
/// The order is the guarantee: cut recorded, object, stored recorded, and only then may the log's bytes go. A crash after the cut uploads the same bytes under the same name again; so no record is
/// lost after its acknowledgement, and none is stored twice.
/// </remarks>
sealed class Uploader(WriteAheadLog log, PatientStore store)
{
    /// <summary>The log is read in stretches of so many bytes; lines that lie near each other cost one read.</summary>
    const int StretchBytes = 1024 * 1024;

    const int KeptBytes = 16 * 1024 * 1024;

    readonly byte[] _stretch = new byte[StretchBytes];
    byte[] _segment = [];

    public async Task UploadAsync(PendingCut cut, StreamName stream, CancellationToken cancellationToken)
    {
        var bytes = (int)cut.Bytes;
        if (_segment.Length < bytes) _segment = GC.AllocateUninitializedArray<byte>(bytes);
        var segment = _segment.AsMemory(0, bytes);
        Collect(cut.Extents, segment.Span);

        var window = cut.Lane.Window;
        var key = cut.Lane.Rejected ? LakeLayout.Rejected(stream, window, cut.Segment) : LakeLayout.Segment(stream, window, cut.Segment);
        var reference = new ObjectRef(key, bytes, cut.Rows, Convert.ToHexStringLower(SHA256.HashData(segment.Span)));
        await store.PutAsync(key, segment, cancellationToken);
        await log.AppendAsync(EntryKind.Stored, new(cut.Lane, cut.Segment, reference), LogJson.Default.StoredEntry);
        if (_segment.Length > KeptBytes) _segment = [];
    }

    void Collect(IReadOnlyList<Extent> extents, Span<byte> target)
    {
        var end = extents[^1].Position + extents[^1].Bytes;
        long from = 0, to = 0;
        foreach (var extent in extents)
        {
            if (extent.Bytes >= StretchBytes)
            {
                log.Read(target[..extent.Bytes], extent.Position);
                target = target[extent.Bytes..];
                continue;
            }
            if (extent.Position < from || extent.Position + extent.Bytes > to)
            {
                // Batches never span files, so a stretch ends with its file at the latest.
                from = extent.Position;
                to = Math.Min(Math.Min(from + StretchBytes, end), log.FileEndOf(from));
                log.Read(_stretch.AsSpan(0, (int)(to - from)), from);
            }
            _stretch.AsSpan((int)(extent.Position - from), extent.Bytes).CopyTo(target);
            target = target[extent.Bytes..];
        }
    }
}
