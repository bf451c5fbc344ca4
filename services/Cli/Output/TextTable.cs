using System.Globalization;
using System.Text;

namespace LeanPipe.Cli.Output;

/// <summary>A column of a printed table; numbers stand to the right.</summary>
sealed record TextColumn<T>(string Title, Func<T, object?> Value, bool Right = false);

/// <summary>Rows in columns, as wide as what stands in them.</summary>
static class TextTable
{
    const int MaxCell = 60;

    public static void Write<T>(TextWriter output, IReadOnlyList<T> rows, params IReadOnlyList<TextColumn<T>> columns)
    {
        var cells = rows.Select(r => columns.Select(c => Text(c.Value(r))).ToArray()).ToList();
        var widths = columns.Select((c, i) => cells.Select(r => r[i].Length).Append(c.Title.Length).Max()).ToArray();
        output.WriteLine(Line([.. columns.Select(c => c.Title)]));
        output.WriteLine(string.Join("  ", widths.Select(w => new string('-', w))));
        foreach (var row in cells) output.WriteLine(Line(row));

        string Line(string[] texts)
        {
            var line = new StringBuilder();
            for (var i = 0; i < texts.Length; i++)
                line.Append(columns[i].Right ? texts[i].PadLeft(widths[i]) : texts[i].PadRight(widths[i])).Append("  ");
            return line.ToString().TrimEnd();
        }
    }

    /// <summary>What a device sent must not steer the terminal of who reads it.</summary>
    static string Printable(string text) => !text.Any(char.IsControl) ? text : string.Concat(text.Select(c => c == '\t' ? " " : char.IsControl(c) ? $"\\x{(int)c:x2}" : $"{c}"));

    /// <summary>As a cell: on one line, and cut where it is long.</summary>
    public static string Text(object? value)
    {
        var text = Printable(Plain(value).ReplaceLineEndings(" "));
        return text.Length <= MaxCell ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[MaxCell - 2]) ? MaxCell - 2 : MaxCell - 1), "…");
    }

    /// <summary>The whole value as text.</summary>
    public static string Plain(object? value) => value switch
    {
        null => "",
        bool b => b ? "true" : "false",
        // A UTC instant shows its zone, a timestamp without one does not.
        DateTime t => t.ToString(t.Kind == DateTimeKind.Utc ? "yyyy-MM-dd HH:mm:ss.FFFFFF'Z'" : "yyyy-MM-dd HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture),
        DateTimeOffset t => t.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        DateOnly d => d.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        byte[] bytes => $"\\x{Convert.ToHexStringLower(bytes)}",
        string s => s,
        System.Collections.IDictionary map => "{" + string.Join(", ", map.Keys.Cast<object>().Select(k => $"{k}: {Text(map[k])}")) + "}",
        System.Collections.IEnumerable list => "[" + string.Join(", ", list.Cast<object?>().Select(Text)) + "]",
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
