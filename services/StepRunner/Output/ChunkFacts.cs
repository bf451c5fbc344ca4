using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.StepRunner;

/// <summary>Rows and column bounds of a finished chunk, from its Parquet footer: no row is read again.</summary>
/// <remarks>
/// Source of the text forms: Delta's protocol, "Per-file Statistics". A column is left out when a footer does not tell (NaN, long text) or tells inexactly,
/// and so are booleans, bytes and nested columns, whose order helps nobody.
/// </remarks>
internal sealed record ChunkFacts(long Rows, IReadOnlyDictionary<string, ColumnStats> Stats)
{
    /// <summary>Bounds travel with every manifest; longer text would not pay.</summary>
    const int LongestText = 128;

    /// <summary>By local path.</summary>
    public static IReadOnlyDictionary<string, ChunkFacts> Read(
        DuckDbSession session, IReadOnlyList<ChunkFile> files, IReadOnlyList<OutputColumn> columns, CancellationToken cancellation)
    {
        var paths = SqlForm.List(files.Select(f => f.Path));
        var ordered = columns.Where(c => Text(c.Type, "x") is not null).ToList();
        var rows = session.Texts($"SELECT file_name, num_rows FROM parquet_file_metadata({paths})", cancellation).ToDictionary(r => r[0]!, r => long.Parse(r[1]!, CultureInfo.InvariantCulture));
        var stats = ordered.Count == 0
            ? []
            : session.Texts($"SELECT file_name, {string.Join(", ", ordered.Select(Bounds))} FROM parquet_metadata({paths}) GROUP BY file_name", cancellation).ToDictionary(r => r[0]!);
        return files.ToDictionary(f => f.Path, f => new ChunkFacts(rows[f.Path], Of(ordered, stats.GetValueOrDefault(f.Path))));
    }

    static IReadOnlyDictionary<string, ColumnStats> Of(List<OutputColumn> columns, string?[]? row)
    {
        var stats = new SortedDictionary<string, ColumnStats>(StringComparer.Ordinal);
        for (var i = 0; row is not null && i < columns.Count; i++)
        {
            var (min, max, nulls, known) = (row[1 + 4 * i], row[2 + 4 * i], row[3 + 4 * i], row[4 + 4 * i]);
            if (known != "true" || nulls is null || min?.Length > LongestText || max?.Length > LongestText) continue;
            stats[columns[i].Name] = new(min, max, long.Parse(nulls, CultureInfo.InvariantCulture));
        }
        return stats;
    }

    static string Bounds(OutputColumn column)
    {
        // TRY_CAST, for the filter comes after the cast: other columns have other types.
        var here = $"FILTER (path_in_schema = {SqlText.Literal(column.Name)})";
        var min = Text(column.Type, $"min(TRY_CAST(stats_min_value AS {column.Type})) {here}");
        var max = Text(column.Type, $"max(TRY_CAST(stats_max_value AS {column.Type})) {here}");
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
}
