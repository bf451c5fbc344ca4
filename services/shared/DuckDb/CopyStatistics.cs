using System.Collections;
using System.Globalization;

namespace LeanPipe.DuckDb;

/// <summary>Reads a row of COPY … (RETURN_STATS): filename, count, file_size_bytes, footer_size_bytes, column_statistics, partition_keys.</summary>
static class CopyStatistics
{
    const string BucketFolder = ParquetOutput.BucketColumn + "=";

    public static ParquetFile Read(DuckDbRows row)
    {
        var path = Path.GetFullPath(row.GetString(0));
        var folder = Path.GetFileName(Path.GetDirectoryName(path)) ?? "";
        int? bucket = folder.StartsWith(BucketFolder, StringComparison.Ordinal) ? int.Parse(folder.AsSpan(BucketFolder.Length), CultureInfo.InvariantCulture) : null;
        return new ParquetFile(path, row.GetInt64(1), row.GetInt64(2), bucket, Columns(row.GetValue(4)));
    }

    static Dictionary<string, ParquetColumnStatistics> Columns(object? map)
    {
        var columns = new Dictionary<string, ParquetColumnStatistics>(StringComparer.Ordinal);
        foreach (DictionaryEntry column in map as IDictionary ?? new Dictionary<string, object>(StringComparer.Ordinal))
        {
            var values = (IDictionary)column.Value!;
            // Names come quoted as in SQL: "a"."b".
            var name = ((string)column.Key)[1..^1].Replace("\".\"", ".", StringComparison.Ordinal).Replace("\"\"", "\"", StringComparison.Ordinal);
            columns[name] = new ParquetColumnStatistics(values["min"] as string, values["max"] as string,
                long.TryParse(values["null_count"] as string, CultureInfo.InvariantCulture, out var nulls) ? nulls : null);
        }

        return columns;
    }
}
