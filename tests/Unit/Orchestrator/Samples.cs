using LeanPipe.Contracts;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

/// <summary>The pipeline of design and README: compact, shuffle, fan-in.</summary>
static class Samples
{
    public static readonly StreamName Telemetry = new("telemetry");
    public static readonly TableName Sensors = new("sensors");
    public static readonly WindowId Window = WindowId.Parse("2026-01-01T10");
    public static readonly RunId Run = new("telemetry-hourly-2026-01-01T10-r2");
    public static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    static readonly SegmentColumn[] Columns = [new("sensor_id", "VARCHAR", "VARCHAR"), new("timestamp", "VARCHAR", "TIMESTAMP WITH TIME ZONE", "\"timestamp\"::TIMESTAMPTZ")];

    public static readonly WindowManifest Manifest = new()
    {
        Stream = Telemetry,
        Window = Window,
        Revision = 2,
        SealedAt = Noon,
        Reason = "watermark",
        Schema = "1",
        Columns = Columns,
        Segments = [Object("raw/a", 60), Object("raw/b", 60), Object("raw/c", 300), Object("raw/d", 10), Object("raw/e", 90)],
    };

    public static PipelineDefinition Pipeline => new()
    {
        Name = new("telemetry-hourly"),
        TriggerSealed = Telemetry,
        Params = [new("kind", ParamType.String, "Temperature"), new("min", ParamType.Int64, null)],
        Steps =
        [
            Step("compact", new() { ["raw"] = new StreamInput(Telemetry) }, new BytesFanOut(100)),
            Step("by_sensor", new() { ["t"] = new StepInput(new("compact")), ["sensors"] = new TableInput(Sensors) }, new HashFanOut("t", "sensor_id", 4)),
            Step("hourly", new() { ["parts"] = new StepInput(new("by_sensor")), ["units"] = new FileInput("units.csv") }) with { Publish = new(new("temperatures_hourly")) },
        ],
    };

    public static PlanSources Sources(PipelineDefinition? pipeline = null, RunRequest? request = null) => new()
    {
        Run = Run,
        Request = request ?? Request(),
        Pipeline = pipeline ?? Pipeline,
        Now = Noon,
        Windows = new Dictionary<StreamName, PinnedWindow> { [Telemetry] = new("windows/telemetry/2026-01-01T10/000002.json", Manifest) },
        Tables = new Dictionary<TableInput, PinnedTable> { [new(Sensors)] = new(3, [new("sensor_id", "VARCHAR", "VARCHAR")], [Object("tables/sensors/0.parquet", 20)]) },
        Files = new Dictionary<string, ObjectRef> { ["units.csv"] = Object("runs/x/files/units.csv", 5) },
    };

    public static RunRequest Request(params (string, string)[] given) => new(
        new("telemetry-hourly"), Window, Params: (given.Length == 0 ? [("min", "5")] : given).ToDictionary(p => p.Item1, p => p.Item2));

    public static RunPlan Plan(PipelineDefinition? pipeline = null) => RunPlanner.Plan(Sources(pipeline)).Plan.ShouldNotBeNull();

    public static StepDefinition Step(string name, Dictionary<string, InputDefinition> inputs, FanOutDefinition? fanOut = null) =>
        new() { Name = new(name), Inputs = inputs, Sql = $"SELECT * FROM {inputs.Keys.FirstOrDefault() ?? "range(3)"}", FanOut = fanOut ?? new FanInDefinition() };

    public static ObjectRef Object(string key, long bytes) => new(key, bytes, bytes, new('0', 64));

    public static StepManifest Committed(string step, params Chunk[] chunks) => new()
    {
        Run = Run,
        Step = new(step),
        Columns = [new("sensor_id", "VARCHAR")],
        Chunks = chunks,
        Tasks = 1,
        RowsIn = 1,
        RowsOut = 1,
        TaskMs = 1,
        CommittedAt = Noon,
    };
}
