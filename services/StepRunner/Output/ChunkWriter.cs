using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.StepRunner;

/// <summary>A finished Parquet file in scratch.</summary>
/// <param name="Name">Its name below the attempt's prefix: its bucket and its place in order.</param>
internal sealed record ChunkFile(string Path, string Name, long Bytes, int? Bucket);

/// <summary>Computes the step's rows and writes them into Parquet chunks near the wished size.</summary>
/// <remarks>
/// Rows with an order or buckets are staged in a temporary table, sorted by bucket and order, and cut by row number. DuckDB's own ways cannot do it: its file
/// rotation writes the row groups of several threads in the order in which they finish, and its partitioned write does not limit a file's size. A staged table
/// spills like any other, and a cut reads only its own rows. Rows without either stream straight into rotating files, and rows that are likely to fill no more than
/// one chunk are sorted straight into it: staging is a fifth of such a task.
/// </remarks>
/// <param name="slice">Which part of the task's input this is, from 0.</param>
/// <param name="before">What earlier parts wrote: names go on after them.</param>
internal sealed class ChunkWriter(DuckDbSession session, TaskSpec spec, IReadOnlyList<OutputColumn> columns, Scratch scratch, int slice, IReadOnlyList<ChunkFile> before)
{
    // No input can have these names: they break the rule for names.
    const string Source = "step's SELECT";
    const string Staged = "staged rows";
    const string Bucket = "row's bucket";

    /// <summary>What DuckDB numbers the rows of a table by, unless a column has the name.</summary>
    const string RowNumber = "rowid";

    /// <summary>The first cut, from which the bytes per row are learnt: one row group of DuckDB's Parquet writer.</summary>
    const long FirstCutRows = 122_880;

    /// <summary>Text of records takes eight times the bytes of the same rows as compressed Parquet, most of the time more. A wrong guess costs writing and reading once more.</summary>
    const long TextPerParquet = 8;

    /// <summary>A write that keeps an order holds the row groups whose turn has not come, and cannot spill them.</summary>
    const long MemoryPerText = 2;

    readonly List<ChunkFile> _files = [];
    string? _oversized;
    long _rows;
    long _bytes;

    public static bool IsStaged(TaskOutput output) => output.Hash is not null || output.OrderBy.Count > 0 || output.PartitionBy is { Count: > 0 };

    /// <summary>Without rows there are no chunks.</summary>
    /// <param name="written">Told the fraction of rows that are in chunks, from 0 when all are computed.</param>
    public IReadOnlyList<ChunkFile> Write(Action<double> written, CancellationToken cancellation)
    {
        Directory.CreateDirectory(scratch.Chunks);
        session.CreateView(Source, spec.Sql, cancellation);
        if (!IsStaged(spec.Output))
        {
            Stream(cancellation);
            return _files;
        }
        if (MayFitOneChunk && SortIntoOne(cancellation)) return _files;
        if (_oversized is null) Stage(cancellation);
        else StageSorted(_oversized, cancellation);
        written(0);
        var ranges = Ranges(cancellation);
        var total = ranges.Sum(r => r.Rows);
        foreach (var range in ranges) Cut(range, total, written, cancellation);
        return _files;
    }

    void Stream(CancellationToken cancellation)
    {
        // The engine wants a folder that is empty.
        var output = new ParquetOutput { Directory = slice == 0 ? scratch.Chunks : Path.Combine(scratch.Chunks, $"slice-{slice}"), FileBytes = spec.Output.ChunkBytes, Compression = Compression };
        if (spec.Output.RowGroupRows is { } rows) output = output with { RowGroupRows = rows };
        foreach (var file in session.CopyToParquet($"SELECT {Columns} FROM {SqlText.Identifier(Source)}", output, cancellation))
            if (file.Rows > 0) _files.Add(new(file.Path, Name(null, Next(null)), file.Bytes, null));
    }

