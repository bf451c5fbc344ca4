using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using Npgsql;

namespace LeanPipe.StepRunner.Load;

/// <summary>Brings a task's rows into a table of PostgreSQL, in one transaction.</summary>
/// <remarks>
/// The order is the guarantee. The transaction takes the target's lock, so that loads of one table come one after another; it asks the ledger whether the task's rows were
/// loaded last already, and then ends; else rows are copied into a staging table, foreign keys looked up, the target changed, the ledger written, and all of it committed
/// at once. A crash before the commit leaves nothing; one after it leaves a ledger that the next attempt finds. So an attempt may be repeated as often as one likes.
/// </remarks>
internal sealed class PostgresLoad(TaskSpec spec, LoadDefinition load, IReadOnlyList<OutputColumn> output, Func<string, string?> variable, Action<double> progress)
{
    const int RowsPerReport = 4096;

    readonly IReadOnlyList<LoadColumn> _columns = [.. output.Select(c => new LoadColumn(c.Name, PostgresType.Of(c.Type) ?? throw NoType(c)))];

    /// <param name="session">Reads the rows.</param>
    /// <param name="chunks">Finished Parquet files; none = no rows.</param>
    /// <exception cref="TaskException"><c>load.…</c></exception>
    public async Task<LoadResult> RunAsync(DuckDbSession session, IReadOnlyList<string> chunks, CancellationToken cancellation)
    {
        var settings = Connections.Find(load.Connection, variable);
        var select = InputViews.SelectOutput(output, chunks);
        var (rows, content) = Content(session, select, cancellation);
        try
        {
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(cancellation);
            var catalog = new PostgresCatalog(connection, load, _columns, cancellation);
            await LoadLedger.MakeAsync(connection, catalog, cancellation);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            var result = await LoadAsync(connection, catalog, session, select, rows, content, cancellation);
            await transaction.CommitAsync(cancellation);
            return result;
        }
        catch (NpgsqlException e) when (!cancellation.IsCancellationRequested)
        {
            throw LoadErrors.From(e, load.Connection, load.Table);
        }
        catch (NpgsqlException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
    }

    async Task<LoadResult> LoadAsync(NpgsqlConnection connection, PostgresCatalog catalog, DuckDbSession session, string select, long rows, string content, CancellationToken cancellation)
    {
        var ledger = new LoadLedger(connection, spec, load, content, cancellation);
        await ledger.LockTargetAsync();
        if (await ledger.FindAsync() is { } before) return before;

        await catalog.ExecuteAsync(LoadSql.CreateStaging(_columns));
        await CopyAsync(connection, session, select, rows, cancellation);
        var types = new List<IReadOnlyDictionary<string, string>>();
        foreach (var lookup in load.Lookups) types.Add(await catalog.LookupAsync(lookup));
        var target = await catalog.TargetAsync(types);
        // Other writers wait; readers do not.
        if (load.Key.Count > 0) await catalog.ExecuteAsync($"LOCK TABLE {LoadSql.Table(load.Table)} IN SHARE ROW EXCLUSIVE MODE");

        var added = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (lookup, i) in load.Lookups.Select((l, i) => (l, i)))
            added[lookup.Table] = added.GetValueOrDefault(lookup.Table) + await catalog.ExecuteAsync(LoadSql.AddToLookup(lookup, types[i]));
        await catalog.ExecuteAsync(LoadSql.CreateRows(load, target, types));
        await catalog.ExecuteAsync($"ANALYZE {LoadSql.Rows}");
        if (load.Key.Count > 0) await CheckKeysAsync(connection, cancellation);
        var updated = load.Mode != LoadMode.Insert && LoadSql.Update(load, target) is { } update ? await catalog.ExecuteAsync(update) : 0;
        var inserted = load.Mode == LoadMode.Update ? 0 : await catalog.ExecuteAsync(LoadSql.Insert(load, target));
        var result = new LoadResult(rows, inserted, updated, Repeated: false, added.Count == 0 ? null : added);
        await ledger.WriteAsync(result);
        return result;
    }

    async Task CopyAsync(NpgsqlConnection connection, DuckDbSession session, string select, long rows, CancellationToken cancellation)
    {
        if (rows == 0) return;
        await using var copy = await connection.BeginBinaryImportAsync(LoadSql.CopyStaging(_columns), cancellation);
        using (var read = session.Query(select, cancellation: cancellation))
        {
            for (var row = 0L; read.Read(); row++)
            {
                await copy.StartRowAsync(cancellation);
                for (var i = 0; i < _columns.Count; i++)
                {
                    if (read.GetValue(i) is not { } value) await copy.WriteNullAsync(cancellation);
                    else await copy.WriteAsync(value is sbyte tiny ? (short)tiny : value, _columns[i].Type.Wire, cancellation);
                }
                if (row % RowsPerReport == 0) progress(row / (double)rows);
            }
        }
        await copy.CompleteAsync(cancellation);
    }

    async Task CheckKeysAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var nulls = new NpgsqlCommand(LoadSql.CountNullKeys(load), connection);
        if (await nulls.ExecuteScalarAsync(cancellation) is long and > 0 and var without)
            throw new TaskException("load.null_key", $"{without} rows for '{load.Table}' have a null in their key ({string.Join(", ", load.Key)}). Nothing was loaded; filter them in the step's SQL.");
        await using var twins = new NpgsqlCommand(LoadSql.CountTwins(load), connection);
        if (await twins.ExecuteScalarAsync(cancellation) is long and > 0 and var twice)
            throw new TaskException("load.duplicate_key", $"{twice} keys ({string.Join(", ", load.Key)}) come more than once in the rows for '{load.Table}', and which row counts is not said. Nothing was loaded; keep one of each in the step's SQL.");
    }

    /// <summary>What the rows are, whatever their order and files: their number, and two sums over a hash of each.</summary>
    (long Rows, string Content) Content(DuckDbSession session, string select, CancellationToken cancellation)
    {
        var hash = $"hash({string.Join(", ", _columns.Select(c => SqlText.Identifier(c.Name)))})";
        var sums = session.Texts($"SELECT count(*), bit_xor({hash}), sum(CAST({hash} AS HUGEINT)) FROM ({select})", cancellation)[0];
        var text = $"{JsonSerializer.Serialize(load, ContractsJson.Default.LoadDefinition)}|{string.Join(',', _columns)}|{string.Join('|', sums)}";
        return (long.Parse(sums[0]!, System.Globalization.CultureInfo.InvariantCulture), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }

    static TaskException NoType(OutputColumn column) => new(
        "load.no_type", $"Column '{column.Name}' is {column.Type}, which no column of a table can take as it is. Write CAST(to_json({column.Name}) AS VARCHAR) AS {column.Name} in the step's SQL; a json or jsonb column takes that.");
}
