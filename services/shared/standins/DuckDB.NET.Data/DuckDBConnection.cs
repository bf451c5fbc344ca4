using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

/// <summary>A connection to a DuckDB in this process. One statement at a time; <see cref="DuckDBCommand.Cancel"/> and <see cref="GetQueryProgress"/> may come from other threads.</summary>
public class DuckDBConnection : DbConnection
{
    OpenDatabase? _database;
    ConnectionHandle? _handle;
    OpenDatabase? _duplicated;

    public DuckDBConnection() : this("")
    {
    }

    public DuckDBConnection(string connectionString) => ConnectionString = connectionString;

    [AllowNull]
    public override string ConnectionString { get => field; set => field = value ?? ""; } = "";

    public override string Database => DataSource;

    public override string DataSource => Settings.DataSource;

    public override string ServerVersion => Marshal.PtrToStringUTF8(NativeMethods.duckdb_library_version()) ?? "";

    public override ConnectionState State => _handle is null ? ConnectionState.Closed : ConnectionState.Open;

    internal ConnectionHandle Handle => _handle ?? throw new InvalidOperationException("The connection is not open.");

    internal DuckDBTransaction? Transaction { get; set; }

    DuckDBConnectionStringBuilder Settings => new() { ConnectionString = ConnectionString };

    public override void Open()
    {
        if (_handle is not null)
            throw new InvalidOperationException("The connection is open already.");
        var database = _duplicated?.AddReference() ?? OpenDatabase.Open(Settings);
        try
        {
            _handle = database.Connect();
        }
        catch
        {
            database.Release();
            throw;
        }

        _database = database;
        OnStateChange(new StateChangeEventArgs(ConnectionState.Closed, ConnectionState.Open));
    }

    public override void Close()
    {
        if (_handle is null)
            throw new InvalidOperationException("The connection is closed already.");
        Transaction = null;
        _handle.Dispose();
        _handle = null;
        _database!.Release();
        _database = null;
        OnStateChange(new StateChangeEventArgs(ConnectionState.Open, ConnectionState.Closed));
    }

    public override void ChangeDatabase(string databaseName) => throw new NotSupportedException("A connection stays with its database; use ATTACH and USE.");

    /// <summary>A second, still closed, connection to the same in-memory database.</summary>
    public DuckDBConnection Duplicate()
    {
        EnsureOpen();
        if (!DataSource.StartsWith(DuckDBConnectionStringBuilder.InMemoryDataSource, StringComparison.OrdinalIgnoreCase))
            throw new NotSupportedException("Only connections to in-memory databases can be duplicated; open a second connection to the file instead.");
        return new DuckDBConnection(ConnectionString) { _duplicated = _database };
    }

    public DuckDBQueryProgress GetQueryProgress()
    {
        EnsureOpen();
        return NativeMethods.duckdb_query_progress(Handle);
    }

    public new virtual DuckDBCommand CreateCommand() => new() { Connection = this, Transaction = Transaction };

    public new DuckDBTransaction BeginTransaction() => Begin(IsolationLevel.Unspecified);

    protected override DbCommand CreateDbCommand() => CreateCommand();

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => Begin(isolationLevel);

    protected override void Dispose(bool disposing)
    {
        if (disposing && _handle is not null)
            Close();
        base.Dispose(disposing);
    }

    internal void Run(string sql)
    {
        using var command = new DuckDBCommand(sql, this);
        command.ExecuteNonQuery();
    }

    internal void EnsureOpen([CallerMemberName] string operation = "")
    {
        if (_handle is null)
            throw new InvalidOperationException($"{operation} requires an open connection.");
    }

    DuckDBTransaction Begin(IsolationLevel isolationLevel)
    {
        EnsureOpen("BeginTransaction");
        if (Transaction is not null)
            throw new InvalidOperationException("The connection is in a transaction already.");
        return Transaction = new DuckDBTransaction(this, isolationLevel);
    }
}
