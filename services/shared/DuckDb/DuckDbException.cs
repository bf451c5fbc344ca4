using DuckDB.NET.Data;
using DuckDB.NET.Native;
using LeanPipe.Contracts;

namespace LeanPipe.DuckDb;

/// <summary>DuckDB refused or failed. The message is DuckDB's own; the code says what a caller can do about it.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>duckdb.sql</term><description>the SQL, or a value it met: somebody must change it</description></item>
/// <item><term>duckdb.not_one_select</term><description>the SQL is something else than one SELECT</description></item>
/// <item><term>duckdb.permission</term><description>the SQL reached for a file or setting outside of its session</description></item>
/// <item><term>duckdb.out_of_memory</term><description>the memory limit is too small for this query, spilling included</description></item>
/// <item><term>duckdb.out_of_spill</term><description>the spill folder reached its limit</description></item>
/// <item><term>duckdb.io</term><description>the disk, or a file; transient</description></item>
/// <item><term>duckdb.value</term><description>a value of the result has no .NET form; cast it in the SQL</description></item>
/// <item><term>duckdb.internal</term><description>a bug of DuckDB: the session is unusable from here on</description></item>
/// </list>
/// </remarks>
public sealed class DuckDbException : LeanPipeException
{
    internal DuckDbException(string code, string message, Exception? inner = null)
        : base(code, message, isTransient: code == "duckdb.io", inner)
    {
    }

    internal static DuckDbException From(DuckDBException failure) => new(CodeOf(failure.ErrorType, failure.Message), failure.Message, failure);

    // Errors found while a statement is prepared come without a type: their first words name it.
    static string CodeOf(DuckDBErrorType type, string message) => type switch
    {
        DuckDBErrorType.OutOfMemory => OutOf(message),
        DuckDBErrorType.Io => "duckdb.io",
        DuckDBErrorType.Permission => "duckdb.permission",
        DuckDBErrorType.Internal or DuckDBErrorType.Fatal => "duckdb.internal",
        _ when message.StartsWith("Out of Memory Error", StringComparison.Ordinal) => OutOf(message),
        _ when message.StartsWith("IO Error", StringComparison.Ordinal) => "duckdb.io",
        _ when message.StartsWith("Permission Error", StringComparison.Ordinal) => "duckdb.permission",
        _ when message.StartsWith("INTERNAL Error", StringComparison.Ordinal) || message.StartsWith("FATAL Error", StringComparison.Ordinal) => "duckdb.internal",
        _ => "duckdb.sql",
    };

    static string OutOf(string message) => message.Contains("max_temp_directory_size", StringComparison.Ordinal) ? "duckdb.out_of_spill" : "duckdb.out_of_memory";
}
