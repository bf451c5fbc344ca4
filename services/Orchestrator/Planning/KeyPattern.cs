using System.Text;
using System.Text.RegularExpressions;

namespace LeanPipe.Orchestrator;

/// <summary>A pattern of keys: <c>*</c> and <c>?</c> within a folder's name, <c>**</c> over folders.</summary>
sealed class KeyPattern(string pattern)
{
    readonly Regex _regex = new(Regex(pattern), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    /// <summary>What every match begins with.</summary>
    public string Prefix { get; } = pattern.IndexOfAny(['*', '?']) is >= 0 and var wild ? pattern[..wild] : pattern;

    public bool Matches(string key) => _regex.IsMatch(key);

    static string Regex(string pattern)
    {
        var regex = new StringBuilder("^");
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern.AsSpan(i).StartsWith("**/")) (regex, i) = (regex.Append("(.*/)?"), i + 2);
            else if (pattern.AsSpan(i).StartsWith("**")) (regex, i) = (regex.Append(".*"), i + 1);
            else regex.Append(pattern[i] switch { '*' => "[^/]*", '?' => "[^/]", var c => System.Text.RegularExpressions.Regex.Escape(c.ToString()) });
        }
        return regex.Append('$').ToString();
    }
}
