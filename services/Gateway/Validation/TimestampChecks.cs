using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Validation;

/// <param name="format">A .NET custom format; null for RFC 3339.</param>
sealed class TextTimestampCheck(string? format) : FieldCheck
{
    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType != JsonTokenType.String) return verdict.Fail(RejectCode.WrongType, ref reader);
        var text = verdict.Text(ref reader);
        var isRead = format is null ? TimestampText.TryParseRfc3339(text, out var ticks) : TimestampText.TryParseCustom(text, format, out ticks);
        if (!isRead) return verdict.Fail(RejectCode.BadTimestamp, ref reader);
        verdict.LastTicks = ticks;
        return true;
    }
}

/// <summary>A number counted from the Unix epoch: whole for milli-, micro- and nanoseconds, with a fraction allowed for seconds. The result has microseconds.</summary>
sealed class EpochTimestampCheck(TimestampUnit unit) : FieldCheck
{
    const long MinMicros = -62_135_596_800_000_000;
    const long MaxMicros = 253_402_300_799_999_999;

    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType != JsonTokenType.Number) return verdict.Fail(RejectCode.WrongType, ref reader);
        long ticks = 0;
        var isRead = unit == TimestampUnit.Seconds ? reader.TryGetDouble(out var seconds) && TryTicks(seconds, out ticks) : reader.TryGetInt64(out var count) && TryTicks(count, unit, out ticks);
        if (!isRead) return verdict.Fail(RejectCode.BadTimestamp, ref reader);
        verdict.LastTicks = ticks;
        return true;
    }

    /// <param name="unit">Milli-, micro- or nanoseconds.</param>
    public static bool TryTicks(long count, TimestampUnit unit, out long ticks)
    {
        ticks = 0;
        if (unit == TimestampUnit.Milliseconds && count is < -MaxMicros / 1000 or > MaxMicros / 1000) return false;
        return TryTicksOfMicros(unit switch { TimestampUnit.Milliseconds => count * 1000, TimestampUnit.Microseconds => count, _ => count / 1000 }, out ticks);
    }

    public static bool TryTicks(double seconds, out long ticks)
    {
        ticks = 0;

        // The same rounding, half to even, as DuckDB's to_timestamp(DOUBLE).
        return Math.Abs(seconds) <= MaxMicros / 1e6 && TryTicksOfMicros((long)Math.Round(seconds * 1e6), out ticks);
    }

    static bool TryTicksOfMicros(long micros, out long ticks)
    {
        ticks = DateTime.UnixEpoch.Ticks + micros * TimeSpan.TicksPerMicrosecond;
        return micros is >= MinMicros and <= MaxMicros;
    }
}
