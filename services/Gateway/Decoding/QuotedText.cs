using System.Buffers;
using System.Globalization;
using System.Text;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>JSON's escapes within a quoted value (RFC 8259, section 7). Pure.</summary>
static class QuotedText
{
    /// <param name="target">At least as long as <paramref name="raw"/>; an escape is never shorter than what it stands for.</param>
    public static RejectCode TryUnescape(ReadOnlySpan<byte> raw, Span<byte> target, out int written)
    {
        written = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                target[written++] = raw[i];
                continue;
            }
            if (++i == raw.Length) return RejectCode.BadKeyValue;
            if (raw[i] == 'u')
            {
                if (!TryUnit(raw[(i + 1)..], out var unit)) return RejectCode.BadKeyValue;
                i += 4;
                var rune = new Rune('\0');
                if (char.IsHighSurrogate(unit) && raw.Length > i + 2 && raw[i + 1] == '\\' && raw[i + 2] == 'u' && TryUnit(raw[(i + 3)..], out var low) && Rune.TryCreate(unit, low, out rune)) i += 6;
                else if (!Rune.TryCreate(unit, out rune)) return RejectCode.BadUtf8;
                written += rune.EncodeToUtf8(target[written..]);
                continue;
            }
            var plain = raw[i] switch
            {
                (byte)'"' or (byte)'\\' or (byte)'/' => raw[i],
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                _ => (byte)0,
            };
            if (plain == 0) return RejectCode.BadKeyValue;
            target[written++] = plain;
        }
        return RejectCode.None;
    }

    /// <summary>The parser alone would take NULs behind the digits.</summary>
    static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    static bool TryUnit(ReadOnlySpan<byte> digits, out char unit)
    {
        unit = '\0';
        if (digits.Length < 4 || digits[..4].ContainsAnyExcept(HexDigits) || !ushort.TryParse(digits[..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) return false;
        unit = (char)value;
        return true;
    }
}
