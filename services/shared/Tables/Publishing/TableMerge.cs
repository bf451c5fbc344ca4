using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>Finds, for a merge by key, which files hold rows that the run's rows take the place of, and writes these files anew without them.</summary>
/// <remarks>
/// <para>Of two rows with one key the one that was made from newer data stays (<see cref="DeltaAdd.RankTag"/>), so the result does not depend on the order in which runs publish. Files of
/// other writers count as older. A file whose bounds leave out every key of the run is not read.</para>
/// <para>On this machine are the run's chunks, one file of the table at a time, what is written in its place until it is in the store, and what DuckDB spills. So the room that a merge needs
/// grows with the run's rows and the table's largest file, never with the table.</para>
/// </remarks>
sealed class TableMerge(IObjectStore store, TablePublish publish, IReadOnlyList<string> key, TableWork work, DateTimeOffset now)
{
    const string Incoming = "incoming", File = "file", Taken = "taken";

    /// <summary>What DuckDB takes for a group with a key of a common length.</summary>
    const long GroupBytes = 128;

    /// <exception cref="LakeException"><c>lake.merge_key</c>: no key, a key that is no column, one that is null or comes twice. <c>lake.no_room</c></exception>
    public Task<TableChange> ChangeAsync(DeltaTable? current, CancellationToken cancellationToken) =>
        TableRewriter.WithinAsync(publish.Table, work, () => DecideAsync(current, cancellationToken));

    async Task<TableChange> DecideAsync(DeltaTable? current, CancellationToken cancellationToken)
    {
        var schema = current is null ? publish.Output : current.State.Schema.With(publish.Output, publish.Table);
        RequireKey();
        if (publish.Chunks.Count == 0) return new([], []);
        using var scratch = TableScratch.Create(work);
        var rewriter = new TableRewriter(store, publish.Table, scratch);
        var room = new MergeRoom(store, publish, work);
        var chunks = await rewriter.FetchAsync(publish.Chunks.Select(c => c.Object.Key), cancellationToken);
        // Candidates are told by their bounds before any of them is fetched.
        IReadOnlyList<DeltaFile> candidates;
        using (var first = scratch.OpenSession(chunks, room.Chunks))
        {
            first.CreateParquetView(Incoming, chunks);
            candidates = await Task.Run(() => Candidates(first, current?.Files ?? [], schema), cancellationToken);
        }
        using var session = scratch.OpenSession([.. chunks, .. candidates.Select(f => store.LocalPath(f.Key)).OfType<string>()], room.With(candidates));
        session.CreateParquetView(Incoming, chunks);
        IReadOnlyList<DuckDbColumn> columns = [.. schema.Columns.Select(c => new DuckDbColumn(c.Name, c.Type))];

        var newer = candidates.Where(f => publish.Origin.IsOlderThan(f.Rank, now)).ToList();
        var adds = (await AddsAsync(session, scratch, rewriter, newer, columns, cancellationToken)).ToList();
        var removes = new List<DeltaFile>();
        foreach (var file in candidates.Except(newer))
        {
            var local = await rewriter.FetchAsync(file.Key, cancellationToken);
            session.CreateParquetView(File, [local], columns);
            var replaced = await Task.Run(() => Count(session, $"{File} SEMI JOIN {Incoming} USING ({Key})", cancellationToken), cancellationToken);
            if (replaced > 0)
            {
                removes.Add(file);
                var folder = file.Path[..(file.Path.LastIndexOf('/') + 1)];
                var rest = await rewriter.WriteAsync(session, $"SELECT * FROM {File} ANTI JOIN {Incoming} USING ({Key})", schema, folder, long.MaxValue, TableCompaction.Tags([file]), cancellationToken);
                TableRewriter.RequireRows(publish.Table, [file], replaced + rest.Sum(f => f.Object.Rows));
                adds.AddRange(rest);
            }
            scratch.Release(local);
        }
        return new(adds, removes);
    }

    string Key => string.Join(", ", key.Select(SqlText.Identifier));

