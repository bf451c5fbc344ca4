using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Shipping;

/// <summary>Asks the lake what became of lines whose cuts may have been recorded in a lost part of the log, so that none is stored twice.</summary>
/// <remarks>
/// A segment's name follows from the position of its first line. So if the object of a line's position is there, the line has been stored with those behind it; which ones, the object's own lines say.
/// What is found is recorded as cut and stored, and lines before the lost part that no object holds are cut on their own. Runs before anything else is cut, and may be repeated.
/// </remarks>
sealed class Reconciliation(WriteAheadLog log, GatewayState state, PatientStore store, string gateway, ILogger logger)
{
    int _found;
    int _loose;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        List<(Lane Lane, StreamName Stream)> lanes;
        lock (state.Sync)
            lanes = [.. state.Active.Where(l => l.OldestNeeded < state.DoubtfulUpTo || l.Pending.Exists(IsDoubtful)).Select(l => (l, state.Streams[l.Key.Stream].Name))];
        foreach (var (lane, stream) in lanes)
        {
            await FindPendingAsync(lane, stream, cancellationToken);
            await FindLinesAsync(lane, stream, cancellationToken);
        }
        logger.LogReconciled(_found, _loose);
    }

    /// <summary>A cut whose first line may be lost, known behind the lost part by its entry: its name says where it begins.</summary>
    bool IsDoubtful(PendingCut cut) => SegmentName.PositionOf(cut.Segment) < state.DoubtfulUpTo;

    /// <summary>An object that is there already may hold lines that are lost here, so it is not written again.</summary>
    async Task FindPendingAsync(Lane lane, StreamName stream, CancellationToken cancellationToken)
    {
        List<PendingCut> pending;
        lock (state.Sync) pending = [.. lane.Pending.Where(IsDoubtful)];
        foreach (var cut in pending)
        {
            var key = SegmentName.KeyOf(lane.Key, stream, cut.Segment);
            if (await store.GetAsync(key, cancellationToken) is { } content) await RecordStoredAsync(lane, cut.Segment, key, content);
        }
    }

    async Task FindLinesAsync(Lane lane, StreamName stream, CancellationToken cancellationToken)
    {
        List<Extent> lines;
        HashSet<Extent> strays;
        lock (state.Sync)
        {
            strays = [.. lane.Strays];
            lines = [.. lane.Strays.Concat(lane.Uncut).Where(e => e.Position < state.DoubtfulUpTo).OrderBy(e => e.Position)];
        }
        for (var i = 0; i < lines.Count;)
        {
            var segment = SegmentName.Of(gateway, log.LogId, lines[i].Position);
            var key = SegmentName.KeyOf(lane.Key, stream, segment);
            if (await store.GetAsync(key, cancellationToken) is { } content)
            {
                var count = CountHeld(lines, i, content.Span);
                await log.AppendAsync(EntryKind.Cut, new(lane.Key, lines[i + count - 1].Position + 1, segment), LogJson.Default.CutEntry);
                await RecordStoredAsync(lane, segment, key, content);
                i += count;
                continue;
            }
            if (strays.Contains(lines[i]))
            {
                // Its cut may have been recorded, but it never became an object.
                await log.AppendAsync(EntryKind.Cut, new(lane.Key, lines[i].Position + 1, segment), LogJson.Default.CutEntry);
                _loose++;
            }
            i++;
        }
    }

    /// <summary>How many of the lines from one on the object holds; lines between them that are lost here may be in it, too.</summary>
    int CountHeld(List<Extent> lines, int from, ReadOnlySpan<byte> content)
    {
        var count = 0;
        while (from + count < lines.Count)
        {
            var bytes = new byte[lines[from + count].Bytes];
            log.Read(bytes, lines[from + count].Position);
            var at = content.IndexOf(bytes);
            if (at < 0) break;
            content = content[(at + bytes.Length)..];
            count++;
        }
        return Math.Max(count, 1);
    }

    async Task RecordStoredAsync(Lane lane, string segment, string key, ReadOnlyMemory<byte> content)
    {
        var reference = new ObjectRef(key, content.Length, lane.Key.Frames ? Intake.KeptFrames.CountFrames(content.Span) : content.Span.Count((byte)'\n'), Convert.ToHexStringLower(SHA256.HashData(content.Span)));
        await log.AppendAsync(EntryKind.Stored, new(lane.Key, segment, reference), LogJson.Default.StoredEntry);
        _found++;
    }
}
