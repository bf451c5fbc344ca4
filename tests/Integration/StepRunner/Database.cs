using Npgsql;

namespace LeanPipe.Integration.StepRunner;

/// <summary>A schema of its own in the real PostgreSQL that LEANPIPE_TEST_POSTGRES names (a connection string), under a connection name of its own.</summary>
public sealed class Database : IAsyncDisposable
{
    const string Variable = "LEANPIPE_TEST_POSTGRES";

    readonly string _schema = "t" + Guid.NewGuid().ToString("N");

    Database(string connectionString) => Settings = new(connectionString) { SearchPath = _schema, Pooling = false };

    public NpgsqlConnectionStringBuilder Settings { get; }

    /// <summary>What a load names.</summary>
    public string Connection => _schema;

    public static async Task<Database> CreateAsync()
    {
        var text = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(text))
        {
            (Environment.GetEnvironmentVariable("CI") == "true").ShouldBeFalse($"{Variable} is not set, and CI must not skip");
            Assert.Skip($"{Variable} is not set; it holds the connection string of a PostgreSQL in which schemas may be made.");
        }

        var database = new Database(text);
        await database.ExecuteAsync($"CREATE SCHEMA {database._schema}");
        // A step runner is a child of this process.
        Environment.SetEnvironmentVariable($"LEANPIPE_POSTGRES_{database._schema.ToUpperInvariant()}", database.Settings.ConnectionString);
        return database;
    }

    public async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(Settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The rows of a SELECT, each as its values with '|' between.</summary>
    public async Task<IReadOnlyList<string>> ReadAsync(string select)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(select, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "" : Convert.ToString(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))));
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        await ExecuteAsync($"DROP SCHEMA {_schema} CASCADE");
        Environment.SetEnvironmentVariable($"LEANPIPE_POSTGRES_{_schema.ToUpperInvariant()}", null);
    }
}
