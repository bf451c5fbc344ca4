using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Unit.Lake;

/// <summary>One fixed value of every document of the lake, with every member set somewhere.</summary>
static class GoldenSamples
{
    static readonly DateTimeOffset At = new(2026, 1, 1, 11, 5, 0, 123, TimeSpan.Zero);
    static readonly WindowId Window = WindowId.Parse("2026-01-01T10");
    static readonly PipelineName Pipeline = new("telemetry-hourly");
    static readonly StreamName Stream = new("telemetry");
    static readonly StepName Compact = new("compact"), BySensor = new("by_sensor");
    static readonly RunId Run = RunId.For(Pipeline, Window, 1);
    static readonly string Sha = new('a', 64);

    static readonly SegmentColumn[] SegmentColumns =
        [new("sensor_id", "VARCHAR", "VARCHAR"), new("at", "VARCHAR", "TIMESTAMP WITH TIME ZONE", "CAST(\"at\" AS TIMESTAMPTZ)")];

    static readonly OutputColumn[] Columns = [new("sensor_id", "VARCHAR"), new("avg_value", "DOUBLE"), new("start_time", "TIMESTAMP WITH TIME ZONE")];

    static readonly Chunk Chunk = new(
        new($"{LakeLayout.Attempt(Run, BySensor, new(3), 1)}part-00000.parquet", 4096, 50, Sha), 3,
        new SortedDictionary<string, ColumnStats>(StringComparer.Ordinal) { ["avg_value"] = new("-1.5", "22.25", 1), ["sensor_id"] = new(null, null, 50) });

    static readonly ParamValue[] Params = [new("kind", ParamType.String, "Temperature"), new("at", ParamType.Timestamp, "2026-01-01T00:00:00Z")];

    static readonly CheckDefinition[] Checks = [new("no_nulls", "SELECT count(*) FROM output WHERE avg_value IS NULL", 0)];

    static readonly TaskOutput Output = new() { ChunkBytes = 1_048_576, OrderBy = ["sensor_id"], Hash = new("sensor_id", 16) };

    static readonly ObjectRef Segment = new(LakeLayout.Segment(Stream, Window, "gw0-000000000000-000000004096"), 2048, 100, Sha);

