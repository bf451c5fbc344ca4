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

/// <param name="Segments">Segments of rejects that are done.</param>
/// <param name="Of">All of them.</param>
public sealed record ReplayProgress(int Segments, int Of, long Frames, long Passed);

/// <summary>What a replay has done, or would do.</summary>
public sealed record ReplayReport
{
    public required StreamName Stream { get; init; }
    public required string Schema { get; init; }
    public bool DryRun { get; init; }

    /// <summary>Segments of rejects that were read.</summary>
    public int Segments { get; set; }

    /// <summary>Rejected frames in them.</summary>
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

    /// <summary>Frames that are still rejected, by today's reason.</summary>
    public SortedDictionary<string, long> Rejected { get; } = new(StringComparer.Ordinal);

    public List<ReplayedWindow> Windows { get; } = [];

    /// <summary>Revisions whose event no sidecar has yet.</summary>
    public int Unpublished { get; set; }
}

/// <summary>A window that gets a new revision.</summary>
/// <param name="Revision">The new one.</param>
/// <param name="Rows">That it has more than the one before.</param>
public sealed record ReplayedWindow(WindowId Window, int Revision, long Rows);
