using System.Globalization;

namespace LeanPipe.Contracts;

/// <summary>A sealed revision of a window: the complete list of segments that are the window. Written once, by the gateway.</summary>
/// <remarks>
/// Revision n+1 lists every segment of revision n and those of the late records that came since; only a replay lists what it has made in the place of others (<see cref="WindowReplay"/>). Readers take the highest revision.
/// </remarks>
public sealed record WindowManifest
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required StreamName Stream { get; init; }
    public required WindowId Window { get; init; }

    /// <summary>Counted from 1.</summary>
    public required int Revision { get; init; }

    public required DateTimeOffset SealedAt { get; init; }

    /// <summary>What sealed it: <c>watermark</c>, <c>idle</c>, <c>late</c>, <c>drain</c> or <c>replay</c>.</summary>
    public required string Reason { get; init; }

    public required string Schema { get; init; }

    /// <summary>How a reader turns a segment's NDJSON into typed columns.</summary>
    public required IReadOnlyList<SegmentColumn> Columns { get; init; }

    public required IReadOnlyList<ObjectRef> Segments { get; init; }

    /// <summary>Of two versions of a stream's schema, the newer one's name and columns: they can hold what the older one wrote. The second when both are of one version.</summary>
    public static (string Schema, IReadOnlyList<SegmentColumn> Columns) Newer((string Schema, IReadOnlyList<SegmentColumn> Columns) first, (string Schema, IReadOnlyList<SegmentColumn> Columns) second) =>
        NumberOf(first.Schema) > NumberOf(second.Schema) ? first : second;

    /// <summary>Whether a schema is the other one, or a newer version of it.</summary>
    public static bool IsAsNew(string schema, string other) => schema == other || NumberOf(schema) > NumberOf(other);

    static int NumberOf(string schema) => schema.LastIndexOf("/v", StringComparison.Ordinal) is var at and > 0 && int.TryParse(schema.AsSpan(at + 2), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    public long Rows => Segments.Sum(s => s.Rows);

    public long Bytes => Segments.Sum(s => s.Bytes);
}

/// <summary>One column of a segment.</summary>
/// <param name="ReadAs">DuckDB's type for the raw JSON value, as in <c>read_json(columns = …)</c>.</param>
/// <param name="Type">DuckDB's type of the finished column.</param>
/// <param name="Expression">SQL over the raw column that yields <paramref name="Type"/>; null when the raw value is already it.</param>
public sealed record SegmentColumn(string Name, string ReadAs, string Type, string? Expression = null);

/// <summary>Published on the topic <see cref="EventNames.WindowSealed"/> once the manifest exists; at least once, so consumers de-duplicate.</summary>
/// <param name="Manifest">The manifest's key in the lake.</param>
public sealed record WindowSealed(StreamName Stream, WindowId Window, int Revision, string Manifest);
