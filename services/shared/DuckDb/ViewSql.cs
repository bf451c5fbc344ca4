using static LeanPipe.DuckDb.SqlText;

namespace LeanPipe.DuckDb;

/// <summary>The SELECTs behind a session's views.</summary>
static class ViewSql
{
    /// <summary>The typed empty rows give every column its place, also one that some or all files lack.</summary>
    public static string Parquet(IReadOnlyList<string> files, IReadOnlyList<DuckDbColumn> columns) =>
        $"SELECT {Identifiers(columns.Select(c => c.Name))} FROM ({Empty(columns)} UNION ALL BY NAME SELECT * FROM read_parquet({Literals(files)}, union_by_name = true, hive_partitioning = false))";

    public static string Parquet(IReadOnlyList<string> files) =>
        $"SELECT * FROM read_parquet({Literals(files)}, hive_partitioning = false)";

    /// <summary>Columns that a line lacks are null; fields that are not named are skipped. A <c>.gz</c> name means gzip.</summary>
    public static string Ndjson(IReadOnlyList<string> files, IReadOnlyList<DuckDbColumn> columns) =>
        $"SELECT * FROM read_json({Literals(files)}, format = 'newline_delimited', hive_partitioning = false, columns = {{{string.Join(", ", columns.Select(c => $"{Literal(c.Name)}: {Literal(c.Type)}"))}}})";

    public static string Empty(IReadOnlyList<DuckDbColumn> columns) =>
        $"SELECT {string.Join(", ", columns.Select(c => $"CAST(NULL AS {c.Type}) AS {Identifier(c.Name)}"))} WHERE false";
}
