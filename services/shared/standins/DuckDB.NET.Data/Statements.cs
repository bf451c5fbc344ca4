using System.Runtime.InteropServices;
using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

/// <summary>Runs the statements of one command text in turn; each is prepared only when the one before it has run, since it may need its effects.</summary>
internal sealed class Statements : IDisposable
{
    readonly DuckDBCommand _command;
    readonly ConnectionHandle _connection;
    readonly ExtractedStatementsHandle _extracted;
    readonly ulong _count;
    readonly CancellationToken _cancellation;
    ulong _next;

    public Statements(DuckDBCommand command, ConnectionHandle connection, CancellationToken cancellation)
    {
        (_command, _connection, _cancellation) = (command, connection, cancellation);
        _count = NativeMethods.duckdb_extract_statements(connection, command.CommandText, out _extracted);
        if (_count > 0)
            return;
        var error = Marshal.PtrToStringUTF8(NativeMethods.duckdb_extract_statements_error(_extracted));
        _extracted.Dispose();
        throw new DuckDBException(string.IsNullOrEmpty(error) ? "The command text holds no statement." : error);
    }

    /// <summary>Runs the next statement. Null: there was none left.</summary>
    public ResultHandle? RunNext()
    {
        if (_next == _count)
            return null;
        using var prepared = Prepare(_next++);
        ParameterBinding.Bind(prepared, _command.Parameters);
        return Run(prepared);
    }

    public void Dispose() => _extracted.Dispose();

    PreparedStatementHandle Prepare(ulong index)
    {
        if (NativeMethods.duckdb_prepare_extracted_statement(_connection, _extracted, index, out var prepared) == 0)
            return prepared;
        var error = Marshal.PtrToStringUTF8(NativeMethods.duckdb_prepare_error(prepared));
        prepared.Dispose();
        // Preparing reads files, so it can be interrupted too; it reports that in words only.
        if (error?.StartsWith("INTERRUPT Error", StringComparison.Ordinal) == true)
            throw new OperationCanceledException("The query was interrupted.", _cancellation);
        throw new DuckDBException(string.IsNullOrEmpty(error) ? "DuckDB could not prepare the statement." : error);
    }

    /// <remarks>
    /// DuckDB forgets an interrupt when a new query begins, which is at "pending". So the wish to cancel is looked at after that: what came
    /// earlier is seen here, what comes later interrupts the query. None is lost.
    /// </remarks>
    ResultHandle Run(PreparedStatementHandle prepared)
    {
        _ = _command.UseStreamingMode
            ? NativeMethods.duckdb_pending_prepared_streaming(prepared, out var pending)
            : NativeMethods.duckdb_pending_prepared(prepared, out pending);
        using (pending)
        {
            _cancellation.ThrowIfCancellationRequested();
            var result = new ResultHandle();
            if (NativeMethods.duckdb_execute_pending(pending, result) == 0)
                return result;
            var failure = Failure(result);
            result.Dispose();
            throw failure;
        }
    }

    /// <summary>What a failed or broken-off result says.</summary>
    public Exception Failure(ResultHandle result)
    {
        var type = NativeMethods.duckdb_result_error_type(result);
        if (type == DuckDBErrorType.Interrupt)
            return new OperationCanceledException("The query was interrupted.", _cancellation);
        var message = Marshal.PtrToStringUTF8(NativeMethods.duckdb_result_error(result));
        return new DuckDBException(string.IsNullOrEmpty(message) ? "DuckDB failed without saying why." : message, type);
    }
}
