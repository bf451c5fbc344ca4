using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>A table's whole state at one version as one Parquet file, so that a reader needs no older commit. DuckDB writes and reads it.</summary>
/// <remarks>
/// <para>Source: Delta Transaction Log Protocol, "Checkpoints" (classic, V1) and "Last Checkpoint File". It is written after its commit, in this order: the checkpoint, then
/// <c>_last_checkpoint</c>. A crash before the first, or between the two, costs readers time and nothing else. Two writers of one checkpoint write the same state.</para>
/// <para>Held: protocol, metaData, live files, removed files younger than <see cref="RemovesAreKept"/>, and the newest txn per application, those of single runs for
/// <see cref="RunsAreKept"/>: a run that is repeated later is told by its window's txn, and one that only adds rows, which has none, is refused (<see cref="RunsAreTold"/>).</para>
/// </remarks>
static class Checkpoint
{
    /// <summary>A checkpoint is due after so many commits.</summary>
    public const int Every = 10;

    /// <summary>Twice the protocol's default of a week: a vacuum that keeps a week learns from them since when a file is not needed.</summary>
    static readonly TimeSpan RemovesAreKept = TimeSpan.FromDays(14);

    static readonly TimeSpan RunsAreKept = TimeSpan.FromDays(30);

    /// <summary>A run that was planned no longer ago than this is in every checkpoint's log when it has committed. A day less than they are kept, for clocks that differ.</summary>
    public static readonly TimeSpan RunsAreTold = RunsAreKept - TimeSpan.FromDays(1);

    const string Texts = "MAP(VARCHAR, VARCHAR)";

    static readonly (string Name, string Type)[] Columns =
    [
        ("txn", "STRUCT(appId VARCHAR, \"version\" BIGINT, lastUpdated BIGINT)"),
        ("add", $"STRUCT(path VARCHAR, partitionValues {Texts}, size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR, tags {Texts})"),
        ("remove", $"STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, partitionValues {Texts}, size BIGINT)"),
        ("metaData", $"STRUCT(id VARCHAR, \"name\" VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, \"options\" {Texts}), schemaString VARCHAR, partitionColumns VARCHAR[], \"configuration\" {Texts}, createdTime BIGINT)"),
        ("protocol", "STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER)"),
    ];

    /// <summary>Writes a checkpoint of <paramref name="table"/> when its log has <see cref="Every"/> commits without one. Repeatable.</summary>
    public static async Task WriteIfDueAsync(IObjectStore store, DeltaTable table, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (table.Version - (table.CheckpointVersion ?? 0) < Every) return;
        try
        {
            await WriteAsync(store, table, now, cancellationToken);
        }
        catch (DuckDbException e) when (e.Code is "duckdb.out_of_memory" or "duckdb.out_of_spill" or "duckdb.io")
        {
            // The machine is short of room: the commit stands and reads as it is, and the next one tries again.
            return;
        }
    }

    public static async Task WriteAsync(IObjectStore store, DeltaTable table, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var turn = await TableTurns.Checkpoints.TakeAsync(cancellationToken);
        using var scratch = TableScratch.Create();
        var actions = Actions(table.State, now).ToList();
        var lines = scratch.File("actions.ndjson");
        var bytes = DeltaLog.Format(actions);
        await File.WriteAllBytesAsync(lines, bytes.ToArray(), cancellationToken);
        // DuckDB makes its buffers twice as large as the longest line may be.
        var longest = Math.Max(1 << 20, Longest(bytes.Span) + 1);
        var file = scratch.File("checkpoint.parquet");
        await Task.Run(() =>
        {
            using var session = scratch.OpenSession([]);
            var columns = string.Join(", ", Columns.Select(c => $"{SqlText.Literal(c.Name)}: {SqlText.Literal(c.Type)}"));
            session.Execute(
                $"COPY (SELECT * FROM read_json({SqlText.Literal(lines)}, format = 'newline_delimited', maximum_object_size = {longest}, columns = {{{columns}}})) TO {SqlText.Literal(file)} (FORMAT parquet, COMPRESSION snappy)",
                cancellation: cancellationToken);
        }, cancellationToken);
        await store.PutFileAsync(LakeLayout.TableCheckpoint(table.Name, table.Version), file, cancellationToken);

        var key = LakeLayout.TableLastCheckpoint(table.Name);
        var last = await store.FindJsonAsync(key, DeltaJson.Log.LastCheckpoint, cancellationToken);
        if (last is null || last.Version < table.Version) await store.PutJsonAsync(key, new(table.Version, actions.Count), DeltaJson.Log.LastCheckpoint, cancellationToken);
    }

