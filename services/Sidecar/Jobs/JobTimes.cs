using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;

namespace LeanPipe.Sidecar.Jobs;

/// <summary>Points in time and durations as the Jobs API takes them.</summary>
static partial class JobTimes
{
    /// <summary>RFC 3339, or a duration from <paramref name="now"/> in Go's or ISO 8601's form.</summary>
    public static bool TryTime(string text, DateTimeOffset now, out DateTimeOffset time)
    {
        if (TryGoDuration(text, out var duration) || TryIsoDuration(text, out duration))
        {
            time = duration < DateTimeOffset.MaxValue - now ? now + duration : DateTimeOffset.MaxValue;
            return true;
        }

        return DateTimeOffset.TryParseExact(
            text, ["yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    /// <summary>Numbers with units, none negative: <c>1h30m</c>, <c>1.5s</c>, <c>300ms</c>; <c>0</c> needs no unit.</summary>
    public static bool TryGoDuration(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text == "0")
            return true;
        var match = GoDuration().Match(text);
        if (!match.Success)
            return false;

        var ticks = 0.0;
        foreach (var (number, unit) in match.Groups["number"].Captures.Zip(match.Groups["unit"].Captures))
        {
            ticks += double.Parse(number.ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * unit.Value switch
            {
                "h" => TimeSpan.TicksPerHour,
                "m" => TimeSpan.TicksPerMinute,
                "s" => TimeSpan.TicksPerSecond,
                "ms" => TimeSpan.TicksPerMillisecond,
                "ns" => TimeSpan.TicksPerMicrosecond / 1000.0,
                _ => TimeSpan.TicksPerMicrosecond,
            };
        }

        if (ticks >= TimeSpan.MaxValue.Ticks)
            return false;
        duration = TimeSpan.FromTicks((long)ticks);
        return true;
    }

    static bool TryIsoDuration(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (!text.StartsWith('P'))
            return false;
        try
        {
            duration = XmlConvert.ToTimeSpan(text);
            return duration >= TimeSpan.Zero;
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            return false;
        }
    }

    [GeneratedRegex("^((?<number>[0-9]+(\\.[0-9]*)?|\\.[0-9]+)(?<unit>ns|us|µs|ms|s|m|h))+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex GoDuration();
}
