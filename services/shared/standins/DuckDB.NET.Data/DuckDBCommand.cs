using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

/// <summary>One or several statements. A token given to an asynchronous method interrupts the running query; the methods themselves run on the caller's thread.</summary>
public class DuckDBCommand : DbCommand
{
    readonly DuckDBParameterCollection _parameters = new();
    DuckDBConnection? _connection;

    public DuckDBCommand()
    {
    }

    public DuckDBCommand(string commandText) => CommandText = commandText;

    public DuckDBCommand(string commandText, DuckDBConnection connection) : this(commandText) => _connection = connection;

    [AllowNull]
    public override string CommandText { get => field; set => field = value ?? ""; } = "";

    /// <summary>Kept, not enforced: use a token, or <see cref="Cancel"/>.</summary>
    public override int CommandTimeout { get; set; }

    public override CommandType CommandType { get; set; } = CommandType.Text;

    public override bool DesignTimeVisible { get; set; }

    public override UpdateRowSource UpdatedRowSource { get; set; }

    public new virtual DuckDBParameterCollection Parameters => _parameters;

    /// <summary>True: rows are computed while they are read, in bounded memory. False: the whole result is computed first.</summary>
    public bool UseStreamingMode { get; set; }

    protected override DbConnection? DbConnection { get => _connection; set => _connection = (DuckDBConnection?)value; }

    protected override DbParameterCollection DbParameterCollection => _parameters;

    protected override DbTransaction? DbTransaction { get; set; }

    /// <summary>Interrupts what runs on the connection; nothing happens when nothing runs.</summary>
    public override void Cancel()
    {
        if (_connection?.State == ConnectionState.Open)
            NativeMethods.duckdb_interrupt(_connection.Handle);
    }

    public override int ExecuteNonQuery() => RunAll(CancellationToken.None);

    public override Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken) =>
        AsTask(() => RunAll(cancellationToken), cancellationToken);

    public override object? ExecuteScalar()
    {
        using var reader = ExecuteReader();
        return reader.Read() ? reader.GetValue(0) : null;
    }

    public new DuckDBDataReader ExecuteReader() => (DuckDBDataReader)base.ExecuteReader();

    public new DuckDBDataReader ExecuteReader(CommandBehavior behavior) => (DuckDBDataReader)base.ExecuteReader(behavior);

    /// <summary>Statements are prepared when they run, since one may need the effects of the one before it.</summary>
    public override void Prepare()
    {
    }

    protected override DbParameter CreateDbParameter() => new DuckDBParameter();

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => Read(behavior, CancellationToken.None);

    protected override Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken) =>
        AsTask<DbDataReader>(() => Read(behavior, cancellationToken), cancellationToken);

    DuckDBDataReader Read(CommandBehavior behavior, CancellationToken cancellation)
    {
        var statements = Begin(cancellation);
        try
        {
            return new DuckDBDataReader(this, statements, behavior);
        }
        catch
        {
            statements.Dispose();
            throw;
        }
    }

    int RunAll(CancellationToken cancellation)
    {
        using var statements = Begin(cancellation);
        var changed = 0UL;
        while (statements.RunNext() is { } result)
        {
            using (result)
                changed += NativeMethods.duckdb_rows_changed(result);
        }

        return (int)Math.Min(changed, int.MaxValue);
    }

    Statements Begin(CancellationToken cancellation)
    {
        if (_connection is null)
            throw new InvalidOperationException("The command has no connection.");
        _connection.EnsureOpen("Execute");
        return new Statements(this, _connection.Handle, cancellation);
    }

    Task<T> AsTask<T>(Func<T> run, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellation);
        try
        {
            using var registration = cancellation.UnsafeRegister(static command => ((DuckDBCommand)command!).Cancel(), this);
            return Task.FromResult(run());
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancellation);
        }
        catch (Exception failure)
        {
            return Task.FromException<T>(failure);
        }
    }
}
