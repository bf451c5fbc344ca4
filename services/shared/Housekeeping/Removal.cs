using System.Text.Json.Serialization;

namespace LeanPipe.Housekeeping;

/// <summary>An object that nobody needs any more, and why.</summary>
/// <param name="Rule">Stable: <c>raw</c>, <c>rejected</c>, <c>frames</c>, <c>replay</c>, <c>run</c>, <c>attempt</c>, <c>cache</c>, <c>table_log</c>, <c>table_file</c>.</param>
/// <param name="To">Where it is moved to before it is deleted here; null when it is only deleted.</param>
public sealed record Removal(string Rule, string Key, long Bytes, string Why, string? To = null)
{
    /// <summary>The object stays and gets this storage class; null when it goes.</summary>
    public string? StorageClass { get; init; }

    /// <summary>Known for raw segments: the copy in the cold storage must have it.</summary>
    [JsonIgnore]
    public string? Sha256 { get; init; }
}

/// <summary>One line of the audit log, written before the object goes.</summary>
public sealed record RemovalRecord(DateTimeOffset At, string Rule, string Key, long Bytes, string Why, string? To)
{
    /// <summary>As <see cref="Removal.StorageClass"/>.</summary>
    public string? StorageClass { get; init; }
}

/// <summary>What the run left is being removed by a pass.</summary>
sealed record RunSwept(string Pass, DateTimeOffset At)
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
}

/// <summary>A window whose raw segments were deleted or moved. Written before they go; a reader that misses them finds out here why.</summary>
/// <param name="To">The cold storage's root, where they lie under the same keys; null when they were deleted.</param>
public sealed record RetiredWindow(string Stream, string Window, int Revision, long Rows, long Bytes, int Segments, DateTimeOffset At, string? To)
{
    /// <summary>The tables that hold what was made of them.</summary>
    public IReadOnlyList<string> Tables { get; init => field = value ?? []; } = [];

    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
}

/// <summary>That one pipeline read every segment of a revision and published what it made of them. It outlives the run's intermediates.</summary>
/// <param name="Sha256">Over the segments' keys, bytes, rows and checksums in order.</param>
public sealed record RawProof(string Stream, string Window, int Revision, string Pipeline, string Run, int Segments, long Rows, string Sha256, DateTimeOffset At)
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
}

/// <summary>Since when files of tables are seen that no version names, by key.</summary>
sealed record UnnamedFiles(IReadOnlyDictionary<string, DateTimeOffset> Seen)
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RemovalRecord))]
[JsonSerializable(typeof(RetiredWindow))]
[JsonSerializable(typeof(RawProof))]
[JsonSerializable(typeof(UnnamedFiles))]
[JsonSerializable(typeof(RunSwept))]
[JsonSerializable(typeof(PassTime))]
sealed partial class HousekeepingJson : JsonSerializerContext;
