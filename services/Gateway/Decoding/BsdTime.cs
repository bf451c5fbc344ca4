using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>The time of an RFC 3164 message: <c>Oct 11 22:14:15</c>, the day padded with a space; or RFC 3339, which many senders write in its place. Pure.</summary>
static class BsdTime
{
    const int Length = 15;

    static ReadOnlySpan<byte> Months => "JanFebMarAprMayJunJulAugSepOctNovDec"u8;

    /// <param name="length">Bytes that the time takes.</param>
    public static bool TryRead(ReadOnlySpan<byte> text, DateTimeOffset now, TimeSpan zone, out long utcTicks, out int length)
    {
        utcTicks = 0;
        length = text.IndexOf((byte)' ');
        if (length >= 20 && TimestampText.TryParseRfc3339(text[..length], out utcTicks)) return true;
        length = Length;
        if (text.Length < Length || text[3] != ' ' || text[6] != ' ' || text[9] != ':' || text[12] != ':') return false;
        var month = Months.IndexOf(text[..3]);
        if (month < 0 || month % 3 != 0) return false;
        if (!TryPair(text.Slice(4, 2), mayBePadded: true, out var day) || !TryPair(text.Slice(7, 2), false, out var hour)) return false;
        if (!TryPair(text.Slice(10, 2), false, out var minute) || !TryPair(text.Slice(13, 2), false, out var second)) return false;
        return hour <= 23 && minute <= 59 && second <= 59 && TryNearest(month / 3 + 1, day, new TimeSpan(hour, minute, second), now, zone, out utcTicks);
    }

    /// <summary>The year that brings the time nearest to now; the 29th of February looks as far as it must.</summary>
    static bool TryNearest(int month, int day, TimeSpan time, DateTimeOffset now, TimeSpan zone, out long utcTicks)
    {
        utcTicks = 0;
        var nearest = long.MaxValue;
        for (var year = Math.Max(2, now.Year - 4); year <= Math.Min(9998, now.Year + 4); year++)
        {
            if (day < 1 || day > DateTime.DaysInMonth(year, month)) continue;
            var ticks = (new DateTime(year, month, day) + time - zone).Ticks;
            var distance = Math.Abs(ticks - now.UtcTicks);
            if (distance >= nearest) continue;
            (nearest, utcTicks) = (distance, ticks);
        }
        return nearest < long.MaxValue;
    }

    static bool TryPair(ReadOnlySpan<byte> text, bool mayBePadded, out int value)
    {
        value = text[1] - '0';
        if (text[1] is < (byte)'0' or > (byte)'9') return false;
        if (text[0] == ' ') return mayBePadded;
        if (text[0] is < (byte)'0' or > (byte)'9') return false;
        value += (text[0] - '0') * 10;
        return true;
    }
}
