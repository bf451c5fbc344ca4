namespace LeanPipe.Contracts;

/// <summary>What a replay has made of a whole window by another version of its stream's document, in the place of what a manifest listed. Written once, by the replay; it is what declares it.</summary>
/// <remarks>The record of a number is written only when the one before is in a manifest, so at most the newest is not.</remarks>
public sealed record WindowReplay
{
    static readonly IReadOnlyDictionary<string, long> None = new SortedDictionary<string, long>(StringComparer.Ordinal);

    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required StreamName Stream { get; init; }
    public required WindowId Window { get; init; }

    /// <summary>As manifests name it: <c>telemetry/v2</c>.</summary>
    public required string Schema { get; init; }

    public required IReadOnlyList<SegmentColumn> Columns { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>Every segment that gateways, and replays of rejects, have brought to the window by then, whether a manifest lists it now or what was made of it. The next replay begins with them.</summary>
    public required IReadOnlyList<ObjectRef> Sources { get; init; }

    /// <summary>The gateways' logs, <c>{gateway}-{log}</c>, whose part was made of the frames as they came; the other sources were validated record by record.</summary>
    public required IReadOnlyList<string> Frames { get; init; }

    /// <summary>Keys that the revision lists no more.</summary>
    public required IReadOnlyList<string> Replaces { get; init; }

    /// <summary>What all of it became, sources that stay as they are among it.</summary>
    public required IReadOnlyList<RemadeSegment> Segments { get; init; }

    /// <summary>Records of the sources that the version does not take, by reason. They stay where they are.</summary>
    public IReadOnlyDictionary<string, long> Rejected { get; init => field = value ?? None; } = None;

    /// <summary>Whether a manifest has it.</summary>
    public bool IsIn(WindowManifest? manifest)
    {
        if (manifest is null) return false;
        var listed = manifest.Segments.Select(s => s.Key).ToHashSet();
        if (Replaces.Any(listed.Contains) || !Segments.All(s => listed.Contains(s.Object.Key))) return false;
        return Replaces.Count + Segments.Count > 0 || WindowManifest.IsAsNew(manifest.Schema, Schema);
    }

    /// <summary>A window's segments with what this has made of it.</summary>
    public IReadOnlyList<ObjectRef> Applied(IReadOnlyList<ObjectRef> segments)
    {
        var replaced = Replaces.ToHashSet();
        return [.. segments.Where(s => !replaced.Contains(s.Key)).Concat(Segments.Select(s => s.Object)).DistinctBy(s => s.Key)];
    }

    /// <summary>What was brought to a window: its manifest's segments, with the sources in the place of what was made of them.</summary>
    /// <param name="inForce">The newest record that the manifest has; null when it has none.</param>
    public static IReadOnlyList<ObjectRef> Brought(IReadOnlyList<ObjectRef> segments, WindowReplay? inForce)
    {
        if (inForce is null) return segments;
        var made = inForce.Segments.Select(s => s.Object.Key).ToHashSet();
        return [.. inForce.Sources.Concat(segments.Where(s => !made.Contains(s.Key))).DistinctBy(s => s.Key)];
    }
}

/// <param name="Source">Key of the segment, or of the segment of frames, that it was made of.</param>
public sealed record RemadeSegment(string Source, ObjectRef Object);