    bool MayFitOneChunk
    {
        get
        {
            if (spec.Output.Hash is not null || spec.Output.PartitionBy is { Count: > 0 }) return false;
            var text = spec.Inputs.Sum(i => i.Objects.Sum(o => i.Format is InputFormat.Parquet || o.Key.EndsWith(".gz", StringComparison.Ordinal) ? o.Bytes * TextPerParquet : o.Bytes));
            // What comes from no input could be any number of rows.
            return text > 0 && text / TextPerParquet <= spec.Output.ChunkBytes && text * MemoryPerText <= spec.Limits.MemoryBytes;
        }
    }

    /// <summary>True when the rows are a chunk now, or there are none. False: they did not fit into one, or into memory on their way there.</summary>
    bool SortIntoOne(CancellationToken cancellation)
    {
        var path = Path.Combine(scratch.Chunks, $"sorted-{slice}.parquet");
        try
        {
            session.Execute($"COPY (SELECT * FROM (SELECT {Columns} FROM {SqlText.Identifier(Source)}) ORDER BY {string.Join(", ", Order.Select(SqlText.Identifier))}) TO {SqlText.Literal(path)} ({Format})", cancellation: cancellation);
        }
        catch (DuckDbException e) when (e.Code == "duckdb.out_of_memory")
        {
            // A staged table spills where this cannot.
            File.Delete(path);
            return false;
        }
        var bytes = new FileInfo(path).Length;
        if (IsTooLarge(bytes)) _oversized = path;
        else if (session.Texts($"SELECT num_rows FROM parquet_file_metadata({SqlText.Literal(path)})", cancellation) is not [["0"]]) _files.Add(new(path, Name(null, Next(null)), bytes, null));
        return _oversized is null;
    }

    void StageSorted(string path, CancellationToken cancellation)
    {
        session.Execute($"CREATE TEMP TABLE {SqlText.Identifier(Staged)} AS SELECT {StagedColumns} FROM read_parquet({SqlText.Literal(path)}, hive_partitioning = false)", cancellation: cancellation);
        File.Delete(path);
    }

    void Stage(CancellationToken cancellation)
    {
        var order = Partition.Concat(Order.Select(c => SqlText.Identifier(Stands(c))));
        var bucket = "";
        if (spec.Output.Hash is { } hash)
        {
            bucket = $", CAST(hash({string.Join(", ", hash.Columns.Select(c => Key(Known(c, "output.hash.column"))))}) % {hash.Buckets} AS INTEGER) AS {SqlText.Identifier(Bucket)}";
            order = order.Prepend(SqlText.Identifier(Bucket));
        }
        session.Execute(
            $"CREATE TEMP TABLE {SqlText.Identifier(Staged)} AS SELECT {StagedColumns}{bucket} FROM (SELECT {Columns} FROM {SqlText.Identifier(Source)}) ORDER BY {string.Join(", ", order)}",
            cancellation: cancellation);
    }

    /// <summary>Under the names that the staged rows have.</summary>
    string StagedColumns => string.Join(", ", columns.Select(c => $"{SqlText.Identifier(c.Name)} AS {SqlText.Identifier(Stands(c.Name))}"));

    IEnumerable<string> Order => spec.Output.OrderBy.Select(c => Known(c, "output.order_by").Name);

    IEnumerable<string> Partition => (spec.Output.PartitionBy ?? []).Select(c => SqlText.Identifier(Stands(Known(c, "output.partition_by").Name)));

    /// <summary>A column's name among the staged rows. No column can have the other one, for it breaks the rule for names.</summary>
    static string Stands(string column) => string.Equals(column, RowNumber, StringComparison.OrdinalIgnoreCase) ? "row's number" : column;

    /// <summary>The row numbers of each bucket, and in it of each value of the partition's columns: rows are sorted by these, so each is one range.</summary>
    List<RowRange> Ranges(CancellationToken cancellation)
    {
        var bucket = spec.Output.Hash is null ? "NULL" : SqlText.Identifier(Bucket);
        return session.Texts($"SELECT {bucket}, min({RowNumber}), count(*) FROM {SqlText.Identifier(Staged)} GROUP BY 1{string.Concat(Partition.Select(c => $", {c}"))} ORDER BY 2", cancellation)
            .ConvertAll(row => new RowRange(
                row[0] is { } b ? int.Parse(b, CultureInfo.InvariantCulture) : null,
                row[1] is { } first ? long.Parse(first, CultureInfo.InvariantCulture) : 0,
                long.Parse(row[2]!, CultureInfo.InvariantCulture)));
    }

