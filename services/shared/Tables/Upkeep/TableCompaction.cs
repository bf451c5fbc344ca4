using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>Which small files are worth being made one.</summary>
public sealed record CompactionOptions
{
    /// <summary>New files are cut near this size; files of half of it and more are left alone.</summary>
    public long TargetBytes { get; init; } = 128L << 20;

    /// <summary>Fewer small files than this in one place are left alone.</summary>
    public int MinFiles { get; init; } = 4;

    /// <summary>Added and merged files of several windows become one only when they are this old: a run over older data that comes later could no longer tell their rows' ages apart.</summary>
    public TimeSpan SettledAfter { get; init; } = TimeSpan.FromDays(7);

    /// <summary>With files no larger than can be made with the room that there is.</summary>
    public CompactionOptions Within(TableWork work) => this with { TargetBytes = Math.Min(TargetBytes, work.MostBytesPerFile) };
}

/// <param name="Version">The version that holds the new files; null when there was nothing to do.</param>
public sealed record Compaction(long? Version, int FilesBefore, int FilesAfter, long Rows);

/// <summary>Rewrites a table's small files into larger ones. The table's rows are the same before and after, and so the commit says (<c>dataChange: false</c>).</summary>
/// <remarks>
/// Files of one window of one pipeline stay together, for a later publish replaces exactly them. The order: new files, their rows counted against the old ones', one commit. A crash before
/// the commit leaves files that nothing names. Each batch of files has its turn among the rewrites of this process (<see cref="TableTurns"/>). Who commits meanwhile is not disturbed: when a file that was rewritten is no longer live, the rewrite of its group is dropped.
/// </remarks>
public static class TableCompaction
{
    const int MaxRaces = 100;

    sealed record Group(IReadOnlyList<DeltaFile> Olds, IReadOnlyList<TableAdd> News);

    /// <summary>The groups of files that a compaction would rewrite: what a dry run shows.</summary>
    public static IReadOnlyList<IReadOnlyList<DeltaFile>> Plan(DeltaTable table, CompactionOptions options, DateTimeOffset now)
    {
        var batches = new List<IReadOnlyList<DeltaFile>>();
        foreach (var place in table.Files.Where(f => f.Bytes < options.TargetBytes / 2 && (!IsAdded(f) || now - f.ModifiedAt >= options.SettledAfter)).GroupBy(Place).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var batch = new List<DeltaFile>();
            foreach (var file in place.OrderBy(f => f.Rank, StringComparer.Ordinal).ThenBy(f => f.Path, StringComparer.Ordinal))
            {
                batch.Add(file);
                if (batch.Sum(f => f.Bytes) < options.TargetBytes) continue;
                batches.Add(batch);
                batch = [];
            }
            batches.Add(batch);
        }
        return [.. batches.Where(b => b.Count >= Math.Max(2, options.MinFiles))];
    }

    /// <param name="options">The room in <paramref name="work"/> bounds the size of files too.</param>
    /// <exception cref="LakeException"><c>lake.unsupported_table</c>, <c>lake.rows_differ</c>, <c>lake.no_room</c> (nothing was committed), or the store failed.</exception>
    public static async Task<Compaction> RunAsync(
        IObjectStore store, TableName name, CompactionOptions options, TableWork work, TimeProvider time, CancellationToken cancellationToken)
    {
        options = options.Within(work);
        var current = await DeltaTable.OpenAsync(store, name, cancellationToken);
        if (current is null || Plan(current, options, time.GetUtcNow()) is not { Count: > 0 } plan) return new(null, 0, 0, 0);
        TableCommits.RequireWritable(current, removes: false);
        var groups = new List<Group>();
        foreach (var files in plan)
        {
            using var turn = await TableTurns.Rewrites.TakeAsync(cancellationToken);
            groups.Add(await TableRewriter.WithinAsync(name, work, () => RewriteAsync(store, current, files, options, work, cancellationToken)));
        }
        for (var races = 0; races < MaxRaces; races++)
        {
            groups.RemoveAll(g => !g.Olds.All(f => current.State.Files.ContainsKey(f.Path)));
            if (groups.Count == 0) return new(null, 0, 0, 0);
            var (olds, news) = (groups.SelectMany(g => g.Olds).ToList(), groups.SelectMany(g => g.News).ToList());
            var actions = Commit(current, olds, news, time.GetUtcNow());
            if (await store.PutIfAbsentAsync(LakeLayout.TableCommit(name, current.Version + 1), DeltaLog.Format(actions), cancellationToken))
            {
                await Checkpoint.WriteIfDueAsync(store, current.After(actions), time.GetUtcNow(), cancellationToken);
                await TableCatalog.RefreshAsync(store, cancellationToken, name);
                return new(current.Version + 1, olds.Count, news.Count, news.Sum(f => f.Object.Rows));
            }
            current = await current.RefreshAsync(store, cancellationToken);
            TableCommits.RequireWritable(current, removes: false);
        }
        return new(null, 0, 0, 0);
    }

