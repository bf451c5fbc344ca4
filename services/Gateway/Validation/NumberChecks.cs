using System.Buffers.Text;
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

/// <summary>A JSON number, or one without exponent in a string, that the type holds without rounding.</summary>
/// <remarks>
/// DuckDB reads a JSON number through a double, which keeps 15 digits exactly. So a JSON number of more digits is refused here rather than rounded there; a string keeps all, for its text is cast as it is. That cast counts digits
/// before it looks at an exponent, and refuses what fits with it; so a string has none.
/// </remarks>
sealed class DecimalCheck(DecimalType type) : FieldCheck
{
    public const int DigitsOfDouble = 15;

    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String)) return verdict.Fail(RejectCode.WrongType, ref reader);
        var text = reader.TokenType == JsonTokenType.Number ? reader.ValueSpan : verdict.Text(ref reader);
        if (!JsonNumber.IsPlain(text)) return reader.TokenType == JsonTokenType.Number ? AcceptsMoved(ref reader, verdict) : verdict.Fail(RejectCode.WrongType, ref reader);

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

    /// <summary>The token is a number with an exponent.</summary>
    bool AcceptsMoved(ref Utf8JsonReader reader, Verdict verdict)
    {
        var (first, last, point) = JsonNumber.PlacesOf(reader.ValueSpan);
        if (first < 0) return true;
        if (point - first > type.Precision - type.Scale) return verdict.Fail(RejectCode.OutOfRange, ref reader);
        return (last + 1 - point <= type.Scale && last + 1 - first <= DigitsOfDouble) || verdict.Fail(RejectCode.TooPrecise, ref reader);
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

    /// <summary>What a number without an exponent may take that is written for a decimal: a sign, 0 and a point, zeros and digits.</summary>
    public const int LongestPlain = 3 + 2 * MostDigits;

    /// <summary>More than any decimal has, on either side of its point.</summary>
    const int MostDigits = 40;

    /// <summary>Beyond any number that can be held; so far from overflowing that positions can be added.</summary>
    const int LargestExponent = 1_000_000;

    /// <summary>Where a number's digits stand, the point not counted: the first and the last that are no zeros, and the one behind the point once the exponent has moved it.</summary>
    /// <returns>First is negative for zero.</returns>
    public static (int First, int Last, int Point) PlacesOf(ReadOnlySpan<byte> number)
    {
        if (number[0] == '-') number = number[1..];
        var end = number.IndexOfAny((byte)'e', (byte)'E');
        var exponent = 0;
        if (end >= 0)
        {
            var text = number[(end + 1)..];
            number = number[..end];
            exponent = Utf8Parser.TryParse(text, out int read, out var used) && used == text.Length ? Math.Clamp(read, -LargestExponent, LargestExponent) : text[0] == '-' ? -LargestExponent : LargestExponent;
        }
        var whole = number.IndexOf((byte)'.');
        if (whole < 0) whole = number.Length;
        var first = number.IndexOfAnyInRange((byte)'1', (byte)'9');
        var last = number.LastIndexOfAnyInRange((byte)'1', (byte)'9');
        return (first > whole ? first - 1 : first, last > whole ? last - 1 : last, whole + exponent);
    }

    /// <summary>Writes the same number without an exponent; false when that takes more digits than any decimal has.</summary>
    public static bool TryWritePlain(ReadOnlySpan<byte> number, Span<byte> plain, out int written)
    {
        var (first, last, point) = PlacesOf(number);
        written = 0;
        if (first < 0)
        {
            plain[written++] = (byte)'0';
            return true;
        }
        var (digits, whole) = (last - first + 1, point - first);
        if (digits > MostDigits || Math.Abs(whole) > MostDigits) return false;
        if (number[0] == '-')
        {
            plain[written++] = (byte)'-';
            number = number[1..];
        }
        if (whole <= 0)
        {
            plain[written++] = (byte)'0';
            plain[written++] = (byte)'.';
            plain.Slice(written, -whole).Fill((byte)'0');
            written -= whole;
        }
        for (var (at, rank) = (0, 0); rank <= last; at++)
        {
            if (number[at] == '.') continue;
            if (rank >= first)
            {
                if (rank == point && whole > 0) plain[written++] = (byte)'.';
                plain[written++] = number[at];
            }
            rank++;
        }
        if (whole <= digits) return true;
        plain.Slice(written, whole - digits).Fill((byte)'0');
        written += whole - digits;
        return true;
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
