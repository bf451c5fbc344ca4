using DuckDB.NET.Data;

namespace LeanPipe.DuckDb;

/// <summary>Loads DuckDB's library and opens a database, on a thread of its own while the caller finds out what its session shall be.</summary>
/// <remarks>Nothing runs in it before a session has taken it, limited and locked it.</remarks>
public sealed class DuckDbStart : IDisposable
{
    readonly Thread _thread;
    DuckDBConnection? _connection;
    Exception? _failure;

    public DuckDbStart()
    {
        _thread = new(Open) { IsBackground = true, Name = "duckdb" };
        _thread.Start();
    }

    /// <summary>Waits for it. A database that no session has taken is closed.</summary>
    public void Dispose()
    {
        _thread.Join();
        _connection?.Dispose();
    }

    /// <summary>The open database, once: from then on it is the caller's to dispose.</summary>
    internal DuckDBConnection Take()
    {
        _thread.Join();
        if (_failure is not null) throw _failure;
        return Interlocked.Exchange(ref _connection, null) ?? throw new InvalidOperationException("Another session has taken this database.");
    }

    void Open()
    {
        // One thread, for the session's limit is not known yet.
        var connection = new DuckDBConnection("DataSource=:memory:;threads=1");
        try
        {
            connection.Open();
            _connection = connection;
        }
        catch (Exception failure)
        {
            connection.Dispose();
            _failure = failure;
        }
    }
}
