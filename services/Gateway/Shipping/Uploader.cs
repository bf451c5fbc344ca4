using System.Buffers;
using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Shipping;

/// <summary>Makes a recorded cut an object of the lake.</summary>
/// <remarks>
/// The order is the guarantee: cut recorded, object, stored recorded, and only then may the log's bytes go. A crash after the cut uploads the same bytes under the same name again; so no record is
/// lost after its acknowledgement, and none is stored twice.
/// </remarks>
sealed class Uploader(WriteAheadLog log, PatientStore store)
{
    /// <summary>Uploads cuts in the order of the log, some at a time, and returns when all are recorded as stored.</summary>
    public async Task UploadAsync(IReadOnlyList<(PendingCut Cut, StreamName Stream)> cuts, CancellationToken cancellationToken)
    {
        var recorded = Task.CompletedTask;
        for (var done = 0; done < cuts.Count;)
        {
            var uploads = new List<Task<StoredEntry>>();
            for (var count = Group(cuts, done); count > 0; count--, done++) uploads.Add(UploadAsync(cuts[done].Cut, cuts[done].Stream, cancellationToken));
            foreach (var stored in await Task.WhenAll(uploads)) recorded = log.AppendAsync(EntryKind.Stored, stored, LogJson.Default.StoredEntry);
        }

        // Commits keep the order of appends, so the last one's is everybody's.
        await recorded;
    }

    int Group(IReadOnlyList<(PendingCut Cut, StreamName Stream)> cuts, int from)
    {
        var bytes = cuts[from].Cut.Bytes;
        var count = 1;
        for (; count < log.Buffers.UploadGroupCuts && from + count < cuts.Count && bytes + cuts[from + count].Cut.Bytes <= log.Buffers.UploadGroupBytes; count++) bytes += cuts[from + count].Cut.Bytes;
        return count;
    }

    async Task<StoredEntry> UploadAsync(PendingCut cut, StreamName stream, CancellationToken cancellationToken)
    {
        var key = SegmentName.KeyOf(cut.Lane, stream, cut.Segment);
        await using var lines = new LogLines(log, cut.Extents);
        var reference = new ObjectRef(key, lines.Length, cut.Rows, Sha256(lines));
        await store.PutAsync(key, lines, reference.Sha256, cancellationToken);
        return new(cut.Lane, cut.Segment, reference);
    }

    string Sha256(LogLines lines)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(log.Buffers.HashedAtOnceBytes);
        while (lines.Read(buffer) is > 0 and var read) hash.AppendData(buffer.AsSpan(0, read));
        ArrayPool<byte>.Shared.Return(buffer);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