    /// <summary>What a rewritten file says of its rows: their window while it is one, and the highest rank.</summary>
    internal static IReadOnlyDictionary<string, string> Tags(IReadOnlyList<DeltaFile> files)
    {
        var tags = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (files.Select(f => f.Window).Distinct().ToList() is [{ } window]) tags[DeltaAdd.WindowTag] = window;
        if (files.Select(f => f.Rank).Max(StringComparer.Ordinal) is { } rank) tags[DeltaAdd.RankTag] = rank;
        return tags;
    }

    static async Task<Group> RewriteAsync(
        IObjectStore store, DeltaTable table, IReadOnlyList<DeltaFile> files, CompactionOptions options, TableWork work, CancellationToken cancellationToken)
    {
        using var scratch = TableScratch.Create(work);
        var rewriter = new TableRewriter(store, table.Name, scratch);
        var local = await rewriter.FetchAsync(files.Select(f => f.Key), cancellationToken);
        using var session = scratch.OpenSession(local, TableScratch.FetchedBytes(store, files.Select(f => (f.Key, f.Bytes))) + files.Sum(f => f.Bytes));
        session.CreateParquetView("files", local, [.. table.Columns.Select(c => new DuckDbColumn(c.Name, c.Type))]);
        var news = await rewriter.WriteAsync(session, "SELECT * FROM files", table.State.Schema, Place(files[0]), options.TargetBytes, Tags(files), cancellationToken);
        TableRewriter.RequireRows(table.Name, files, news.Sum(f => f.Object.Rows));
        return new(files, news);
    }

    static bool IsAdded(DeltaFile file) => file.Path.StartsWith("added/", StringComparison.Ordinal);

    /// <summary>Files in one place may become one: those of a window of a pipeline; those that a pipeline added for whatever window.</summary>
    static string Place(DeltaFile file) => IsAdded(file) && file.Path.Split('/') is [_, var pipeline, _, ..] ? $"added/{pipeline}/" : file.Path[..(file.Path.LastIndexOf('/') + 1)];

    static List<DeltaAction> Commit(DeltaTable current, List<DeltaFile> olds, List<TableAdd> news, DateTimeOffset now)
    {
        var milliseconds = TableCommits.Timestamp(current, now);
        var info = new DeltaCommitInfo(
            milliseconds, "OPTIMIZE", new SortedDictionary<string, string>(StringComparer.Ordinal) { ["files_added"] = news.Count.ToString(), ["files_removed"] = olds.Count.ToString() }, false,
            TableCommits.Engine);
        return
        [
            new() { CommitInfo = JsonSerializer.SerializeToElement(info, DeltaJson.Log.DeltaCommitInfo) },
            .. olds.Select(f => TableCommits.Remove(f, milliseconds, dataChange: false)),
            .. news.Select(f => TableCommits.Add(f, milliseconds, dataChange: false)),
        ];
    }
}