    void Cut(RowRange range, long total, Action<double> written, CancellationToken cancellation)
    {
        for (var done = 0L; done < range.Rows;)
        {
            var index = Next(range.Bucket);
            var left = range.Rows - done;
            var rows = Math.Min(left, _rows == 0 ? FirstCutRows : RowsFor(_bytes, _rows));
            var file = Copy(range, range.Start + done, rows, index, cancellation);
            // The first cut is a guess; one that proves off, either way, is made again with what it taught.
            var better = Math.Min(left, RowsFor(file.Bytes, rows));
            if (_rows == 0 && (better > rows || IsTooLarge(file.Bytes)))
                file = Copy(range, range.Start + done, rows = better, index, cancellation);
            done += rows;
            _rows += rows;
            _bytes += file.Bytes;
            _files.Add(file);
            written(_rows / (double)total);
        }
    }

    ChunkFile Copy(RowRange range, long start, long rows, int index, CancellationToken cancellation)
    {
        var name = Name(range.Bucket, index);
        var path = Path.Combine(scratch.Chunks, name);
        var written = string.Join(", ", columns.Select(c => $"{SqlText.Identifier(Stands(c.Name))} AS {SqlText.Identifier(c.Name)}"));
        session.Execute(
            $"COPY (SELECT {written} FROM {SqlText.Identifier(Staged)} WHERE {RowNumber} BETWEEN {start} AND {start + rows - 1}) TO {SqlText.Literal(path)} ({Format})",
            cancellation: cancellation);
        return new(path, name, new FileInfo(path).Length, range.Bucket);
    }

    string Compression => spec.Output.Compression switch
    {
        ChunkCompression.None => "uncompressed",
        ChunkCompression.Snappy => "snappy",
        ChunkCompression.Gzip => "gzip",
        ChunkCompression.Lz4 => "lz4_raw",
        _ => "zstd",
    };

    string Format => $"FORMAT parquet, COMPRESSION {Compression}{(spec.Output.RowGroupRows is { } rows ? $", ROW_GROUP_SIZE {rows}" : "")}";

    bool IsTooLarge(long bytes) => bytes > spec.Output.ChunkBytes * 5 / 4;

    long RowsFor(long bytes, long rows) => Math.Max(1, (long)(spec.Output.ChunkBytes * (double)rows / bytes));

    int Next(int? bucket) => before.Count(f => f.Bucket == bucket) + _files.Count(f => f.Bucket == bucket);

    static string Name(int? bucket, int index) => bucket is { } b ? $"part-b{b:D3}-{index:D4}.parquet" : $"part-{index:D5}.parquet";

    string Columns => string.Join(", ", columns.Select(c => $"CAST({SqlText.Identifier(c.Name)} AS {c.Type}) AS {SqlText.Identifier(c.Name)}"));

    /// <summary>DuckDB hashes a negative integer by its width, so that equal keys of two steps would not meet: all widths hash as one.</summary>
    static string Key(OutputColumn column) =>
        column.Type is "TINYINT" or "SMALLINT" or "INTEGER" ? $"CAST({SqlText.Identifier(column.Name)} AS BIGINT)" : SqlText.Identifier(column.Name);

    OutputColumn Known(string column, string where) => columns.FirstOrDefault(c => string.Equals(c.Name, column, StringComparison.OrdinalIgnoreCase))
        ?? throw new TaskException(
            "sql.no_such_column", $"{where} names '{column}', but the SQL yields {string.Join(", ", columns.Select(c => c.Name))}. Add the column to the SELECT, or change {where}.");

    sealed record RowRange(int? Bucket, long Start, long Rows);
}
