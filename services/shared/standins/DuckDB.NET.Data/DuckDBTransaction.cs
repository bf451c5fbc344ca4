using System.Data;
using System.Data.Common;

namespace DuckDB.NET.Data;

/// <summary>A snapshot transaction; rolled back when disposed before <see cref="Commit"/>.</summary>
public sealed class DuckDBTransaction : DbTransaction
{
    readonly DuckDBConnection _connection;
    bool _finished;

    internal DuckDBTransaction(DuckDBConnection connection, IsolationLevel isolationLevel)
    {
        if (isolationLevel is not (IsolationLevel.Unspecified or IsolationLevel.Snapshot))
            throw new ArgumentException($"Isolation level {isolationLevel} was asked for; DuckDB has snapshot isolation only.", nameof(isolationLevel));
        _connection = connection;
        connection.Run("BEGIN TRANSACTION");
    }

    public override IsolationLevel IsolationLevel => IsolationLevel.Snapshot;

    protected override DbConnection DbConnection => _connection;

    public override void Commit() => Finish("COMMIT");

    public override void Rollback() => Finish("ROLLBACK");

    void Finish(string sql)
    {
        if (_finished)
            throw new InvalidOperationException("The transaction is over already.");
        _finished = true;
        _connection.Transaction = null;
        _connection.Run(sql);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_finished && _connection.State == ConnectionState.Open)
            Rollback();
        base.Dispose(disposing);
    }
}
