using System.Runtime.InteropServices;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Windows;

/// <summary>Whole lines in the log, by position.</summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct Extent(long Position, int Bytes, int Rows);

/// <summary>A cut that is recorded and whose object may or may not be in the store yet.</summary>
/// <param name="Since">When its oldest line was committed, as far as this process knows.</param>
sealed record PendingCut(LaneKey Lane, string Segment, IReadOnlyList<Extent> Extents, DateTimeOffset Since)
{
    public long Bytes => Extents.Sum(e => (long)e.Bytes);

    public long Rows => Extents.Sum(e => (long)e.Rows);
}

/// <summary>What the log says about one lane. Written only by <see cref="GatewayState.Apply"/>, under the state's lock.</summary>
sealed class Lane(LaneKey key)
{
    public LaneKey Key => key;

    /// <summary>Lines in no cut yet, in the order of the log.</summary>
    public Queue<Extent> Uncut { get; } = new();

    /// <summary>Lines of cuts whose entries were in a lost part of the log, until they are compared with the lake.</summary>
    public List<Extent> Strays { get; } = [];

    public long UncutBytes { get; private set; }

    public List<PendingCut> Pending { get; } = [];

    /// <summary>Stored segments that no sealed manifest lists.</summary>
    public List<ObjectRef> Unlisted { get; } = [];

    /// <summary>Records of the window, ever.</summary>
    public long Rows { get; set; }

    /// <summary>Of these, records whose frames are kept.</summary>
    public long KeptRows { get; set; }

    /// <summary>Of <see cref="Rows"/>, those that are in the store.</summary>
    public long StoredRows => Rows - Strays.Sum(e => (long)e.Rows) - Uncut.Sum(e => (long)e.Rows) - Pending.Sum(p => p.Rows);

    /// <summary>The newest revision whose manifest is in the store; 0 when there is none.</summary>
    public int Revision { get; set; }

    public SealingEntry? Sealing { get; set; }

    public SortedSet<int> Unpublished { get; } = [];

    /// <summary>When the oldest line that no manifest lists was committed, by this process's clock; a restart begins anew.</summary>
    public DateTimeOffset? WaitingSince { get; private set; }

    /// <summary>When the oldest uncut line was committed.</summary>
    public DateTimeOffset? UncutSince { get; private set; }

    /// <summary>When the oldest line that is not in the store was committed; null when all are stored.</summary>
    public DateTimeOffset? UnstoredSince => Pending.Count > 0 ? Pending[0].Since : UncutSince;

    public DateTimeOffset LastAppend { get; private set; }

    /// <summary>Whether lines came when the watermark had passed the window, or its first revision was under way.</summary>
    public bool HasLate { get; set; }

    public bool HasUnlisted => Strays.Count > 0 || Uncut.Count > 0 || Pending.Count > 0 || Unlisted.Count > 0;

    public bool IsActive => HasUnlisted || Sealing is not null || Unpublished.Count > 0;

    public void Append(Extent extent, DateTimeOffset now)
    {
        Uncut.Enqueue(extent);
        UncutBytes += extent.Bytes;
        UncutSince ??= now;
        WaitingSince ??= now;
        LastAppend = now;
    }

    public void Cut(CutEntry cut, DateTimeOffset now)
    {
        // A segment bears the position of its first line; lines before that are of a cut whose entry is lost.
        var from = SegmentName.PositionOf(cut.Segment);
        var extents = Strays.FindAll(e => e.Position >= from && e.Position < cut.UpTo);
        Strays.RemoveAll(extents.Contains);
        while (Uncut.TryPeek(out var first) && first.Position < cut.UpTo)
        {
            (first.Position < from ? Strays : extents).Add(Uncut.Dequeue());
            UncutBytes -= first.Bytes;
        }
        if (extents.Count > 0) Pending.Add(new(key, cut.Segment, extents, UncutSince ?? now));
        UncutSince = Uncut.Count > 0 ? now : null;
    }

    /// <summary>Takes over the lines of the same lane as another reading knows them.</summary>
    public void TakeLines(Lane earlier)
    {
        Strays.AddRange(earlier.Strays);
        Pending.AddRange(earlier.Pending);
        foreach (var extent in earlier.Uncut) Append(extent, earlier.LastAppend);
    }

    public void Stored(StoredEntry stored)
    {
        Pending.RemoveAll(p => p.Segment == stored.Segment);
        if (key.HoldsRecords && !Unlisted.Exists(o => o.Key == stored.Object.Key)) Unlisted.Add(stored.Object);
    }

    public void Sealed(SealedEntry entry, DateTimeOffset now)
    {
        Unlisted.RemoveRange(0, Math.Min(Sealing?.Segments ?? 0, Unlisted.Count));
        Revision = entry.Revision;
        Sealing = null;
        Unpublished.Add(entry.Revision);
        WaitingSince = HasUnlisted ? now : null;
        if (!HasUnlisted) HasLate = false;
    }

    /// <summary>The first byte of the log that the lane still needs; null when it needs none.</summary>
    public long? OldestNeeded => Strays.Count > 0 ? Math.Min(Strays[0].Position, OldestOfRest ?? long.MaxValue) : OldestOfRest;

    long? OldestOfRest => Pending.Count > 0 ? Pending[0].Extents[0].Position : Uncut.TryPeek(out var first) ? first.Position : null;
}
