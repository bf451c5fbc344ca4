using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>Writes <c>catalog/views.sql</c>: one view per table over exactly its live files, for a DuckDB (1.x, 2.0) that knows nothing of Delta.</summary>
static class ViewsSql
{
    public static string Write(Catalog catalog, Uri root, IReadOnlyList<LakeException> unreadable)
    {
        var sql = new StringBuilder(Header(root));
        foreach (var e in unreadable) sql.Append($"-- Left out: {OneLine(e.Message)}\n");
        foreach (var table in catalog.Tables)
        {
            sql.Append($"\n-- {table.Name}: version {table.TableVersion}, {table.Rows} rows, {table.Files.Count} files, {table.UpdatedAt:yyyy-MM-dd'T'HH:mm:ss'Z'}\n");
            sql.Append($"CREATE OR REPLACE VIEW {Identifier(table.Name.Value)} AS\n");
            AppendSelect(sql, table, root);
            sql.Append(";\n");
        }
        return sql.ToString();
    }

    // The typed empty row set gives every column its place and type, also those that only a newer or no live file has.
    static void AppendSelect(StringBuilder sql, CatalogTable table, Uri root)
    {
        var columns = table.Columns.Select(c => $"CAST(NULL AS {c.Type}) AS {Identifier(c.Name)}");
        sql.Append($"SELECT {string.Join(", ", columns)} WHERE false");
        if (table.Files.Count == 0) return;
        sql.Append("\nUNION ALL BY NAME\nSELECT * FROM read_parquet([\n");
        // 'window=…' in a path is a place, not a column.
        sql.AppendJoin(",\n", table.Files.Select(f => $"  {Literal(Location(root, f.Key))}")).Append("\n], union_by_name = true, hive_partitioning = false)");
    }

    static string Header(Uri root) => root.Scheme == "s3"
        ? $"""
          -- The published tables of {OneLine(root.OriginalString)} as DuckDB views over their live files. Written by LeanPipe with every publish: fetch it again for newer rows.
          -- Before it, once per session, with your own key:
          --   INSTALL httpfs; LOAD httpfs;
          --   CREATE SECRET lake (TYPE s3, KEY_ID '...', SECRET '...', REGION 'us-east-1');
          --   and for a service other than AWS, within the same parentheses:  , ENDPOINT 'host:port', URL_STYLE 'path', USE_SSL false
          -- Then:  .read views.sql

          """
        : $"""
          -- The published tables of {OneLine(root.LocalPath)} as DuckDB views over their live files. Written by LeanPipe with every publish: read it again for newer rows.
          --   duckdb -init {OneLine(root.LocalPath)}/{LakeLayout.CatalogViews}

          """;

    /// <summary>A folder's file by its plain path, for DuckDB does not decode file URIs; '*', '?' and '[' in it are no pattern.</summary>
    static string Location(Uri root, string key)
    {
        var path = $"{(root.Scheme == "s3" ? root.OriginalString : root.LocalPath)}/{key}";
        var literal = new StringBuilder();
        foreach (var c in path) literal.Append(c is '*' or '?' or '[' ? $"[{c}]" : c.ToString());
        return literal.ToString();
    }

    static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
