using System.Text;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Decoding;

/// <summary>A .NET custom timestamp format as DuckDB's <c>strptime</c> reads it, for JSON records keep the text that the peer sent.</summary>
static class StrptimeFormat
{
    /// <exception cref="LeanPipeException">The format has a part that <c>strptime</c> does not read as .NET does.</exception>
    public static string Expression(string column, string format)
    {
        var (text, hasZone) = Translate(format);
        var parsed = $"strptime({column}, '{text.Replace("'", "''", StringComparison.Ordinal)}')";
        return hasZone ? parsed : $"{parsed} AT TIME ZONE 'UTC'";
    }

    static (string Text, bool HasZone) Translate(string format)
    {
        var text = new StringBuilder();
        var hasZone = false;
        for (var i = 0; i < format.Length;)
        {
            var c = format[i];
            if (c is '\'' or '"')
            {
                var end = format.IndexOf(c, i + 1);
                if (end < 0) throw Refused(format, format[i..]);
                text.Append(format.AsSpan(i + 1, end - i - 1)).Replace("%", "%%", text.Length - (end - i - 1), end - i - 1);
                i = end + 1;
                continue;
            }
            if (!char.IsAsciiLetter(c))
            {
                if (c is '\\' or '%') throw Refused(format, $"{c}");
                text.Append(c);
                i++;
                continue;
            }

            var length = 1;
            while (i + length < format.Length && format[i + length] == c) length++;
            var part = format.Substring(i, length);
            hasZone |= part == "zzz";
            text.Append(part switch
            {
                "yyyy" => "%Y",
                "MM" => "%m",
                "dd" => "%d",
                "HH" => "%H",
                "mm" => "%M",
                "ss" => "%S",
                "MMM" => "%b",
                "fff" => "%g",
                "ffffff" => "%f",
                "zzz" => "%z",
                "T" => "T",
                "Z" => "Z",
                _ => throw Refused(format, part),
            });
            i += length;
        }
        return (text.ToString(), hasZone);
    }

    static LeanPipeException Refused(string format, string part) => new(
        "gateway.bad_schema", $"The timestamp format '{format}' has '{part}', which readers of JSON segments cannot read. " +
        "Expected yyyy, MM, MMM, dd, HH, mm, ss, fff, ffffff, zzz, T, Z, quoted text and punctuation; or send RFC 3339 or epoch numbers.");
}
