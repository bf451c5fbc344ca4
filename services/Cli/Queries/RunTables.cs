using System.Collections.Concurrent;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Queries;

/// <summary>A run that has ended, as a row of <c>leanpipe_runs</c>.</summary>
sealed record RunRow(string Run, string Pipeline, string Window, int Revision, RunStatus Status, DateTimeOffset StartedAt, DateTimeOffset EndedAt, string? Step, string? Code, string? Message);

/// <summary>A committed step, as a row of <c>leanpipe_steps</c>.</summary>
sealed record StepRow(string Run, string Step, int Tasks, int? Reused, long RowsIn, long RowsOut, long BytesOut, double Seconds, long? Inserted, long? Updated, long? Unchanged);

/// <summary>What runs did, as tables beside the published ones: made from the records in the lake, long after the sidecar has forgotten the runs. Only those that the SQL mentions.</summary>
static class RunTables
{
    public const string Runs = "leanpipe_runs";
    public const string Steps = "leanpipe_steps";
    public const string Tasks = "leanpipe_tasks";

    /// <summary>The newest; older ones are in the lake all the same.</summary>
    const int MostRuns = 10_000;

    const int ReadsAtOnce = 32;
    const string Instant = "TIMESTAMP WITH TIME ZONE";

    static readonly DuckDbColumn[] RunColumns = Columns(
        "run VARCHAR", "pipeline VARCHAR", "window VARCHAR", "revision BIGINT", "status VARCHAR", $"started_at {Instant}", $"ended_at {Instant}", "step VARCHAR", "code VARCHAR", "message VARCHAR");

    static readonly DuckDbColumn[] StepColumns = Columns(
        "run VARCHAR", "step VARCHAR", "tasks BIGINT", "reused BIGINT", "rows_in BIGINT", "rows_out BIGINT", "bytes_out BIGINT", "seconds DOUBLE", "inserted BIGINT",
        "updated BIGINT", "unchanged BIGINT");

    static readonly DuckDbColumn[] TaskColumns = Columns(
        "run VARCHAR", "step VARCHAR", "task VARCHAR", "attempt BIGINT", $"started_at {Instant}", "rows_in BIGINT", "rows_out BIGINT", "bytes_in BIGINT", "bytes_out BIGINT", "fetch_ms BIGINT", "sql_ms BIGINT",
        "upload_ms BIGINT", "total_ms BIGINT", "peak_memory_bytes BIGINT", "engine VARCHAR");

    /// <param name="scratch">A folder that the session may read.</param>
    public static async Task AddAsync(IObjectStore store, string sql, string scratch, DuckDbSession session, CancellationToken stop)
    {
        var wanted = ((string[])[Runs, Steps, Tasks]).Where(t => sql.Contains(t, StringComparison.OrdinalIgnoreCase)).ToHashSet();
        if (wanted.Count == 0) return;
        var records = await RecordsAsync(store, stop);
        if (wanted.Contains(Runs)) View(session, scratch, Runs, RunColumns, records.Select(r => JsonSerializer.SerializeToUtf8Bytes(Row(r), CliJson.Lines.RunRow)));
        if (wanted.Contains(Steps))
            View(session, scratch, Steps, StepColumns, records.SelectMany(r => r.Steps.Select(s => JsonSerializer.SerializeToUtf8Bytes(Row(r, s), CliJson.Lines.StepRow))));
        if (wanted.Contains(Tasks)) View(session, scratch, Tasks, TaskColumns, await TasksAsync(store, records, stop));
    }

    static async Task<IReadOnlyList<RunRecord>> RecordsAsync(IObjectStore store, CancellationToken stop)
    {
        var runs = new List<RunId>();
        await foreach (var (run, _) in RunIndex.ListAsync(store, stop))
        {
            if (runs.Count == MostRuns) break;
            runs.Add(run);
        }
        var records = new RunRecord?[runs.Count];
        await Parallel.ForAsync(0, runs.Count, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = stop }, async (n, token) =>
            records[n] = await store.GetJsonAsync(LakeLayout.RunRecord(runs[n]), ContractsJson.Default.RunRecord, token));
        return [.. records.OfType<RunRecord>()];
    }

    static async Task<IEnumerable<byte[]>> TasksAsync(IObjectStore store, IReadOnlyList<RunRecord> records, CancellationToken stop)
    {
        var lines = new ConcurrentBag<byte[]>();
        await Parallel.ForEachAsync(
            records.SelectMany(r => r.Steps.Select(s => LakeLayout.TaskRecords(r.Run, s.Step))), new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = stop },
            async (key, token) =>
            {
                if (await store.GetAsync(key, token) is { Length: > 0 } found) lines.Add(found[..^1].ToArray());
            });
        return lines;
    }

    static void View(DuckDbSession session, string scratch, string name, DuckDbColumn[] columns, IEnumerable<byte[]> lines)
    {
        var path = Path.Combine(scratch, $"{name}.ndjson");
        using (var file = File.Create(path))
        {
            foreach (var line in lines)
            {
                file.Write(line);
                file.WriteByte((byte)'\n');
            }
        }
        if (new FileInfo(path).Length > 0) session.CreateNdjsonView(name, [path], columns);
        else session.CreateEmptyView(name, columns);
    }

    static RunRow Row(RunRecord r) => new(
        r.Run.Value, r.Pipeline.Value, r.Window.Value, r.Revision, r.Status, r.StartedAt, r.EndedAt, r.Error?.Step?.Value, r.Error?.Code, r.Error?.Message);

    static StepRow Row(RunRecord r, StepRecord s) => new(r.Run.Value, s.Step.Value, s.Tasks, s.Reused, s.RowsIn, s.RowsOut, s.BytesOut, s.Seconds, s.Load?.Inserted, s.Load?.Updated, s.Load?.Unchanged);

    static DuckDbColumn[] Columns(params string[] columns) => [.. columns.Select(c => new DuckDbColumn(c[..c.IndexOf(' ', StringComparison.Ordinal)], c[(c.IndexOf(' ', StringComparison.Ordinal) + 1)..]))];
}
