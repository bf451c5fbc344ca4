using System.Globalization;
using System.Text;

namespace LeanPipe.Gateway.Validation;

/// <summary>Timestamps as text: RFC 3339 with a zone, and .NET custom formats. Pure, over bytes, without allocation.</summary>
/// <remarks>
/// What is accepted is what DuckDB reads as TIMESTAMPTZ, and the result is cut to microseconds as DuckDB cuts it, so that a record's window is the window of its row.
/// </remarks>
static class TimestampText
{
    /// <summary>The longest text of <see cref="Write"/>: <c>2026-01-01T10:00:00.123456Z</c>.</summary>
    public const int MaxWritten = 27;

    const int LongestCustom = 64;

    /// <summary>
    /// <c>2026-01-01T10:00:00.123+02:00</c>: a 'T' or a space, seconds 00 to 59, one to nine digits of a fraction or none, 'Z' or an offset to ±23:59. Lower-case 't' and 'z'
    /// and the second 60 are refused, for DuckDB refuses them.
    /// </summary>
    public static bool TryParseRfc3339(ReadOnlySpan<byte> text, out long utcTicks)
    {
        utcTicks = 0;
        if (text.Length < 20 || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)' ') || text[13] != ':' || text[16] != ':') return false;
        if (!TryDigits(text[..4], out var year) || !TryDigits(text.Slice(5, 2), out var month) || !TryDigits(text.Slice(8, 2), out var day)) return false;
        if (!TryDigits(text.Slice(11, 2), out var hour) || !TryDigits(text.Slice(14, 2), out var minute) || !TryDigits(text.Slice(17, 2), out var second)) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return false;

        var rest = text[19..];
        var micros = 0;
        if (rest[0] == '.')
        {
            var digits = rest[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits is < 1 or > 9) return false;
            for (var i = 1; i <= 6; i++) micros = micros * 10 + (i <= digits ? rest[i] - '0' : 0);
            rest = rest[(1 + digits)..];
        }

        if (!TryOffset(rest, out var offset)) return false;
        utcTicks = new DateTime(year, month, day, hour, minute, second).Ticks + micros * TimeSpan.TicksPerMicrosecond - offset;
        return utcTicks >= 0 && utcTicks <= DateTime.MaxValue.Ticks;
    }

    public static bool TryParseCustom(ReadOnlySpan<byte> text, string format, out long utcTicks)
    {
        utcTicks = 0;
        if (text.Length > LongestCustom) return false;
        Span<char> chars = stackalloc char[LongestCustom];
        if (!Encoding.UTF8.TryGetChars(text, chars, out var length)) return false;
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (!DateTime.TryParseExact(chars[..length], format, CultureInfo.InvariantCulture, Utc, out var instant)) return false;
        utcTicks = instant.Ticks - instant.Ticks % TimeSpan.TicksPerMicrosecond;
        return true;
    }

    /// <summary>Writes RFC 3339 in UTC with as many digits of the fraction as are needed, six at most.</summary>
    public static int Write(long utcTicks, Span<byte> target)
    {
        var instant = new DateTime(utcTicks, DateTimeKind.Utc);
        instant.TryFormat(target, out var written, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        var micros = (int)(utcTicks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond);
        if (micros > 0)
        {
            target[written++] = (byte)'.';
            for (var unit = 100_000; micros > 0; unit /= 10)
            {
                target[written++] = (byte)('0' + micros / unit);
                micros %= unit;
            }
        }
        target[written++] = (byte)'Z';
        return written;
    }

    static bool TryOffset(ReadOnlySpan<byte> text, out long ticks)
    {
        ticks = 0;
        if (text is [(byte)'Z']) return true;
        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':') return false;
        if (!TryDigits(text.Slice(1, 2), out var hours) || !TryDigits(text.Slice(4, 2), out var minutes) || hours > 23 || minutes > 59) return false;
        ticks = (hours * 60 + minutes) * TimeSpan.TicksPerMinute * (text[0] == '-' ? -1 : 1);
        return true;
    }

    static bool TryDigits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var b in text)
        {
            if (b is < (byte)'0' or > (byte)'9') return false;
            value = value * 10 + (b - '0');
        }
        return true;
    }
}
