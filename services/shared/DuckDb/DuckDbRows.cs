using System.Data.Common;
using DuckDB.NET.Data;

namespace LeanPipe.DuckDb;

/// <summary>The rows of one query, computed while they are read: memory stays bounded. Its session takes no other call until it is disposed.</summary>
public sealed class DuckDbRows : IDisposable
{
    readonly DuckDBCommand _command;
    readonly DbDataReader _reader;
    readonly CancellationToken _cancellation;
    readonly CancellationTokenRegistration _registration;
    readonly bool[] _isUtc;

    internal DuckDbRows(DuckDBCommand command, DbDataReader reader, CancellationToken cancellation)
    {
        (_command, _reader, _cancellation) = (command, reader, cancellation);
        var names = new string[reader.FieldCount];
        _isUtc = new bool[names.Length];
        for (var i = 0; i < names.Length; i++) (names[i], _isUtc[i]) = (reader.GetName(i), reader.GetDataTypeName(i) == "TimestampTz");
        Names = names;
        _registration = cancellation.UnsafeRegister(static c => ((DuckDBCommand)c!).Cancel(), command);
    }

    public IReadOnlyList<string> Names { get; }

    internal bool IsOpen => !_reader.IsClosed;

    /// <returns>False after the last row.</returns>
    public bool Read()
    {
        _cancellation.ThrowIfCancellationRequested();
        try
        {
            return _reader.Read();
        }
        catch (OperationCanceledException) when (_cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(_cancellation);
        }
        catch (DuckDBException failure)
        {
            throw DuckDbException.From(failure);
        }
    }

    /// <summary>Runs the statements up to the next one with a result set.</summary>
    internal bool NextResult()
    {
        try
        {
            return _reader.NextResult();
        }
        catch (DuckDBException failure)
        {
            throw DuckDbException.From(failure);
        }
    }

    public bool IsNull(int column) => _reader.IsDBNull(column);

    public bool GetBoolean(int column) => _reader.GetBoolean(column);

    public long GetInt64(int column) => _reader.GetInt64(column);

    public double GetDouble(int column) => _reader.GetDouble(column);

    public string GetString(int column) => _reader.GetString(column);

    /// <summary>
    /// Null, or bool, an integer, BigInteger, float, double, decimal, string, byte[], Guid, DateOnly, TimeOnly, DateTime (UTC kind for TIMESTAMPTZ, else
    /// unspecified), DateTimeOffset (TIMETZ), TimeSpan, a list, or a dictionary (STRUCT: of string to object; MAP).
    /// </summary>
    public object? GetValue(int column)
    {
        if (_reader.IsDBNull(column))
            return null;
        try
        {
            return _reader.GetValue(column) switch
            {
                Stream blob => ReadAll(blob),
                DateTime moment when _isUtc[column] => DateTime.SpecifyKind(moment, DateTimeKind.Utc),
                var value => value,
            };
        }
        catch (Exception noForm) when (noForm is InvalidOperationException or OverflowException or NotSupportedException or ArgumentException or InvalidCastException)
        {
            throw new DuckDbException("duckdb.value", $"Column '{Names[column]}': {noForm.Message}", noForm);
        }
    }

    public void Dispose()
    {
        // First, so that a late cancellation interrupts nothing that runs after these rows.
        _registration.Dispose();
        _reader.Dispose();
        _command.Dispose();
    }

    static byte[] ReadAll(Stream blob)
    {
        using (blob)
        {
            var bytes = new byte[blob.Length];
            blob.ReadExactly(bytes);
            return bytes;
        }
    }
}
