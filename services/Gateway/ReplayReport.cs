using LeanPipe.Contracts;

namespace LeanPipe.Gateway;

/// <summary>What is replayed.</summary>
public sealed record ReplayOptions
{
    /// <summary>Only records of these windows; null for all.</summary>
    public IReadOnlySet<WindowId>? Windows { get; init; }

    /// <summary>Says what would change and writes nothing.</summary>
    public bool DryRun { get; init; }
}

/// <param name="Segments">Segments that are done.</param>
/// <param name="Of">All of them.</param>
public sealed record ReplayProgress(int Segments, int Of, long Frames, long Passed);

/// <summary>What a replay has done, or would do.</summary>
public sealed record ReplayReport
{
    public required StreamName Stream { get; init; }
    public required string Schema { get; init; }
    public bool DryRun { get; init; }

    /// <summary>Segments that were read: of rejects, of records, of frames.</summary>
    public int Segments { get; set; }

    /// <summary>Rejected frames in them, or frames and records.</summary>
    public long Frames { get; set; }

    /// <summary>Frames that an earlier replay has made records.</summary>
    public long Before { get; set; }

    /// <summary>Frames that are records now.</summary>
    public long Passed { get; set; }

    /// <summary>Frames that pass and are of a window that was not asked for.</summary>
    public long Elsewhere { get; set; }

    /// <summary>Frames of which only the beginning is kept; nobody can say what they would be.</summary>
    public long Truncated { get; set; }

    /// <summary>What was no frame, <c>bad_length</c>, or a line behind a header that does not fit, <c>bad_header</c>.</summary>
    public long Unplaced { get; set; }

    /// <summary>Rejects whose frames are kept as they came: a replay of whole windows takes these.</summary>
    public long Kept { get; set; }

    /// <summary>Windows that hold already what the version makes of them.</summary>
    public int Unchanged { get; set; }

    /// <summary>Windows of which a gateway has records that are not listed yet; they stay as they are until they are.</summary>
    public SortedSet<WindowId> Unsettled { get; } = [];

    /// <summary>Windows whose segments housekeeping has taken.</summary>
    public SortedSet<WindowId> Gone { get; } = [];

    /// <summary>Frames that are still rejected, by today's reason; or what the version does not take.</summary>
    public SortedDictionary<string, long> Rejected { get; } = new(StringComparer.Ordinal);

    public List<ReplayedWindow> Windows { get; } = [];

    /// <summary>Revisions whose event no sidecar has yet.</summary>
    public int Unpublished { get; set; }
}

/// <summary>A window that gets a new revision.</summary>
/// <param name="Revision">The new one.</param>
/// <param name="Rows">That it has more than the one before; below 0 when it has fewer.</param>
public sealed record ReplayedWindow(WindowId Window, int Revision, long Rows);
