using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Unit.Cli;

/// <summary>A lake with everything that the reading commands print: a ledger, windows, a run that completed, one that failed, one under way, and a table. Nothing in it depends on the clock.</summary>
static class SmallLake
{
    static readonly StreamName Stream = new("telemetry");
    static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static async Task WriteAsync(string folder)
    {
        var store = ObjectStores.Open(new() { Root = folder });
        await WriteWindowsAsync(store);
        await WriteRunsAsync(store);
        await WriteTableAsync(store, folder);
    }

    static async Task WriteWindowsAsync(IObjectStore store)
    {
        var (ten, eleven) = (WindowId.Parse("2026-01-01T10"), WindowId.Parse("2026-01-01T11"));
        await store.PutJsonAsync(LakeLayout.Ledger(Stream, "gateway-0"), new Ledger
        {
            Stream = Stream,
            Gateway = "gateway-0",
            AsOf = Noon,
            Connections = 4,
            BytesReceived = 1_000_000,
            BytesFramed = 990_000,
            BytesRejected = 9_983,
            BytesPartial = 17,
            Frames = 10_100,
            Records = 10_000,
            Rejects = new Dictionary<string, long> { ["bad_json"] = 60, ["wrong_type"] = 40 },
            Windows = new Dictionary<string, long> { [ten.Value] = 7, [eleven.Value] = 9_993 },
            Late = 3,
        }, ContractsJson.Default.Ledger, default);
        var segment = new ObjectRef(LakeLayout.Segment(Stream, ten, "gateway-0-1"), 3, 7, new('0', 64));
        await store.PutAsync(segment.Key, "{}\n"u8.ToArray(), default);
        await store.PutJsonAsync(LakeLayout.WindowManifest(Stream, ten, 1), new WindowManifest
        {
            Stream = Stream,
            Window = ten,
            Revision = 1,
            SealedAt = Noon,
            Reason = "watermark",
            Schema = "1",
            Columns = [],
            Segments = [segment],
        }, ContractsJson.Default.WindowManifest, default);
    }

    static async Task WriteRunsAsync(IObjectStore store)
    {
        var pipeline = new PipelineName("telemetry-hourly");
        var (ten, eleven) = (WindowId.Parse("2026-01-01T10"), WindowId.Parse("2026-01-01T11"));
        var (done, failed, unfinished) = (RunId.For(pipeline, ten, 1), RunId.For(pipeline, eleven, 1), RunId.For(pipeline, eleven, 2));
        await store.PutJsonAsync(LakeLayout.RunRecord(done), new RunRecord
        {
            Run = done,
            Pipeline = pipeline,
            Window = ten,
            Revision = 1,
            Status = RunStatus.Completed,
            StartedAt = Noon,
            EndedAt = Noon.AddSeconds(2.25),
            Steps = [new(new("compact"), 1, 7, 7, 2048, 0.51), new(new("hourly"), 4, 7, 2, 1024, 1.2),
                new(new("warehouse"), 2, 2, 2, 0, 0.3, Load: new(1, 0, 1, 1, new SortedDictionary<string, long> { ["sensors"] = 2 }))],
            Published = [new(new("temperatures_hourly"), 0, 2)],
        }, ContractsJson.Default.RunRecord, default);
        await store.PutJsonAsync(LakeLayout.RunRecord(failed), new RunRecord
        {
            Run = failed,
            Pipeline = pipeline,
            Window = eleven,
            Revision = 1,
            Status = RunStatus.Failed,
            StartedAt = Noon.AddMinutes(1),
            EndedAt = Noon.AddMinutes(1).AddSeconds(1),
            Steps = [],
            Error = new(new("compact"), new(0), "sql.error", "Binder Error: Referenced column \"valu\" not found in FROM clause!"),
        }, ContractsJson.Default.RunRecord, default);
        await store.PutJsonAsync(LakeLayout.RunPlan(unfinished), new RunPlan
        {
            Run = unfinished,
            Request = new(pipeline, eleven),
            Pipeline = pipeline,
            Window = eleven,
            Revision = 2,
            PlannedAt = Noon.AddMinutes(2),
            Params = [],
            Steps = [new() { Name = new("compact"), Sql = "SELECT 1", Needs = [], Inputs = [], Output = new() }],
        }, ContractsJson.Default.RunPlan, default);
        var task = new TaskRecord(done, new("compact"), new(0), 1, Noon, 7, 7, 1024, 2048, 1, 500, 2, 510, 64 << 20, "duckdb v1");
        await store.PutAsync(LakeLayout.TaskRecords(done, new("compact")), JsonSerializer.SerializeToUtf8Bytes(task, ContractsJson.Default.TaskRecord).Append((byte)'\n').ToArray(), default);
        foreach (var (run, window, minutes) in ((RunId, WindowId, int)[])[(done, ten, 0), (failed, eleven, 1), (unfinished, eleven, 2)])
            await RunIndex.AddAsync(store, new(run, pipeline, window, Noon.AddMinutes(minutes)), default);
    }

    static async Task WriteTableAsync(IObjectStore store, string folder)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(folder, "scratch")).FullName;
        using var session = DuckDbSession.Open(new() { ScratchDirectory = scratch });
        session.Execute($"""
            COPY (SELECT * FROM (VALUES (1::BIGINT, 'sensor-01', TIMESTAMPTZ '2026-01-01 10:00:00Z', 20.25, NULL), (2, 'sensor-02', TIMESTAMPTZ '2026-01-01 10:00:00Z', 21.5, ['a', 'b']))
                  t(sensor_id, sensor, start_time, avg_value, tags)) TO '{scratch}/rows.parquet' (FORMAT parquet)
            """);
        var key = LakeLayout.Table(new("temperatures_hourly")) + "part-0.parquet";
        await store.PutFileAsync(key, Path.Combine(scratch, "rows.parquet"), default);
        await store.PutJsonAsync(LakeLayout.CatalogJson, new Catalog
        {
            Tables = [new(
                new("temperatures_hourly"), 0, 2, 100,
                [new("sensor_id", "BIGINT"), new("sensor", "VARCHAR"), new("start_time", "TIMESTAMP WITH TIME ZONE"), new("avg_value", "DECIMAL(4,2)"), new("tags", "VARCHAR[]")], [new(key, 100, 2, new('0', 64))], Noon)],
        }, ContractsJson.Default.Catalog, default);
    }
}