    public static readonly IReadOnlyDictionary<string, Func<byte[], byte[]>> ReadAndWrite = new Dictionary<string, Func<byte[], byte[]>>
    {
        ["window-manifest"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.WindowManifest)!, ContractsJson.Default.WindowManifest),
        ["ledger"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.Ledger)!, ContractsJson.Default.Ledger),
        ["replay-record"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.ReplayRecord)!, ContractsJson.Default.ReplayRecord),
        ["window-replay"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.WindowReplay)!, ContractsJson.Default.WindowReplay),
        ["run-plan"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.RunPlan)!, ContractsJson.Default.RunPlan),
        ["task-spec"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.TaskSpec)!, ContractsJson.Default.TaskSpec),
        ["task-outcome"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.TaskOutcome)!, ContractsJson.Default.TaskOutcome),
        ["task-commit"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.TaskCommit)!, ContractsJson.Default.TaskCommit),
        ["step-manifest"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.StepManifest)!, ContractsJson.Default.StepManifest),
        ["run-record"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.RunRecord)!, ContractsJson.Default.RunRecord),
        ["catalog"] = b => Bytes(JsonSerializer.Deserialize(b, ContractsJson.Default.Catalog)!, ContractsJson.Default.Catalog),
        ["delta-commit"] = b => DeltaLog.Format(DeltaLog.Parse(new("temperatures_hourly"), 0, b)).ToArray(),
    };

    public static byte[] Write(string name) => name switch
    {
        "replay-record" => Bytes(
            new()
            {
                Stream = Stream,
                Source = LakeLayout.Rejected(Stream, Window, "gw0-000000000000-000000008192"),
                Schema = "telemetry/v2",
                Columns = SegmentColumns,
                At = At,
                Lines = [0, 3],
                Codes = new SortedDictionary<string, long>(StringComparer.Ordinal) { ["unknown_field"] = 2 },
                Segments = [new(Window, Segment)],
            },
            ContractsJson.Default.ReplayRecord),
        "window-replay" => Bytes(
            new()
            {
                Stream = Stream,
                Window = Window,
                Schema = "telemetry/v2",
                Columns = SegmentColumns,
                At = At,
                Sources = [Segment],
                Frames = ["gateway-0-00000000deadbeef"],
                Replaces = [Segment.Key],
                Segments = [new("frames/telemetry/date=2026-01-01/hour=10/gateway-0-00000000deadbeef-00000000000000000032.frames", Segment with { Key = "raw/telemetry/date=2026-01-01/hour=10/gateway-0-00000000deadbeef-00000000000000000032-replay-0123456789abcdef.ndjson" })],
                Rejected = new SortedDictionary<string, long> { ["out_of_range"] = 2 },
            },
            ContractsJson.Default.WindowReplay),
        "window-manifest" => Bytes(
            new()
            {
                Stream = Stream,
                Window = Window,
                Revision = 2,
                SealedAt = At,
                Reason = "late",
                Schema = "telemetry",
                Columns = SegmentColumns,
                Segments = [Segment],
            }, ContractsJson.Default.WindowManifest),
        "ledger" => Bytes(
            new()
            {
                Stream = Stream,
                Gateway = "gw0",
                AsOf = At,
                Connections = 4,
                BytesReceived = 1_000,
                BytesFramed = 900,
                BytesRejected = 90,
                BytesPartial = 10,
                Frames = 10,
                Records = 9,
                Rejects = new SortedDictionary<string, long>(StringComparer.Ordinal) { ["json.truncated"] = 1 },
                Windows = new SortedDictionary<string, long>(StringComparer.Ordinal) { [Window.Value] = 9 },
                Late = 1,
            }, ContractsJson.Default.Ledger),
        "run-plan" => Bytes(
            new()
            {
                Run = Run,
                Request = new(Pipeline, Window, 1, new SortedDictionary<string, string>(StringComparer.Ordinal) { ["kind"] = "Temperature" }),
                Pipeline = Pipeline,
                Window = Window,
                Revision = 1,
                PlannedAt = At,
                Params = Params,
                Steps =
                [
                    new()
                    {
                        Name = Compact, Sql = "SELECT * FROM raw", Needs = [], BytesPerTask = 268_435_456, BytesOf = "raw", Output = Output, Inputs =
                        [
                            new() { Name = "raw", Format = InputFormat.Ndjson, Columns = SegmentColumns, Objects = [Segment], Source = LakeLayout.WindowManifest(Stream, Window, 1) },
                        ],
                    },
                    new()
                    {
                        Name = BySensor, Sql = "SELECT sensor_id, avg(value) AS avg_value FROM t GROUP BY ALL", Needs = [Compact], BucketsOf = "t", Output = new(), Checks = Checks,
                        Inputs = [new() { Name = "t", Step = Compact, Source = "step compact" }], Publish = new(new("temperatures_hourly"), PublishMode.ReplaceWindow),
                    },
                ],
            }, ContractsJson.Default.RunPlan),
        "task-spec" => Bytes(
            new()
            {
                Run = Run,
                Pipeline = Pipeline,
                Window = Window,
                Step = Compact,
                Task = new(7),
                Inputs = [new("raw", InputFormat.Ndjson, SegmentColumns, [Segment])],
                Sql = "SELECT * FROM raw",
                Params = Params,
                Output = Output,
                Checks = Checks,
                Limits = new() { Timeout = TimeSpan.FromMinutes(10) },
            }, ContractsJson.Default.TaskSpec),
        "task-outcome" => Bytes(
            new()
            {
                Run = Run,
                Step = BySensor,
                Task = new(3),
                Attempt = 1,
                Error = new("check.failed", "Check 'no_nulls' of step 'by_sensor' expected 0 and found 2.", false),
                RowsIn = 100,
                BytesIn = 2048,
                RowsOut = 50,
                BytesOut = 4096,
                Columns = Columns,
                Chunks = [Chunk],
                Checks = [new("no_nulls", 0, 2, false), new("not_run", 0, null, false)],
                Timings = new(1, 20, 3, 24),
                PeakMemoryBytes = 104_857_600,
                Engine = "DuckDB v1.5.6",
                StartedAt = At,
            }, ContractsJson.Default.TaskOutcome),
        "task-commit" => Bytes(new(1, LakeLayout.Outcome(Run, BySensor, new(3), 1)), ContractsJson.Default.TaskCommit),
        "step-manifest" => Bytes(
            new() { Run = Run, Step = BySensor, Columns = Columns, Chunks = [Chunk], Tasks = 16, RowsIn = 100, RowsOut = 50, TaskMs = 384, CommittedAt = At },
            ContractsJson.Default.StepManifest),
        "run-record" => Bytes(
            new()
            {
                Run = Run,
                Pipeline = Pipeline,
                Window = Window,
                Revision = 1,
                Status = RunStatus.Failed,
                StartedAt = At,
                EndedAt = At.AddSeconds(12),
                Steps = [new(Compact, 1, 100, 100, 8192, 1.5)],
                Published = [new(new("temperatures_hourly"), 4, 50)],
                Error = new(null, null, "plan.failed", "Table 'sensors' does not exist."),
            }, ContractsJson.Default.RunRecord),
        "catalog" => Bytes(
            new() { Tables = [new(new("temperatures_hourly"), 4, 50, 4096, Columns, [Chunk.Object], At)] }, ContractsJson.Default.Catalog),
        "delta-commit" => DeltaLog.Format(Commit()).ToArray(),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    static readonly TablePublish GoldenPublish =
        new(new("temperatures_hourly"), PublishMode.ReplaceWindow, new(Pipeline, Window, 1, Run, At, ReadsWindow: true), DeltaSchema.Of(Columns), [Chunk]);

    // Version 0 of a table is the richest commit; its id is random otherwise.
    static IReadOnlyList<DeltaAction> Commit() =>
    [
        .. GoldenPublish.Commit(null, GoldenPublish.Change(null), At)
            .Select(a => a.MetaData is { } m ? new DeltaAction { MetaData = m with { Id = "0199a0c0-0000-7000-8000-000000000001" } } : a),
        new() { Remove = new("window=2026-01-01T10/telemetry-hourly/old.parquet", At.ToUnixTimeMilliseconds(), true, true, new Dictionary<string, string?>(), 4000) },
    ];

    static byte[] Bytes<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);
}
