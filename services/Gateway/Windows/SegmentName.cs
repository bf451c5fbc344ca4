using System.Globalization;

namespace LeanPipe.Gateway.Windows;

/// <summary>A segment's name follows from the gateway, the log and the position of its first line, so that no two cuts ever share one and a repeated upload has the same.</summary>
static class SegmentName
{
    const int PositionDigits = 20;

    public static string Of(string gateway, ulong logId, long position) => $"{gateway}-{logId:x16}-{position:D20}";

    /// <summary>The position of the segment's first line; 0 when the name has none.</summary>
    public static long PositionOf(string segment) =>
        segment.Length > PositionDigits && long.TryParse(segment.AsSpan(segment.Length - PositionDigits), NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : 0;
}