    /// <exception cref="LakeException"><c>lake.corrupt_log</c></exception>
    public static async Task<IReadOnlyList<DeltaAction>> ReadAsync(IObjectStore store, TableName table, LogCheckpoint checkpoint, CancellationToken cancellationToken)
    {
        using var turn = await TableTurns.Checkpoints.TakeAsync(cancellationToken);
        using var scratch = TableScratch.Create();
        var files = new List<string>();
        foreach (var name in checkpoint.Files) files.Add(await scratch.FetchAsync(store, LakeLayout.TableLog(table) + name, name, cancellationToken));
        try
        {
            return await Task.Run(() => Read(scratch, files, cancellationToken), cancellationToken);
        }
        catch (Exception e) when (e is DuckDbException { IsTransient: false } or JsonException)
        {
            throw DeltaLog.Corrupt(table, $"the checkpoint of version {checkpoint.Version} cannot be read: {e.Message}", "Delete the checkpoint when the commits before it are still there.", e);
        }
    }

    static List<DeltaAction> Read(TableScratch scratch, List<string> files, CancellationToken cancellationToken)
    {
        using var session = scratch.OpenSession(files);
        session.CreateParquetView("checkpoint", files);
        var there = session.Describe("SELECT * FROM checkpoint", cancellationToken).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        var actions = new List<DeltaAction>();
        foreach (var (column, _) in Columns.Where(c => there.Contains(c.Name)))
        {
            using var rows = session.Query($"SELECT CAST(to_json({SqlText.Identifier(column)}) AS VARCHAR) FROM checkpoint WHERE {SqlText.Identifier(column)} IS NOT NULL", cancellation: cancellationToken);
            while (rows.Read()) actions.Add(DeltaLog.ParseLine($$"""{"{{column}}":{{rows.GetString(0)}}}"""));
        }
        return actions;
    }

    static int Longest(ReadOnlySpan<byte> lines)
    {
        var longest = 0;
        foreach (var line in lines.Split((byte)'\n')) longest = Math.Max(longest, line.End.Value - line.Start.Value);
        return longest;
    }

    static IEnumerable<DeltaAction> Actions(DeltaState state, DateTimeOffset now)
    {
        yield return new() { Protocol = new(state.Protocol.MinReaderVersion, state.Protocol.MinWriterVersion) };
        yield return new() { MetaData = state.MetaData };
        var runs = (now - RunsAreKept).ToUnixTimeMilliseconds();
        foreach (var txn in state.Transactions.Values.OrderBy(t => t.AppId, StringComparer.Ordinal))
            if (!IsOfARun(txn) || txn.LastUpdated is not { } updated || updated >= runs) yield return new() { Txn = new(txn.AppId, txn.Version, txn.LastUpdated) };
        var removes = (now - RemovesAreKept).ToUnixTimeMilliseconds();
        foreach (var remove in state.Removed.Values.OrderBy(r => r.Path, StringComparer.Ordinal))
            if (remove.DeletionTimestamp >= removes) yield return new() { Remove = remove with { DataChange = false } };
        foreach (var file in state.Files.Values.OrderBy(f => f.Path, StringComparer.Ordinal)) yield return new() { Add = file.Source with { DataChange = false } };
    }

    /// <summary><c>leanpipe/{pipeline}/{window}/{run}</c>.</summary>
    static bool IsOfARun(DeltaTransaction txn) => txn.AppId.StartsWith("leanpipe/", StringComparison.Ordinal) && txn.AppId.Count(c => c == '/') == 3;
}

/// <param name="Size">Actions in the checkpoint.</param>
sealed record LastCheckpoint(long Version, long Size);
