using System.Data.Common;
using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

/// <summary>DuckDB refused or failed: the message is DuckDB's own.</summary>
public class DuckDBException : DbException
{
    internal DuckDBException(string message) : base(message)
    {
    }

    internal DuckDBException(string message, DuckDBErrorType errorType) : base(message, (int)errorType) => ErrorType = errorType;

    /// <summary><see cref="DuckDBErrorType.Invalid"/> for errors found while a statement was parsed, bound or planned: the message's first words tell those.</summary>
    public DuckDBErrorType ErrorType { get; }
}
