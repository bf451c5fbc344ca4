using System.Globalization;
using LeanPipe.Contracts;

namespace LeanPipe.DuckDb;

/// <summary>Rows and column bounds of a finished Parquet file, from its footer: no row is read again.</summary>
/// <remarks>
/// Source of the text forms: Delta's protocol, "Per-file Statistics". Fields of structs are named <c>a.b</c>. A column is left out when a footer does not tell (NaN, long text) or
/// tells inexactly, and so are booleans, bytes, lists, maps and enums, whose order helps nobody.
/// </remarks>
public sealed record ParquetFacts(long Rows, IReadOnlyDictionary<string, ColumnStats> Stats)
{
    /// <summary>Bounds travel with every manifest; longer text would not pay.</summary>
    const int LongestText = 128;

    sealed record Leaf(string Name, string PathInSchema, string Type);

    /// <summary>By local path.</summary>
    /// <param name="files">Files of one output, so that all have the same columns.</param>
    /// <param name="columns">Their columns as the SELECT yields them; others are not looked at.</param>
    public static IReadOnlyDictionary<string, ParquetFacts> Read(
        DuckDbSession session, IReadOnlyList<string> files, IReadOnlyList<OutputColumn> columns, CancellationToken cancellation)
    {
        if (files.Count == 0) return new Dictionary<string, ParquetFacts>();
        var paths = SqlText.Literals(files);
        var leaves = Leaves(session, files[0], [.. columns.Where(c => !c.Type.Contains("ENUM(", StringComparison.Ordinal)).Select(c => c.Name)], cancellation);
        var rows = Texts(session, $"SELECT file_name, CAST(num_rows AS VARCHAR) FROM parquet_file_metadata({paths})", cancellation).ToDictionary(r => r[0]!);
        var stats = leaves.Count == 0
            ? []
            : Texts(session, $"SELECT file_name, {string.Join(", ", leaves.Select(Bounds))} FROM parquet_metadata({paths}) GROUP BY file_name", cancellation).ToDictionary(r => r[0]!);
        return files.ToDictionary(f => f, f => new ParquetFacts(long.Parse(rows[f][1]!, CultureInfo.InvariantCulture), Of(leaves, stats.GetValueOrDefault(f))));
    }

    static Dictionary<string, ColumnStats> Of(List<Leaf> leaves, string?[]? row)
    {
        var stats = new Dictionary<string, ColumnStats>(StringComparer.Ordinal);
        for (var i = 0; row is not null && i < leaves.Count; i++)
        {
            var (min, max, nulls, known) = (row[1 + 4 * i], row[2 + 4 * i], row[3 + 4 * i], row[4 + 4 * i]);
            if (known != "true" || nulls is null || min?.Length > LongestText || max?.Length > LongestText) continue;
            stats[leaves[i].Name] = new(min, max, long.Parse(nulls, CultureInfo.InvariantCulture));
        }
        return stats;
    }

    /// <summary>The leaves of the schema's tree that lie in no list and no map. Two that come to the same name (a column called "a.b" beside a struct a) are both left out.</summary>
    static List<Leaf> Leaves(DuckDbSession session, string file, HashSet<string> columns, CancellationToken cancellation)
    {
        var schema = Texts(session, $"SELECT name, CAST(num_children AS VARCHAR), repetition_type, duckdb_type FROM parquet_schema({SqlText.Literal(file)})", cancellation);
        var leaves = new List<Leaf>();
        var at = 1;
        while (at < schema.Count) Walk([], columns.Contains(schema[at][0]!));
        // Bounds stand in a document in the order of their names.
        return [.. leaves.GroupBy(l => l.Name).Where(g => g.Count() == 1).Select(g => g.First()).OrderBy(l => l.Name, StringComparer.Ordinal)];

        void Walk(IReadOnlyList<string> within, bool counts)
        {
            var (name, children, repetition, type) = (schema[at][0]!, schema[at][1], schema[at][2], schema[at][3]);
            at++;
            IReadOnlyList<string> path = [.. within, name];
            counts &= repetition != "REPEATED";
            if (children is null)
            {
                if (counts && type is not null && Text(type, "x") is not null) leaves.Add(new(string.Join('.', path), string.Join(", ", path), type));
                return;
            }
            for (var left = int.Parse(children, CultureInfo.InvariantCulture); left > 0; left--) Walk(path, counts);
        }
    }

    static string Bounds(Leaf leaf)
    {
        // TRY_CAST, for the filter comes after the cast: other columns have other types.
        var here = $"FILTER (path_in_schema = {SqlText.Literal(leaf.PathInSchema)})";
        var min = Text(leaf.Type, $"min(TRY_CAST(stats_min_value AS {leaf.Type})) {here}");
        var max = Text(leaf.Type, $"max(TRY_CAST(stats_max_value AS {leaf.Type})) {here}");
        const string Known = "stats_null_count = num_values OR (stats_min_value IS NOT NULL AND min_is_exact AND max_is_exact)";
        return $"{min}, {max}, CAST(sum(stats_null_count) {here} AS VARCHAR), CAST(bool_and(coalesce({Known}, false)) {here} AS VARCHAR)";
    }

    /// <summary>The expression's text form, or null for types that get no bounds.</summary>
    static string? Text(string type, string expression) => type switch
    {
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "FLOAT" or "DOUBLE" or "DATE" or "VARCHAR" => $"CAST({expression} AS VARCHAR)",
        "TIMESTAMP WITH TIME ZONE" => $"strftime(({expression}) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')",
        _ when type.StartsWith("DECIMAL(", StringComparison.Ordinal) => $"CAST({expression} AS VARCHAR)",
        _ => null,
    };

    static List<string?[]> Texts(DuckDbSession session, string select, CancellationToken cancellation)
    {
        using var rows = session.Own(select, cancellation);
        var all = new List<string?[]>();
        while (rows.Read())
        {
            var row = new string?[rows.Names.Count];
            for (var i = 0; i < row.Length; i++) row[i] = rows.IsNull(i) ? null : rows.GetString(i);
            all.Add(row);
        }
        return all;
    }
}
