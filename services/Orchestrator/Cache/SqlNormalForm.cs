using System.Text;
using System.Text.RegularExpressions;

namespace LeanPipe.Orchestrator;

/// <summary>SQL without what does not change its meaning: comments, runs of white space, a final semicolon. Letters stay as they are, for the case of a column's name is kept in the result.</summary>
static partial class SqlNormalForm
{
    public static string Of(string sql)
    {
        var normal = new StringBuilder(sql.Length);
        for (var i = 0; i < sql.Length;)
        {
            var end = EndOfToken(sql, i, out var blank);
            if (blank)
            {
                if (normal.Length > 0 && normal[^1] != ' ') normal.Append(' ');
            }
            else normal.Append(sql, i, end - i);
            i = end;
        }
        return normal.ToString().TrimEnd(' ', ';');
    }

    /// <summary>The function that makes the SQL yield something else each time; null when there is none. Such a step's results are never taken for another's.</summary>
    public static string? FindVolatile(string sql) => Volatile().Match(WithoutTexts(sql)) is { Success: true } match ? match.Value.TrimEnd('(', ' ') : null;

    /// <summary>The parameters that the SQL reads; null when it does not say so literally, so that it may read any.</summary>
    public static IReadOnlySet<string>? Variables(string sql)
    {
        var named = Variable().Matches(sql);
        return named.Count == AnyVariable().Count(sql) ? named.Select(m => m.Groups["name"].Value).ToHashSet(StringComparer.Ordinal) : null;
    }

    /// <summary>A quoted text, a comment, a run of white space, or one character.</summary>
    static int EndOfToken(string sql, int start, out bool blank)
    {
        blank = false;
        var rest = sql.AsSpan(start);
        if (rest[0] is '\'' or '"')
        {
            var escapes = rest[0] == '\'' && start > 0 && sql[start - 1] is 'e' or 'E';
            for (var i = start + 1; i < sql.Length; i++)
            {
                if (escapes && sql[i] == '\\') i++;
                else if (sql[i] == rest[0]) return i + 1;
            }
            return sql.Length;
        }
        if (rest[0] == '$' && Dollar().Match(sql, start) is { Success: true } dollar)
        {
            var close = sql.IndexOf(dollar.Value, start + dollar.Length, StringComparison.Ordinal);
            return close < 0 ? sql.Length : close + dollar.Length;
        }
        blank = true;
        if (rest.StartsWith("--")) return start + (rest.IndexOf('\n') is >= 0 and var line ? line : rest.Length);
        if (rest.StartsWith("/*")) return start + (rest.IndexOf("*/") is >= 0 and var close ? close + 2 : rest.Length);
        var end = start;
        while (end < sql.Length && char.IsWhiteSpace(sql[end])) end++;
        if (end > start) return end;
        blank = false;
        return start + 1;
    }

    static string WithoutTexts(string sql)
    {
        var bare = new StringBuilder(sql.Length);
        for (var i = 0; i < sql.Length;)
        {
            var end = EndOfToken(sql, i, out var blank);
            if (blank || end - i > 1) bare.Append(' ');
            else bare.Append(sql[i]);
            i = end;
        }
        return bare.ToString();
    }

    [GeneratedRegex(
        @"\b(?:(?:random|now|today|uuid|uuidv4|uuidv7|gen_random_uuid|get_current_timestamp|get_current_time|transaction_timestamp|nextval|currval|setseed|txid_current)\s*\(|current_timestamp\b|current_date\b|current_time\b|localtime\b|localtimestamp\b|tablesample\b|using\s+sample\b)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Volatile();

    [GeneratedRegex(@"\bgetvariable\s*\(\s*'(?<name>[^']*)'\s*\)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Variable();

    [GeneratedRegex(@"\bgetvariable\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex AnyVariable();

    [GeneratedRegex(@"\G\$[A-Za-z_]*\$")]
    private static partial Regex Dollar();
}
