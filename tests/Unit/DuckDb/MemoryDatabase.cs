using DuckDB.NET.Data;

namespace LeanPipe.Unit.DuckDb;

/// <summary>An open connection to a database of its own.</summary>
sealed class MemoryDatabase : IDisposable
{
    public MemoryDatabase() => Connection.Open();

    public DuckDBConnection Connection { get; } = new("DataSource=:memory:");

    public DuckDBCommand Command(string sql, params object?[] parameters)
    {
        var command = Connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddRange(parameters.Select(value => value as DuckDBParameter ?? new DuckDBParameter(value)));
        return command;
    }

    public void Run(string sql, params object?[] parameters)
    {
        using var command = Command(sql, parameters);
        command.ExecuteNonQuery();
    }

    public object? Scalar(string sql, params object?[] parameters)
    {
        using var command = Command(sql, parameters);
        return command.ExecuteScalar();
    }

    public T Scalar<T>(string sql, params object?[] parameters)
    {
        using var command = Command(sql, parameters);
        using var reader = command.ExecuteReader();
        reader.Read().ShouldBeTrue();
        return reader.GetFieldValue<T>(0);
    }

    public void Dispose() => Connection.Dispose();
}