    // The chunks as they are, or, when newer rows with the same keys are there already, what is left of them.
    async Task<IReadOnlyList<TableAdd>> AddsAsync(DuckDbSession session, TableScratch scratch, TableRewriter rewriter, List<DeltaFile> newer, IReadOnlyList<DuckDbColumn> columns, CancellationToken cancellationToken)
    {
        if (newer.Count == 0) return publish.Change(null).Adds;
        session.Execute($"CREATE TEMP TABLE {Taken} AS SELECT {Key} FROM {Incoming} LIMIT 0", cancellation: cancellationToken);
        foreach (var file in newer)
        {
            var local = await rewriter.FetchAsync(file.Key, cancellationToken);
            session.CreateParquetView(File, [local], columns);
            await Task.Run(() => session.Execute($"INSERT INTO {Taken} SELECT {Key} FROM {Incoming} SEMI JOIN {File} USING ({Key})", cancellation: cancellationToken), cancellationToken);
            scratch.Release(local);
        }
        if (Count(session, Taken, cancellationToken) == 0) return publish.Change(null).Adds;
        return await rewriter.WriteAsync(
            session, $"SELECT * FROM {Incoming} ANTI JOIN {Taken} USING ({Key})", publish.Output, LakeLayout.AddedTableFolder(publish.Origin.Pipeline, publish.Origin.Window), long.MaxValue, publish.Tags,
            cancellationToken);
    }

    IReadOnlyList<DeltaFile> Candidates(DuckDbSession session, IReadOnlyList<DeltaFile> files, DeltaSchema schema)
    {
        // A table of groups gives little of its memory back, so that it is made in parts that take a quarter of it.
        var parts = (int)Math.Max(1, publish.Rows * GroupBytes / (work.MemoryBytes / 4));
        var nulls = Count(session, $"{Incoming} WHERE {string.Join(" OR ", key.Select(k => $"{SqlText.Identifier(k)} IS NULL"))}", CancellationToken.None);
        if (nulls > 0) throw Refused($"{nulls} rows have no value in the key ({string.Join(", ", key)})", "Filter them out, or give them one.");
        var twice = Enumerable.Range(0, parts).Sum(part => Count(session, $"(SELECT 1 FROM {Incoming} WHERE hash({Key}) % {parts} = {part} GROUP BY {Key} HAVING count(*) > 1)", CancellationToken.None));
        if (twice > 0) throw Refused($"{twice} keys ({string.Join(", ", key)}) come more than once", "Which row should stay is not said: aggregate, or take one per key with QUALIFY row_number().");
        return [.. files.Where(f => Bounds(f, schema) is not { } range || Count(session, $"{Incoming} WHERE {range}", CancellationToken.None) > 0)];
    }

    /// <summary>A condition on the run's rows that any row with a key in the file meets; null when the file's statistics tell nothing.</summary>
    string? Bounds(DeltaFile file, DeltaSchema schema)
    {
        if (file.Stats is null) return null;
        using var stats = JsonDocument.Parse(file.Stats);
        if (!stats.RootElement.TryGetProperty("minValues", out var minimums) || !stats.RootElement.TryGetProperty("maxValues", out var maximums)) return null;
        var conditions = new List<string>();
        foreach (var column in key)
        {
            if (!minimums.TryGetProperty(column, out var min) || !maximums.TryGetProperty(column, out var max)) continue;
            var type = schema.Columns.First(c => c.Name == column).Type;
            // SQL ends where a text has a zero.
            if (min.ToString().Contains('\0') || max.ToString().Contains('\0')) continue;
            conditions.Add($"{SqlText.Identifier(column)} BETWEEN CAST({SqlText.Literal(min.ToString())} AS {type}) AND CAST({SqlText.Literal(max.ToString())} AS {type})");
        }
        return conditions.Count == 0 ? null : string.Join(" AND ", conditions);
    }

    void RequireKey()
    {
        if (key.Count == 0) throw Refused("no key is given", "Write key: [column, …] beside mode: merge.");
        foreach (var column in key.Where(k => !publish.Output.Type.Fields.Any(f => f.Name == k && f.Type is DeltaPrimitive)))
            throw Refused($"the key '{column}' is no plain column of the step", $"Its columns: {string.Join(", ", publish.Output.Columns.Select(c => c.Name))}.");
    }

    LakeException Refused(string found, string todo) => new("lake.merge_key", $"Rows cannot be merged into table '{publish.Table}': {found}. {todo}");

    static long Count(DuckDbSession session, string from, CancellationToken cancellationToken)
    {
        using var rows = session.Query($"SELECT count(*) FROM {from}", cancellation: cancellationToken);
        return rows.Read() ? rows.GetInt64(0) : 0;
    }
}
