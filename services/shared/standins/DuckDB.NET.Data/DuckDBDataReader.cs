using System.Collections;
using System.Data;
using System.Data.Common;
using System.Runtime.InteropServices;
using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

/// <summary>Reads the result sets of a command, chunk by chunk (2,048 rows); statements without a result set are run and skipped.</summary>
public class DuckDBDataReader : DbDataReader
{
    readonly DuckDBCommand _command;
    readonly Statements _statements;
    readonly CommandBehavior _behavior;

    ResultHandle? _result;
    DataChunkHandle? _chunk;
    Column[] _columns = [];
    ulong _chunkRows;
    // One behind the row that is current: zero before the first Read.
    ulong _rowsRead;
    bool _hasRows;
    bool _closed;

    internal DuckDBDataReader(DuckDBCommand command, Statements statements, CommandBehavior behavior)
    {
        (_command, _statements, _behavior) = (command, statements, behavior);
        Advance();
    }

    public override int FieldCount => _columns.Length;

    public override bool HasRows => _hasRows;

    public override bool IsClosed => _closed;

    public override int Depth => 0;

    public override int RecordsAffected => -1;

    public override object this[int ordinal] => GetValue(ordinal);

    public override object this[string name] => GetValue(GetOrdinal(name));

    public override bool NextResult() => Advance();

    bool Advance()
    {
        _chunk?.Dispose();
        _chunk = null;
        _chunkRows = _rowsRead = 0;
        _hasRows = false;
        _columns = [];
        while (true)
        {
            _result?.Dispose();
            _result = _statements.RunNext();
            if (_result is null)
                return false;
            if (NativeMethods.duckdb_result_return_type(_result.Struct) != 3)
                continue;
            _columns = new Column[NativeMethods.duckdb_column_count(_result)];
            for (var i = 0; i < _columns.Length; i++)
            {
                using var logical = NativeMethods.duckdb_column_logical_type(_result, (ulong)i);
                _columns[i] = Columns.Create(Marshal.PtrToStringUTF8(NativeMethods.duckdb_column_name(_result, (ulong)i)) ?? "", logical);
            }

            _hasRows = FetchChunk();
            return true;
        }
    }

    public override bool Read()
    {
        if (_rowsRead < _chunkRows)
        {
            _rowsRead++;
            return true;
        }

        if (_chunk is null || !FetchChunk())
            return false;
        _rowsRead = 1;
        return true;
    }

