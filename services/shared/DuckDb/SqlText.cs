namespace LeanPipe.DuckDb;

/// <summary>Names and texts as DuckDB's SQL writes them.</summary>
public static class SqlText
{
    public static string Identifier(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    public static string Literal(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    internal static string Identifiers(IEnumerable<string> names) => string.Join(", ", names.Select(Identifier));

    internal static string Literals(IEnumerable<string> texts) => "[" + string.Join(", ", texts.Select(Literal)) + "]";
}
