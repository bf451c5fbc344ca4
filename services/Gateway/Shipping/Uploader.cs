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

    /// <summary>Cuts that are uploaded at the same time are together no larger, unless a single one is.</summary>
    const long GroupBytes = 32L * 1024 * 1024;

    const int GroupCuts = 8;

    /// <summary>A full segment of the default size and a little: the memory of an outage's larger ones is given back.</summary>
    const int KeptBytes = 65 * 1024 * 1024;

    readonly byte[] _stretch = new byte[StretchBytes];
    byte[] _memory = [];

    /// <summary>Uploads cuts in the order of the log, some at a time, and returns when all are recorded as stored.</summary>
    public async Task UploadAsync(IReadOnlyList<(PendingCut Cut, StreamName Stream)> cuts, CancellationToken cancellationToken)
    {
        var recorded = Task.CompletedTask;
        for (var done = 0; done < cuts.Count;)
        {
            var (count, bytes) = Group(cuts, done);
            if (_memory.Length < bytes) _memory = GC.AllocateUninitializedArray<byte>(bytes);
            var uploads = new List<Task<StoredEntry>>();
            for (var at = 0; count > 0; count--, done++)
            {
                var (cut, stream) = cuts[done];
                var segment = _memory.AsMemory(at, (int)cut.Bytes);
                Collect(cut.Extents, segment.Span);
                uploads.Add(UploadAsync(cut, stream, segment, cancellationToken));
                at += segment.Length;
            }

            // Ends when all have ended, so the memory is free for the next group.
            foreach (var stored in await Task.WhenAll(uploads)) recorded = log.AppendAsync(EntryKind.Stored, stored, LogJson.Default.StoredEntry);
        }
        if (_memory.Length > KeptBytes) _memory = [];

        // Commits keep the order of appends, so the last one's is everybody's.
        await recorded;
    }

    static (int Count, int Bytes) Group(IReadOnlyList<(PendingCut Cut, StreamName Stream)> cuts, int from)
    {
        var bytes = cuts[from].Cut.Bytes;
        var count = 1;
        for (; count < GroupCuts && from + count < cuts.Count && bytes + cuts[from + count].Cut.Bytes <= GroupBytes; count++) bytes += cuts[from + count].Cut.Bytes;
        return (count, (int)bytes);
    }

    async Task<StoredEntry> UploadAsync(PendingCut cut, StreamName stream, ReadOnlyMemory<byte> segment, CancellationToken cancellationToken)
    {
        var window = cut.Lane.Window;
        var key = cut.Lane.Rejected ? LakeLayout.Rejected(stream, window, cut.Segment) : LakeLayout.Segment(stream, window, cut.Segment);
        var reference = new ObjectRef(key, segment.Length, cut.Rows, Convert.ToHexStringLower(SHA256.HashData(segment.Span)));
        await store.PutAsync(key, segment, cancellationToken);
        return new(cut.Lane, cut.Segment, reference);
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
