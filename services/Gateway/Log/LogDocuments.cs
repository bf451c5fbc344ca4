using System.Text.Json.Serialization;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Log;

sealed record StreamDeclared(int Number, StreamName Name);

/// <summary>What cutting and sealing need of a stream's document. It stands in the log, so that windows are sealed also when the document is gone.</summary>
/// <param name="Schema">As manifests name it; null in logs of gateways that knew no versions.</param>
sealed record StreamSettings(IReadOnlyList<SegmentColumn> Columns, TimeSpan Lateness, TimeSpan SealWhenIdleFor, long CutAtBytes, TimeSpan CutAfter, string? Schema = null)
{
    public static StreamSettings Of(StreamDefinition stream, IReadOnlyList<SegmentColumn> columns) =>
        new(columns, stream.Lateness, stream.SealWhenIdleFor, stream.Limits.CutAtBytes, stream.Limits.CutAfter, stream.SchemaId);

    public bool Equals(StreamSettings? other) =>
        other is not null && Columns.SequenceEqual(other.Columns) && (Lateness, SealWhenIdleFor, CutAtBytes, CutAfter, Schema) == (other.Lateness, other.SealWhenIdleFor, other.CutAtBytes, other.CutAfter, other.Schema);

    public override int GetHashCode() => HashCode.Combine(Columns.Count, Lateness, SealWhenIdleFor, CutAtBytes, CutAfter);
}

sealed record SettingsEntry(int Number, StreamSettings Settings);

sealed record GatewayEntry(string Id);

/// <summary>A lane: what one sequence of segments holds.</summary>
/// <param name="Rejected">Rejects, by the time they were received; otherwise records, by their event time.</param>
/// <param name="Frames">Frames as they came, by the time they were received.</param>
readonly record struct LaneKey(
    int Stream, bool Rejected, long WindowTicks, int WindowMinutes, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Frames = false)
{
    /// <summary>Whether the lane's segments become a window.</summary>
    [JsonIgnore]
    public bool HoldsRecords => !Rejected && !Frames;

    [JsonIgnore]
    public WindowId Window => WindowId.Of(new DateTimeOffset(WindowTicks, TimeSpan.Zero), new(TimeSpan.FromMinutes(WindowMinutes)));

    [JsonIgnore]
    public long EndTicks => WindowTicks + WindowMinutes * TimeSpan.TicksPerMinute;
}

/// <summary>Everything of the lane that stands before <paramref name="UpTo"/> and is in no earlier cut.</summary>
/// <param name="Segment">The object's name, from the gateway, the log and the position of its first line, so that no two cuts ever share one.</param>
sealed record CutEntry(LaneKey Lane, long UpTo, string Segment);

sealed record StoredEntry(LaneKey Lane, string Segment, ObjectRef Object);

/// <param name="Segments">How many of the lane's stored segments, from the first that no manifest lists, belong to the revision.</param>
sealed record SealingEntry(LaneKey Lane, int Revision, string Reason, DateTimeOffset SealedAt, int Segments);

sealed record SealedEntry(LaneKey Lane, int Revision);

sealed record PublishedEntry(LaneKey Lane, int Revision);

sealed record TruncatedEntry(long Beginning);

/// <summary>All that the log said before this file and that still matters when every older file is gone.</summary>
/// <remarks>Lines that were not stored by then are not in it: the files that hold them are removed only after they are, and until then reading begins at an older checkpoint.</remarks>
/// <param name="Beginning">Of the newest <see cref="TruncatedEntry"/>.</param>
sealed record CheckpointEntry(long Beginning, long NextConnection, IReadOnlyList<StreamCheckpoint> Streams, string? Gateway = null);

sealed record StreamCheckpoint(
    int Number, StreamName Name, long MaxEventTicks, long Connections, long BytesReceived, long BytesFramed, long BytesRejected, long BytesPartial, long Frames, long Records, long Late,
    IReadOnlyDictionary<string, long> Rejects, IReadOnlyList<WindowCheckpoint> Windows, StreamSettings? Settings = null, IReadOnlyList<ConnectionLedger>? ByConnection = null, ConnectionLedger? OlderConnections = null, long? JudgedUpTo = null,
    IReadOnlyList<EndingConnection>? Ending = null, IReadOnlyList<ArrivalLedger>? ByArrival = null, ArrivalLedger? OlderArrivals = null, OlderWindows? OlderWindows = null,
    IReadOnlyList<long>? Keeping = null);

/// <summary>A connection that has ended and whose frames are not all validated: it counts as ended when they are.</summary>
/// <param name="Newest">Position of the newest block of its frames.</param>
sealed record EndingConnection(long Connection, long Received, long Partial, long Newest, Arrival Arrival = default);

/// <param name="Unlisted">Stored segments that no sealed manifest lists, in the order they were stored.</param>
/// <param name="Kept">Of the rows, records whose frames are kept.</param>
sealed record WindowCheckpoint(
    long Ticks, int Minutes, long Rows, int Revision, IReadOnlyList<ObjectRef>? Unlisted = null, SealingEntry? Sealing = null, IReadOnlyList<int>? Unpublished = null, long? Kept = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StreamDeclared))]
[JsonSerializable(typeof(SettingsEntry))]
[JsonSerializable(typeof(GatewayEntry))]
[JsonSerializable(typeof(List<LogDamage>))]
[JsonSerializable(typeof(CutEntry))]
[JsonSerializable(typeof(StoredEntry))]
[JsonSerializable(typeof(SealingEntry))]
[JsonSerializable(typeof(SealedEntry))]
[JsonSerializable(typeof(PublishedEntry))]
[JsonSerializable(typeof(TruncatedEntry))]
[JsonSerializable(typeof(CheckpointEntry))]
sealed partial class LogJson : JsonSerializerContext;
