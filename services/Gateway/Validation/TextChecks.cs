using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Validation;

sealed class StringCheck(StringType type) : FieldCheck
{
    readonly Regex? _pattern = type.Pattern is null ? null : CompilePattern(type.Pattern);

    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType != JsonTokenType.String) return verdict.Fail(RejectCode.WrongType, ref reader);
        var text = verdict.Text(ref reader);

        // Code points are at most as many as bytes, so most strings need no counting.
        if (text.Length < type.MinLength || (type.MinLength > 0 && CodePoints(text) < type.MinLength)) return verdict.Fail(RejectCode.TooShort, ref reader);
        if (text.Length > type.MaxLength && CodePoints(text) > type.MaxLength) return verdict.Fail(RejectCode.TooLong, ref reader);
        if (_pattern is null) return true;

        var chars = verdict.Chars(text.Length);
        chars = chars[..Encoding.UTF8.GetChars(text, chars)];
        return _pattern.IsMatch(chars) || verdict.Fail(RejectCode.PatternMismatch, ref reader);
    }

    static int CodePoints(ReadOnlySpan<byte> text)
    {
        var count = 0;
        foreach (var b in text) count += (b & 0xC0) != 0x80 ? 1 : 0;
        return count;
    }

    /// <summary>Without backtracking: time is linear in the text, whatever a peer sends.</summary>
    static Regex CompilePattern(string pattern)
    {
        try
        {
            return new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new LeanPipeException(
                "gateway.bad_schema", $"The pattern '{pattern}' is not usable: {e.Message} Expected a regular expression without lookaround and back-references.", inner: e);
        }
    }
}

sealed class EnumCheck(EnumType type) : FieldCheck
{
    readonly byte[][] _values = [.. type.Values.Select(Encoding.UTF8.GetBytes)];

    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType != JsonTokenType.String) return verdict.Fail(RejectCode.WrongType, ref reader);
        var text = verdict.Text(ref reader);
        foreach (var value in _values)
            if (text.SequenceEqual(value)) return true;
        return verdict.Fail(RejectCode.UnknownEnumValue, ref reader);
    }
}

/// <summary>Padded base64 without white space, which is what DuckDB's <c>from_base64</c> reads.</summary>
sealed class BytesCheck(BytesType type) : FieldCheck
{
    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType != JsonTokenType.String) return verdict.Fail(RejectCode.WrongType, ref reader);
        var text = verdict.Text(ref reader);
        if (!Base64.IsValid(text, out var decoded) || text.Length != (decoded + 2) / 3 * 4) return verdict.Fail(RejectCode.BadBase64, ref reader);
        return decoded <= type.MaxLength || verdict.Fail(RejectCode.TooLong, ref reader);
    }
}
