namespace LeanPipe.DuckDb;

/// <summary>Names and texts as DuckDB's SQL writes them.</summary>
public static class SqlText
{
    public static string Identifier(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    public static string Literal(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    /// <summary>Whether DuckDB takes a path for a pattern, and then reads whatever files match it: there is no way to write such a file's own name.</summary>
    public static bool IsPattern(string path) => path.AsSpan().IndexOfAny("*?[") >= 0;

    internal static string Identifiers(IEnumerable<string> names) => string.Join(", ", names.Select(Identifier));

    internal static string Literals(IEnumerable<string> texts) => "[" + string.Join(", ", texts.Select(Literal)) + "]";
}
