using System.Data.Common;
using DuckDB.NET.Data;
using LeanPipe.Contracts;
using static LeanPipe.DuckDb.SqlText;

namespace LeanPipe.DuckDb;

/// <summary>An in-memory DuckDB over local files, limited and locked: nothing outside of its folders can be read or written, no setting be changed, nothing be loaded.</summary>
/// <remarks>
/// Calls block and come one after another; <see cref="Interrupt"/> and <see cref="Progress"/> may come from any thread. Everything named "select" is a user's text:
/// it is checked to be one SELECT by DuckDB's parser before it runs. Only <see cref="Execute"/> takes other statements; it is never given a user's text.
/// </remarks>
public sealed class DuckDbSession : IDisposable
{
    const string OutputView = "leanpipe_select";

    readonly DuckDBConnection _connection;
    readonly DuckDBConnection _observer;
    readonly Lock _observing = new();
    DuckDBCommand? _running;
    DuckDbRows? _rows;
    // What has been found to be one SELECT stays one: the parser's settings are locked.
    readonly HashSet<string> _selects = new(StringComparer.Ordinal);
    long _peakMemory;
    long _peakSpilled;

    DuckDbSession(DuckDBConnection connection, DuckDBConnection observer) => (_connection, _observer) = (connection, observer);

    /// <summary>Such as <c>v1.5.6</c>.</summary>
    public string EngineVersion => _connection.ServerVersion;

    public static DuckDbSession Open(DuckDbSessionOptions options)
    {
        using var start = new DuckDbStart();
        return Open(options, start);
    }

    /// <param name="start">The session's database, which nobody else takes.</param>
    public static DuckDbSession Open(DuckDbSessionOptions options, DuckDbStart start)
    {
        options.Validate();
        DuckDBConnection? connection = null;
        try
        {
            connection = start.Take();
            foreach (var setting in Settings(options))
            {
                using var command = new DuckDBCommand($"SET {setting}", connection);
                command.ExecuteNonQuery();
            }

            var observer = connection.Duplicate();
            observer.Open();
            return new DuckDbSession(connection, observer);
        }
        catch (Exception failure)
        {
            connection?.Dispose();
            if (failure is DuckDBException duckDb)
                throw DuckDbException.From(duckDb);
            throw;
        }
    }

    /// <summary>Null when the text is exactly one SELECT; else what is wrong with it.</summary>
    public SqlRefusal? FindRefusal(string select)
    {
        if (SelectCheck.Find(select, Text("SELECT json_serialize_sql($text::VARCHAR)", select)) is { } refusal)
            return refusal;
        _selects.Add(select);
        return null;
    }

    /// <summary>For a plain <c>SELECT count(*) FROM …</c> the SELECT of the rows that it counts; null for any other.</summary>
    public string? CountedRows(string select)
    {
        EnsureSelect(select);
        if (DuckDb.CountedRows.Find(Text("SELECT json_serialize_sql($text::VARCHAR)", select), Text("SELECT json_serialize_sql($text::VARCHAR)", "SELECT * FROM range(1)")) is not { } tree) return null;
        return Text("SELECT json_deserialize_sql($text::JSON)", tree);
    }

