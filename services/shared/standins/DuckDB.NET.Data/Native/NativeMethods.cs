using System.Runtime.InteropServices;

namespace DuckDB.NET.Native;

/// <summary>The part of DuckDB's C API (duckdb.h, 1.5) that the ADO.NET types need. Text is UTF-8; states are 0 for success.</summary>
internal static unsafe partial class NativeMethods
{
    const string Library = "duckdb";

    [LibraryImport(Library)]
    public static partial nint duckdb_library_version();

    [LibraryImport(Library)]
    public static partial int duckdb_create_config(out nint config);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_set_config(nint config, string name, string option);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_config(ref nint config);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_open_ext(string path, out DatabaseHandle database, nint config, out nint error);

    [LibraryImport(Library)]
    public static partial void duckdb_close(ref nint database);

    [LibraryImport(Library)]
    public static partial int duckdb_connect(DatabaseHandle database, out ConnectionHandle connection);

    [LibraryImport(Library)]
    public static partial void duckdb_disconnect(ref nint connection);

    [LibraryImport(Library)]
    public static partial void duckdb_interrupt(ConnectionHandle connection);

    [LibraryImport(Library)]
    public static partial DuckDBQueryProgress duckdb_query_progress(ConnectionHandle connection);

    [LibraryImport(Library)]
    public static partial void duckdb_free(nint pointer);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial ulong duckdb_extract_statements(ConnectionHandle connection, string query, out ExtractedStatementsHandle statements);

    [LibraryImport(Library)]
    public static partial nint duckdb_extract_statements_error(ExtractedStatementsHandle statements);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_extracted(ref nint statements);

    [LibraryImport(Library)]
    public static partial int duckdb_prepare_extracted_statement(ConnectionHandle connection, ExtractedStatementsHandle statements, ulong index, out PreparedStatementHandle prepared);

    [LibraryImport(Library)]
    public static partial nint duckdb_prepare_error(PreparedStatementHandle prepared);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_prepare(ref nint prepared);

    [LibraryImport(Library)]
    public static partial ulong duckdb_nparams(PreparedStatementHandle prepared);

    [LibraryImport(Library)]
    public static partial TypeId duckdb_param_type(PreparedStatementHandle prepared, ulong index);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_bind_parameter_index(PreparedStatementHandle prepared, out ulong index, string name);

    [LibraryImport(Library)]
    public static partial int duckdb_bind_value(PreparedStatementHandle prepared, ulong index, ValueHandle value);

    [LibraryImport(Library)]
    public static partial int duckdb_pending_prepared(PreparedStatementHandle prepared, out PendingResultHandle pending);

    [LibraryImport(Library)]
    public static partial int duckdb_pending_prepared_streaming(PreparedStatementHandle prepared, out PendingResultHandle pending);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_pending(ref nint pending);

    [LibraryImport(Library)]
    public static partial int duckdb_execute_pending(PendingResultHandle pending, ResultHandle result);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_result(nint result);

    [LibraryImport(Library)]
    public static partial nint duckdb_result_error(ResultHandle result);

    [LibraryImport(Library)]
    public static partial DuckDBErrorType duckdb_result_error_type(ResultHandle result);

    /// <summary>1: rows changed, 2: nothing, 3: a result set.</summary>
    [LibraryImport(Library)]
    public static partial int duckdb_result_return_type(ResultStruct result);

    [LibraryImport(Library)]
    public static partial ulong duckdb_rows_changed(ResultHandle result);

    [LibraryImport(Library)]
    public static partial ulong duckdb_column_count(ResultHandle result);

    [LibraryImport(Library)]
    public static partial nint duckdb_column_name(ResultHandle result, ulong column);

    [LibraryImport(Library)]
    public static partial LogicalTypeHandle duckdb_column_logical_type(ResultHandle result, ulong column);

    [LibraryImport(Library)]
    public static partial DataChunkHandle duckdb_fetch_chunk(ResultStruct result);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_data_chunk(ref nint chunk);

    [LibraryImport(Library)]
    public static partial ulong duckdb_data_chunk_get_size(DataChunkHandle chunk);

    [LibraryImport(Library)]
    public static partial nint duckdb_data_chunk_get_vector(DataChunkHandle chunk, ulong column);

    [LibraryImport(Library)]
    public static partial byte* duckdb_vector_get_data(nint vector);

    [LibraryImport(Library)]
    public static partial ulong* duckdb_vector_get_validity(nint vector);

    [LibraryImport(Library)]
    public static partial nint duckdb_list_vector_get_child(nint vector);

    [LibraryImport(Library)]
    public static partial nint duckdb_array_vector_get_child(nint vector);

    [LibraryImport(Library)]
    public static partial nint duckdb_struct_vector_get_child(nint vector, ulong index);
}
