using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Windows;

/// <summary>A segment's name follows from the gateway, the log and the position of its first line, so that no two cuts ever share one and a repeated upload has the same.</summary>
static class SegmentName
{
    const int PositionDigits = 20;

    public static string Of(string gateway, ulong logId, long position) => $"{gateway}-{logId:x16}-{position:D20}";

    /// <summary>Where the lake keeps a segment of a lane.</summary>
    public static string KeyOf(LaneKey lane, StreamName stream, string segment) =>
        lane.Frames ? LakeLayout.Frames(stream, lane.Window, segment) : lane.Rejected ? LakeLayout.Rejected(stream, lane.Window, segment) : LakeLayout.Segment(stream, lane.Window, segment);

    /// <summary>The position of the segment's first line; 0 when the name has none.</summary>
    public static long PositionOf(string segment) =>
        segment.Length > PositionDigits && long.TryParse(segment.AsSpan(segment.Length - PositionDigits), NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : 0;
}