    /// <summary>Runs statements of this repository's own making, after another. Never a user's text.</summary>
    public void Execute(string sql, IReadOnlyDictionary<string, object?>? parameters = null, CancellationToken cancellation = default)
    {
        using var rows = Start(sql, parameters, cancellation);
        while (rows.Read() || rows.NextResult())
            cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>The rows of a SELECT. Dispose them before the next call.</summary>
    public DuckDbRows Query(string select, IReadOnlyDictionary<string, object?>? parameters = null, CancellationToken cancellation = default)
    {
        EnsureSelect(select);
        return _rows = Start(select, parameters, cancellation);
    }

    /// <summary>The rows of a SELECT of this repository's own making.</summary>
    internal DuckDbRows Own(string select, CancellationToken cancellation) => _rows = Start(select, parameters: null, cancellation);

    /// <summary>The columns that a SELECT would yield; it is not run.</summary>
    public IReadOnlyList<DuckDbColumn> Describe(string select, CancellationToken cancellation = default)
    {
        CreateView(OutputView, select, cancellation);
        var columns = new List<DuckDbColumn>();
        using var rows = Start($"DESCRIBE {OutputView}", parameters: null, cancellation);
        while (rows.Read())
            columns.Add(new DuckDbColumn(rows.GetString(0), rows.GetString(1), rows.GetString(2) == "YES"));
        return columns;
    }

    /// <summary>Makes a value readable as <c>getvariable('name')</c> in every SELECT and view of this session.</summary>
    public void SetVariable(string name, object? value) =>
        Execute($"SET VARIABLE {Identifier(name)} = $value", new Dictionary<string, object?>(StringComparer.Ordinal) { ["value"] = value });

    /// <summary>Replaces the view if it exists; so do the other views.</summary>
    public void CreateView(string name, string select, CancellationToken cancellation = default)
    {
        EnsureSelect(select);
        Execute($"CREATE OR REPLACE TEMP VIEW {Identifier(name)} AS {select}", cancellation: cancellation);
    }

    /// <param name="files">At least one, all with the same columns.</param>
    public void CreateParquetView(string name, IReadOnlyList<string> files) => CreateView(name, ViewSql.Parquet(files));

    /// <param name="files">At least one, of any ages of one table: columns are matched by name, and one that a file lacks is null in its rows.</param>
    /// <param name="columns">The table's, in its order; others are not shown.</param>
    public void CreateParquetView(string name, IReadOnlyList<string> files, IReadOnlyList<DuckDbColumn> columns) => CreateView(name, ViewSql.Parquet(files, columns));

    /// <param name="files">At least one; newline-delimited JSON, gzip when the name ends in .gz.</param>
    /// <param name="columns">Fields and the types that they are read as; others are skipped.</param>
    public void CreateNdjsonView(string name, IReadOnlyList<string> files, IReadOnlyList<DuckDbColumn> columns) => CreateView(name, ViewSql.Ndjson(files, columns));

    /// <summary>A view without rows, for an input without files.</summary>
    public void CreateEmptyView(string name, IReadOnlyList<DuckDbColumn> columns) => CreateView(name, ViewSql.Empty(columns));

    /// <summary>Runs a SELECT and writes its rows. Without buckets there is always a file, be it an empty one; an empty bucket has none.</summary>
    /// <remarks>A failed or cancelled copy leaves files behind: the folder is whole only when this has returned.</remarks>
    public IReadOnlyList<ParquetFile> CopyToParquet(string select, ParquetOutput output, CancellationToken cancellation = default)
    {
        var columns = Describe(select, cancellation);
        var files = new List<ParquetFile>();
        using (var rows = Start(output.CopySql(OutputView, columns), parameters: null, cancellation))
        {
            while (rows.Read())
                files.Add(CopyStatistics.Read(rows));
        }

        Look();
        files.Sort(InOrder);
        return files;
    }

    /// <summary>Ends the running call, if any, with <see cref="OperationCanceledException"/>.</summary>
    public void Interrupt() => Volatile.Read(ref _running)?.Cancel();

    public DuckDbProgress Progress()
    {
        var (memory, spilled) = Look();
        var progress = _connection.GetQueryProgress();
        return new DuckDbProgress(progress.Percentage < 0 ? null : progress.Percentage, (long)progress.RowsProcessed, (long)progress.TotalRowsToProcess,
            memory, spilled, Interlocked.Read(ref _peakMemory), Interlocked.Read(ref _peakSpilled));
    }

    public void Dispose()
    {
        _rows?.Dispose();
        lock (_observing)
            _observer.Dispose();
        _connection.Dispose();
    }

    static int InOrder(ParquetFile a, ParquetFile b) =>
        (a.Bucket ?? -1).CompareTo(b.Bucket ?? -1) is not 0 and var bucket ? bucket
        : a.Path.Length.CompareTo(b.Path.Length) is not 0 and var length ? length
        : string.CompareOrdinal(a.Path, b.Path);

    static IEnumerable<string> Settings(DuckDbSessionOptions options)
    {
        var scratch = Path.GetFullPath(options.ScratchDirectory);
        var (folders, files) = (new List<string> { scratch }, new List<string>());
        foreach (var path in options.ReadablePaths) (Directory.Exists(path) ? folders : files).Add(Path.GetFullPath(path));
        yield return $"threads = {options.Threads}";
        yield return $"memory_limit = '{options.MemoryLimitBytes}B'";
        yield return $"temp_directory = {Literal(Path.Combine(scratch, "spill"))}";
        yield return $"max_temp_directory_size = '{options.SpillLimitBytes}B'";
        yield return $"preserve_insertion_order = {options.PreserveInsertionOrder}";
        yield return "TimeZone = 'UTC'";
        yield return "enable_progress_bar = true";
        yield return "enable_progress_bar_print = false";
        yield return "progress_bar_time = 0";
        yield return "autoinstall_known_extensions = false";
        yield return "autoload_known_extensions = false";
        yield return "allow_community_extensions = false";
        yield return "allow_persistent_secrets = false";
        yield return $"allowed_directories = {Literals(folders.Select(folder => folder.TrimEnd('/') + "/"))}";
        yield return $"allowed_paths = {Literals(files)}";
        // From here on only the allowed folders exist, and the last line makes all of the above final.
        yield return "enable_external_access = false";
        yield return "lock_configuration = true";
    }

    string Text(string select, string text)
    {
        using var rows = Start(select, new Dictionary<string, object?>(StringComparer.Ordinal) { ["text"] = text }, CancellationToken.None);
        rows.Read();
        return rows.GetString(0);
    }

    void EnsureSelect(string select)
    {
        if (_selects.Contains(select))
            return;
        if (FindRefusal(select) is { } refusal)
            throw new DuckDbException(refusal.Code, refusal.Message);
    }

    DuckDbRows Start(string sql, IReadOnlyDictionary<string, object?>? parameters, CancellationToken cancellation)
    {
        if (_rows is { IsOpen: true })
            throw new InvalidOperationException("The rows of the query before have not been disposed; a session runs one query at a time.");
        var command = new DuckDBCommand(sql, _connection) { UseStreamingMode = true };
        if (parameters is not null)
        {
            foreach (var (name, value) in parameters)
                command.Parameters.Add(new DuckDBParameter(name, value));
        }

        Volatile.Write(ref _running, command);
        DbDataReader? reader = null;
        try
        {
            // The method with a token: an interrupt that comes before the query begins would be lost. It runs on this thread.
            reader = command.ExecuteReaderAsync(cancellation).GetAwaiter().GetResult();
            return new DuckDbRows(command, reader, cancellation);
        }
        catch (Exception failure)
        {
            reader?.Dispose();
            command.Dispose();
            if (failure is DuckDBException duckDb)
                throw DuckDbException.From(duckDb);
            throw;
        }
    }

    (long Memory, long Spilled) Look()
    {
        lock (_observing)
        {
            using var command = new DuckDBCommand("SELECT sum(memory_usage_bytes)::BIGINT, sum(temporary_storage_bytes)::BIGINT FROM duckdb_memory()", _observer);
            using var reader = command.ExecuteReader();
            reader.Read();
            var (memory, spilled) = (reader.GetInt64(0), reader.GetInt64(1));
            _peakMemory = Math.Max(_peakMemory, memory);
            _peakSpilled = Math.Max(_peakSpilled, spilled);
            return (memory, spilled);
        }
    }
}
