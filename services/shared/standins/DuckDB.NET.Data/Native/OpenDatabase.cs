using System.Runtime.InteropServices;
using DuckDB.NET.Data;

namespace DuckDB.NET.Native;

/// <summary>One database of this process, shared by all its connections; closed with the last of them.</summary>
/// <remarks>DuckDB refuses to open a file twice in one process, so files (and the one shared in-memory database) are kept by name.</remarks>
internal sealed class OpenDatabase
{
    static readonly Lock Gate = new();
    static readonly Dictionary<string, OpenDatabase> Shared = new(StringComparer.Ordinal);

    readonly DatabaseHandle _handle;
    readonly string? _name;
    int _connections;

    OpenDatabase(DatabaseHandle handle, string? name) => (_handle, _name) = (handle, name);

    public static OpenDatabase Open(DuckDBConnectionStringBuilder settings)
    {
        var source = settings.DataSource;
        if (source.Length == 0)
            throw new InvalidOperationException("The connection string names no DataSource; expected DataSource=:memory: or DataSource=<path>.");
        if (string.Equals(source, DuckDBConnectionStringBuilder.InMemoryDataSource, StringComparison.OrdinalIgnoreCase))
            return new OpenDatabase(Start(":memory:", settings), name: null).AddReference();

        var inMemory = string.Equals(source, DuckDBConnectionStringBuilder.InMemorySharedDataSource, StringComparison.OrdinalIgnoreCase);
        var name = inMemory ? source : Path.GetFullPath(source);
        lock (Gate)
        {
            if (!Shared.TryGetValue(name, out var database))
                Shared.Add(name, database = new OpenDatabase(Start(inMemory ? ":memory:" : name, settings), name));
            // Counted before the lock is left, so that another connection's Release cannot close it in between.
            database._connections++;
            return database;
        }
    }

    public ConnectionHandle Connect()
    {
        if (NativeMethods.duckdb_connect(_handle, out var connection) == 0)
            return connection;
        connection.Dispose();
        throw new DuckDBException("DuckDB did not accept a further connection.", DuckDBErrorType.Connection);
    }

    public OpenDatabase AddReference()
    {
        lock (Gate)
            _connections++;
        return this;
    }

    public void Release()
    {
        lock (Gate)
        {
            if (--_connections > 0)
                return;
            if (_name is not null)
                Shared.Remove(_name);
            _handle.Dispose();
        }
    }

    static DatabaseHandle Start(string path, DuckDBConnectionStringBuilder settings)
    {
        _ = NativeMethods.duckdb_create_config(out var config);
        try
        {
            foreach (var (name, value) in settings.Settings)
            {
                if (NativeMethods.duckdb_set_config(config, name, value) != 0)
                    throw new InvalidOperationException($"DuckDB does not take the setting '{name}' with the value '{value}' that the connection string names.");
            }

            if (NativeMethods.duckdb_open_ext(path, out var database, config, out var error) == 0)
                return database;
            database.Dispose();
            var message = Marshal.PtrToStringUTF8(error);
            NativeMethods.duckdb_free(error);
            throw new DuckDBException(message ?? $"DuckDB could not open '{path}'.", DuckDBErrorType.Connection);
        }
        finally
        {
            NativeMethods.duckdb_destroy_config(ref config);
        }
    }
}
