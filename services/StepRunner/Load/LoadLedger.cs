using LeanPipe.Contracts;
using Npgsql;

namespace LeanPipe.StepRunner.Load;

/// <summary>The table <c>leanpipe_loads</c> beside the target: one row per load, written in the load's own transaction.</summary>
internal sealed class LoadLedger(NpgsqlConnection connection, TaskSpec spec, LoadDefinition load, string content, CancellationToken cancellation)
{
    const string Last = $"""
        SELECT load, run, content, rows, inserted, updated FROM {LoadSql.Ledger}
        WHERE target = $1 AND pipeline = $2 AND step = $3 AND window_id = $4 AND task = $5
        """;

    /// <summary>Makes the ledger if it is missing, in a transaction of its own: the lock that an index takes must not be held while this load waits for another of its target.</summary>
    public static async Task MakeAsync(NpgsqlConnection connection, PostgresCatalog catalog, CancellationToken cancellation)
    {
        if (await catalog.ExistsAsync(LoadSql.Ledger)) return;
        await using var making = await connection.BeginTransactionAsync(cancellation);
        await catalog.CreateAsync(LoadSql.CreateLedger);
        await making.CommitAsync(cancellation);
    }

    /// <summary>Keeps every other load of the target waiting until this transaction ends.</summary>
    public async Task LockTargetAsync()
    {
        await using var target = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", connection) { Parameters = { new() { Value = load.Table } } };
        await target.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>
    /// The earlier load of the same rows; null when these are to be loaded. With a key only the task's last load counts, and only when no other run has loaded rows of the same step and window
    /// since: they may have changed the table (another fan-out gives a row to another task), and the same rows again change it back. Without a key any earlier one counts, for the rows are there.
    /// </summary>
    public async Task<LoadResult?> FindAsync()
    {
        var sql = load.Key.Count > 0
            ? $"""
               SELECT * FROM ({Last} ORDER BY load DESC LIMIT 1) AS last WHERE content = $6 AND NOT EXISTS (
                   SELECT 1 FROM {LoadSql.Ledger} o WHERE o.target = $1 AND o.pipeline = $2 AND o.step = $3 AND o.window_id = $4 AND o.load > last.load AND o.run <> last.run)
               """
            : $"{Last} AND content = $6 ORDER BY load DESC LIMIT 1";
        await using var command = Command(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? new(reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5), Repeated: true) : null;
    }

    public async Task WriteAsync(LoadResult result)
    {
        await using var command = Command(
            $"INSERT INTO {LoadSql.Ledger} (target, pipeline, step, window_id, task, content, run, rows, inserted, updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
        foreach (var value in (object[])[spec.Run.Value, result.Rows, result.Inserted, result.Updated]) command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(cancellation);
    }

    NpgsqlCommand Command(string sql)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in new[] { load.Table, spec.Pipeline.Value, spec.Step.Value, spec.Window.ToString(), spec.Task.ToString(), content }) command.Parameters.Add(new() { Value = value });
        return command;
    }
}