    /// <summary>A token that is cancelled while rows are being computed interrupts the query.</summary>
    public override Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<bool>(cancellationToken);
        try
        {
            using var registration = cancellationToken.UnsafeRegister(static command => ((DuckDBCommand)command!).Cancel(), _command);
            return Task.FromResult(Read());
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<bool>(cancellationToken);
        }
        catch (Exception failure)
        {
            return Task.FromException<bool>(failure);
        }
    }

    public override bool IsDBNull(int ordinal) => _columns[ordinal].IsNull(CurrentRow);

    public override T GetFieldValue<T>(int ordinal) => _columns[ordinal].Get<T>(CurrentRow);

    public override object GetValue(int ordinal)
    {
        var row = CurrentRow;
        return _columns[ordinal].IsNull(row) ? DBNull.Value : _columns[ordinal].GetBoxed(row);
    }

    public override int GetValues(object[] values)
    {
        var count = Math.Min(values.Length, FieldCount);
        for (var i = 0; i < count; i++)
            values[i] = GetValue(i);
        return count;
    }

    public override bool GetBoolean(int ordinal) => GetFieldValue<bool>(ordinal);

    public override byte GetByte(int ordinal) => GetFieldValue<byte>(ordinal);

    public override short GetInt16(int ordinal) => GetFieldValue<short>(ordinal);

    public override int GetInt32(int ordinal) => GetFieldValue<int>(ordinal);

    public override long GetInt64(int ordinal) => GetFieldValue<long>(ordinal);

    public override float GetFloat(int ordinal) => GetFieldValue<float>(ordinal);

    public override double GetDouble(int ordinal) => GetFieldValue<double>(ordinal);

    public override decimal GetDecimal(int ordinal) => GetFieldValue<decimal>(ordinal);

    public override DateTime GetDateTime(int ordinal) => GetFieldValue<DateTime>(ordinal);

    public override Guid GetGuid(int ordinal) => GetFieldValue<Guid>(ordinal);

    public override string GetString(int ordinal) => GetFieldValue<string>(ordinal);

    public override Stream GetStream(int ordinal) => GetFieldValue<Stream>(ordinal);

    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length) => throw new NotSupportedException("Read a blob by GetStream.");

    public override char GetChar(int ordinal) => throw new NotSupportedException("Read text by GetString.");

    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length) => throw new NotSupportedException("Read text by GetString.");

    public override string GetName(int ordinal) => _columns[ordinal].Name;

    public override int GetOrdinal(string name)
    {
        var ordinal = Array.FindIndex(_columns, column => string.Equals(column.Name, name, StringComparison.Ordinal));
        return ordinal >= 0 ? ordinal : throw new DuckDBException($"There is no column '{name}' in the result.");
    }

    /// <summary>The kind of type, without width, scale or nested types: BigInt, Decimal, List.</summary>
    public override string GetDataTypeName(int ordinal) => _columns[ordinal].Type.ToString();

    public override Type GetFieldType(int ordinal) => _columns[ordinal].ClrType;

    public override IEnumerator GetEnumerator() => new DbEnumerator(this, _behavior.HasFlag(CommandBehavior.CloseConnection));

    public override DataTable GetSchemaTable()
    {
        var table = new DataTable("SchemaTable");
        table.Columns.Add(SchemaTableColumn.ColumnName, typeof(string));
        table.Columns.Add(SchemaTableColumn.ColumnOrdinal, typeof(int));
        table.Columns.Add(SchemaTableColumn.ColumnSize, typeof(int));
        table.Columns.Add(SchemaTableColumn.NumericPrecision, typeof(byte));
        table.Columns.Add(SchemaTableColumn.NumericScale, typeof(byte));
        table.Columns.Add(SchemaTableColumn.DataType, typeof(Type));
        table.Columns.Add(SchemaTableColumn.AllowDBNull, typeof(bool));
        for (var i = 0; i < _columns.Length; i++)
        {
            var number = _columns[i] as DecimalColumn;
            table.Rows.Add(_columns[i].Name, i, -1, number?.Width, number?.Scale, _columns[i].ClrType, true);
        }

        return table;
    }

    public override void Close()
    {
        if (_closed)
            return;
        _closed = true;
        _chunk?.Dispose();
        _result?.Dispose();
        _statements.Dispose();
        _columns = [];
        if (_behavior.HasFlag(CommandBehavior.CloseConnection))
            _command.Connection?.Close();
    }

    ulong CurrentRow => _rowsRead > 0 && !_closed ? _rowsRead - 1 : throw new InvalidOperationException("No row is current: Read has not been called, or has returned false.");

    bool FetchChunk()
    {
        _chunk?.Dispose();
        _chunkRows = _rowsRead = 0;
        _chunk = NativeMethods.duckdb_fetch_chunk(_result!.Struct);
        if (_chunk.IsInvalid)
        {
            _chunk.Dispose();
            _chunk = null;
            // The end of the rows and a query that broke off both come as "no chunk".
            if (NativeMethods.duckdb_result_error(_result) != 0)
                throw _statements.Failure(_result);
            return false;
        }

        for (var i = 0; i < _columns.Length; i++)
            _columns[i].Attach(NativeMethods.duckdb_data_chunk_get_vector(_chunk, (ulong)i));
        _chunkRows = NativeMethods.duckdb_data_chunk_get_size(_chunk);
        return _chunkRows > 0;
    }
}
