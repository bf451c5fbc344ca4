using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>Finds, for a merge by key, which files hold rows that the run's rows take the place of, and writes these files anew without them.</summary>
/// <remarks>
/// Of two rows with one key the one that was made from newer data stays (<see cref="DeltaAdd.RankTag"/>), so the result does not depend on the order in which runs publish. Files of
/// other writers count as older. A file whose bounds leave out every key of the run is not read.
/// </remarks>
sealed class TableMerge(IObjectStore store, TablePublish publish, IReadOnlyList<string> key, TableWork work)
{
    const string Incoming = "incoming", Newer = "newer", File = "file";

    /// <exception cref="LakeException"><c>lake.merge_key</c>: no key, a key that is no column, one that is null or comes twice.</exception>
    public async Task<TableChange> ChangeAsync(DeltaTable? current, CancellationToken cancellationToken)
    {
        var schema = current is null ? publish.Output : current.State.Schema.With(publish.Output, publish.Table);
        RequireKey();
        if (publish.Chunks.Count == 0) return new([], []);
        using var scratch = TableScratch.Create(work);
        var rewriter = new TableRewriter(store, publish.Table, scratch);
        var files = current?.Files ?? [];
        var chunks = await rewriter.FetchAsync(publish.Chunks.Select(c => c.Object.Key), cancellationToken);
        // Candidates are told by their bounds before any of them is fetched.
        IReadOnlyList<DeltaFile> candidates;
        using (var first = scratch.OpenSession([.. chunks.Values]))
        {
            first.CreateParquetView(Incoming, [.. chunks.Values]);
            candidates = await Task.Run(() => Candidates(first, files, schema), cancellationToken);
        }
        var local = await rewriter.FetchAsync(candidates.Select(f => f.Key), cancellationToken);
        using var session = scratch.OpenSession([.. chunks.Values, .. local.Values]);
        session.CreateParquetView(Incoming, [.. chunks.Values]);
        IReadOnlyList<DuckDbColumn> columns = [.. schema.Columns.Select(c => new DuckDbColumn(c.Name, c.Type))];

        var newer = candidates.Where(f => string.CompareOrdinal(f.Rank, publish.Origin.Rank) > 0).ToList();
        var adds = (await AddsAsync(session, rewriter, [.. newer.Select(f => local[f.Key])], columns, cancellationToken)).ToList();
        var removes = new List<DeltaFile>();
        foreach (var file in candidates.Except(newer))
        {
            session.CreateParquetView(File, [local[file.Key]], columns);
            var replaced = await Task.Run(() => Count(session, $"{File} SEMI JOIN {Incoming} USING ({Key})", cancellationToken), cancellationToken);
            if (replaced == 0) continue;
            removes.Add(file);
            var folder = file.Path[..(file.Path.LastIndexOf('/') + 1)];
            var rest = await rewriter.WriteAsync(session, $"SELECT * FROM {File} ANTI JOIN {Incoming} USING ({Key})", schema, folder, long.MaxValue, TableCompaction.Tags([file]), cancellationToken);
            TableRewriter.RequireRows(publish.Table, [file], replaced + rest.Sum(f => f.Object.Rows));
            adds.AddRange(rest);
        }
        return new(adds, removes);
    }

    string Key => string.Join(", ", key.Select(SqlText.Identifier));

    // The chunks as they are, or, when newer rows with the same keys are there already, what is left of them.
    async Task<IReadOnlyList<TableAdd>> AddsAsync(DuckDbSession session, TableRewriter rewriter, List<string> newer, IReadOnlyList<DuckDbColumn> columns, CancellationToken cancellationToken)
    {
        if (newer.Count > 0)
        {
            session.CreateParquetView(Newer, newer, columns);
            if (await Task.Run(() => Count(session, $"{Incoming} SEMI JOIN {Newer} USING ({Key})", cancellationToken), cancellationToken) > 0)
            {
                return await rewriter.WriteAsync(
                    session, $"SELECT * FROM {Incoming} ANTI JOIN {Newer} USING ({Key})", publish.Output, LakeLayout.AddedTableFolder(publish.Origin.Pipeline, publish.Origin.Window), long.MaxValue,
                    publish.Tags, cancellationToken);
            }
        }
        return publish.Change(null).Adds;
    }

    IReadOnlyList<DeltaFile> Candidates(DuckDbSession session, IReadOnlyList<DeltaFile> files, DeltaSchema schema)
    {
        var nulls = Count(session, $"{Incoming} WHERE {string.Join(" OR ", key.Select(k => $"{SqlText.Identifier(k)} IS NULL"))}", CancellationToken.None);
        if (nulls > 0) throw Refused($"{nulls} rows have no value in the key ({string.Join(", ", key)})", "Filter them out, or give them one.");
        var twice = Count(session, $"(SELECT 1 FROM {Incoming} GROUP BY {Key} HAVING count(*) > 1)", CancellationToken.None);
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
