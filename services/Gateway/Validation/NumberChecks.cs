using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Validation;

sealed class Int64Check(Int64Type type) : FieldCheck
{
    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType != JsonTokenType.Number) return verdict.Fail(RejectCode.WrongType, ref reader);
        if (reader.TryGetInt64(out var value)) return (value >= type.Min && value <= type.Max) || verdict.Fail(RejectCode.OutOfRange, ref reader);
        var isWhole = reader.ValueSpan.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0;
        return verdict.Fail(isWhole ? RejectCode.OutOfRange : RejectCode.WrongType, ref reader);
    }
}

sealed class Float64Check(Float64Type type) : FieldCheck
{
    /// <summary>A number of fewer digits without an exponent is finite, so without a range it need not be parsed.</summary>
    const int SurelyFiniteLength = 300;

    readonly bool _hasRange = type.Min > double.MinValue || type.Max < double.MaxValue;

    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType != JsonTokenType.Number) return verdict.Fail(RejectCode.WrongType, ref reader);
        if (!_hasRange && IsSurelyFinite(reader.ValueSpan)) return true;
        return (reader.TryGetDouble(out var value) && double.IsFinite(value) && value >= type.Min && value <= type.Max) ||
            verdict.Fail(RejectCode.OutOfRange, ref reader);
    }

    public static bool IsSurelyFinite(ReadOnlySpan<byte> number) =>
        number.Length < SurelyFiniteLength && number.IndexOfAny((byte)'e', (byte)'E') < 0;
}

/// <summary>A number without exponent, as a JSON number or in a string, that the type holds without rounding.</summary>
/// <remarks>
/// DuckDB reads a JSON number through a double, which keeps 15 digits exactly. So a JSON number of more digits is refused here rather than rounded there; a string keeps all.
/// </remarks>
sealed class DecimalCheck(DecimalType type) : FieldCheck
{
    public const int DigitsOfDouble = 15;

    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String)) return verdict.Fail(RejectCode.WrongType, ref reader);
        var text = reader.TokenType == JsonTokenType.Number ? reader.ValueSpan : verdict.Text(ref reader);
        if (!JsonNumber.IsPlain(text)) return verdict.Fail(RejectCode.WrongType, ref reader);

        if (text[0] == '-') text = text[1..];
        var point = text.IndexOf((byte)'.');
        var whole = (point < 0 ? text : text[..point]).TrimStart((byte)'0');
        var fraction = point < 0 ? [] : text[(point + 1)..].TrimEnd((byte)'0');
        if (whole.Length > type.Precision - type.Scale) return verdict.Fail(RejectCode.OutOfRange, ref reader);
        if (fraction.Length > type.Scale) return verdict.Fail(RejectCode.TooPrecise, ref reader);
        if (reader.TokenType == JsonTokenType.String) return true;

        var significant = fraction.Length == 0 ? whole.TrimEnd((byte)'0').Length
            : whole.Length == 0 ? fraction.TrimStart((byte)'0').Length
            : whole.Length + fraction.Length;
        return significant <= DigitsOfDouble || verdict.Fail(RejectCode.TooPrecise, ref reader);
    }
}

/// <summary>The grammar of RFC 8259 section 6 over bytes that no JSON reader has seen.</summary>
static class JsonNumber
{
    public static bool Is(ReadOnlySpan<byte> text)
    {
        var rest = PlainEnd(text);
        if (rest < 0) return false;
        if (rest == text.Length) return true;
        if ((text[rest] | 0x20) != 'e') return false;
        var exponent = text[(rest + 1)..];
        if (exponent is [(byte)'+' or (byte)'-', ..]) exponent = exponent[1..];
        return exponent.Length > 0 && exponent.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
    }

    /// <summary>Whether it is a number without an exponent.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> text) => text.Length > 0 && PlainEnd(text) == text.Length;

    /// <summary>Where the whole part and the fraction end; -1 when there is no number.</summary>
    static int PlainEnd(ReadOnlySpan<byte> text)
    {
        var i = text is [(byte)'-', ..] ? 1 : 0;
        var whole = Digits(text[i..]);
        if (whole == 0 || (whole > 1 && text[i] == '0')) return -1;
        i += whole;
        if (i == text.Length || text[i] != '.') return i;
        var fraction = Digits(text[(i + 1)..]);
        return fraction == 0 ? -1 : i + 1 + fraction;
    }

    static int Digits(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return end < 0 ? text.Length : end;
    }
}
