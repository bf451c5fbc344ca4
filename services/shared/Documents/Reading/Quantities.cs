using System.Globalization;

namespace LeanPipe.Documents.Reading;

/// <summary>Sizes and durations as people write them: a number and a unit.</summary>
public static class Quantities
{
    public const string SizeRule = "a size such as 512KB, 256MB or 1GB (1 KB is 1024 bytes)";
    public const string DurationRule = "a duration such as 500ms, 30s, 5m, 1h or 1d";

    static readonly (string Unit, long Bytes)[] Sizes =
        [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("KB", 1L << 10), ("MB", 1L << 20), ("GB", 1L << 30), ("TB", 1L << 40), ("B", 1)];

    static readonly (string Unit, long Ticks)[] Durations =
        [("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour), ("d", TimeSpan.TicksPerDay)];

    /// <returns>False unless the text is <see cref="SizeRule"/>, above zero.</returns>
    public static bool TrySize(string text, out long bytes) => TryParse(text, Sizes, out bytes);

    /// <returns>False unless the text is <see cref="DurationRule"/>, above zero.</returns>
    public static bool TryDuration(string text, out TimeSpan duration)
    {
        var parsed = TryParse(text, Durations, out var ticks);
        duration = new(ticks);
        return parsed;
    }

    static bool TryParse(string text, (string Unit, long Scale)[] units, out long value)
    {
        value = 0;
        foreach (var (unit, scale) in units)
        {
            if (!text.EndsWith(unit, StringComparison.Ordinal)) continue;
            var digits = text.AsSpan(0, text.Length - unit.Length).TrimEnd(' ');
            if (!decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) continue;
            if (number <= 0 || number > (decimal)long.MaxValue / scale) return false;
            value = (long)(number * scale);
            return value > 0;
        }
        return false;
    }
}
