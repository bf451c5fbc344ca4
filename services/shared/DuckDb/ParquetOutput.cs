using System.Globalization;
using static LeanPipe.DuckDb.SqlText;

namespace LeanPipe.DuckDb;

/// <summary>How the rows of one SELECT become Parquet files.</summary>
public sealed record ParquetOutput
{
    /// <summary>A folder below the scratch folder, absent or empty; it is created. Files are <c>part-0.parquet</c>, …, below <c>leanpipe_bucket=N/</c> with <see cref="Buckets"/>.</summary>
    public required string Directory { get; init; }

    /// <summary>A file that has reached this size (compressed) is ended and the next one begun. Not with <see cref="Buckets"/>: DuckDB splits those by rows.</summary>
    public long FileBytes { get; init; } = 128L << 20;

    /// <summary>DuckDB's own default: small enough for many threads, large enough for its encodings.</summary>
    public int RowGroupRows { get; init; } = 122_880;

    public int ZstdLevel { get; init; } = 3;

    /// <summary>As DuckDB names it: <c>zstd</c>, <c>snappy</c>, <c>gzip</c>, <c>lz4_raw</c>, <c>uncompressed</c>.</summary>
    public string Compression { get; init; } = "zstd";

    /// <summary>
    /// Sorted by these columns, so that row groups are narrow in them and readers can skip. Not an order to rely on: where threads take turns at writing,
    /// neighbouring row groups change places and files overlap a little.
    /// </summary>
    public IReadOnlyList<string> OrderBy { get; init; } = [];

    /// <summary>Null: no partitioning.</summary>
    public HashBuckets? Buckets { get; init; }

    internal const string BucketColumn = "leanpipe_bucket";

    internal string CopySql(string view, IReadOnlyList<DuckDbColumn> columns)
    {
        var rows = Buckets is null ? $"SELECT * FROM {view}" : $"SELECT *, {Buckets.Expression(columns)} AS {BucketColumn} FROM {view}";
        if (OrderBy.Count > 0)
            rows += $" ORDER BY {Identifiers(OrderBy)}";
        string[] options =
        [
            "FORMAT parquet", Compression == "zstd" ? $"COMPRESSION zstd, COMPRESSION_LEVEL {ZstdLevel}" : $"COMPRESSION {Compression}", $"ROW_GROUP_SIZE {RowGroupRows}", "FILENAME_PATTERN 'part-{i}'", "RETURN_STATS",
            Buckets is null ? $"FILE_SIZE_BYTES {FileBytes.ToString(CultureInfo.InvariantCulture)}" : $"PARTITION_BY ({BucketColumn})",
        ];
        return $"COPY ({rows}) TO {Literal(Directory)} ({string.Join(", ", options)})";
    }
}

/// <summary>Rows with equal values in the columns meet in the same bucket, whichever task wrote them.</summary>
/// <param name="Columns">Of the same types in every dataset that shall meet; integers up to BIGINT are one type here.</param>
/// <param name="Count">1 to 1,000: DuckDB holds a row group in memory for each bucket that it is writing.</param>
public sealed record HashBuckets(IReadOnlyList<string> Columns, int Count)
{
    // DuckDB hashes a negative number by its width.
    static readonly HashSet<string> Integers = ["TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"];

    internal string Expression(IReadOnlyList<DuckDbColumn> columns)
    {
        var keys = Columns.Select(name => columns.FirstOrDefault(column => string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase))
            ?? throw new DuckDbException("duckdb.sql", $"The rows shall be hashed by '{name}', but the SELECT has no such column; it has {string.Join(", ", columns.Select(column => column.Name))}."));
        var hashed = keys.Select(key => Integers.Contains(key.Type) ? $"CAST({Identifier(key.Name)} AS BIGINT)" : Identifier(key.Name));
        return $"(hash({string.Join(", ", hashed)}) % {Count})";
    }
}

/// <param name="Path">Absolute.</param>
/// <param name="Bucket">Null without <see cref="ParquetOutput.Buckets"/>.</param>
/// <param name="Columns">By column; nested fields as <c>a.b</c>.</param>
public sealed record ParquetFile(string Path, long Rows, long Bytes, int? Bucket, IReadOnlyDictionary<string, ParquetColumnStatistics> Columns);

/// <summary>As DuckDB writes them: values as text, absent when it has none.</summary>
public sealed record ParquetColumnStatistics(string? Min, string? Max, long? NullCount);
