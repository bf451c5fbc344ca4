namespace LeanPipe.Contracts;

/// <summary>What one replay has made of one segment of rejects: which of its lines are records now, and where. Written once, by the replay; it is what declares them.</summary>
public sealed record ReplayRecord
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required StreamName Stream { get; init; }

    /// <summary>Key of the rejected segment.</summary>
    public required string Source { get; init; }

    /// <summary>As manifests name it: <c>telemetry/v2</c>.</summary>
    public required string Schema { get; init; }

    public required IReadOnlyList<SegmentColumn> Columns { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>Lines of the source that became records, counted from 0, ascending. No two records of one source share one.</summary>
    public required IReadOnlyList<int> Lines { get; init; }

    /// <summary>The same lines by the reason they had been rejected for.</summary>
    public required IReadOnlyDictionary<string, long> Codes { get; init; }

    /// <summary>One for each window that the records are of.</summary>
    public required IReadOnlyList<ReplayedSegment> Segments { get; init; }
}

public sealed record ReplayedSegment(WindowId Window, ObjectRef Object);
