namespace LeanPipe.Contracts;

/// <summary>A pipeline document with its SQL files read in: a DAG of SQL steps.</summary>
public sealed record PipelineDefinition
{
    public required PipelineName Name { get; init; }

    /// <summary>A run starts for every sealed revision of a window of this stream. At most one of the triggers is set; without any it is only started by hand.</summary>
    public StreamName? TriggerSealed { get; init; }

    /// <summary>A run starts whenever a run of another pipeline has published to this table, over the same window.</summary>
    public TableName? TriggerPublished { get; init; }

    public ScheduleTrigger? TriggerSchedule { get; init; }

    public IReadOnlyList<ParamDefinition> Params { get; init; } = [];

    /// <summary>A run that takes longer is ended as failed; null: it may take as long as it takes.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>So many runs of this pipeline at a time; further ones wait in their order. Null: as many as the orchestrator runs at all.</summary>
    public int? MaxRuns { get; init; }

    /// <summary>In an order in which every step stands after the steps it reads.</summary>
    public required IReadOnlyList<StepDefinition> Steps { get; init; }

    /// <summary>The stream whose revision is a run's revision: the one that triggers the pipeline, or the first one that it reads, a step's inputs in the order of their names.</summary>
    public StreamName? LeadingStream => TriggerSealed ??
        Steps.SelectMany(s => s.Inputs.OrderBy(i => i.Key, StringComparer.Ordinal)).Select(i => i.Value).OfType<StreamInput>().FirstOrDefault()?.Stream;
}

/// <summary>A run starts by the clock, over the window of that size that ended last.</summary>
/// <param name="Cron">Five fields: minute, hour, day of month, month, day of week.</param>
/// <param name="TimeZone">An IANA name.</param>
public sealed record ScheduleTrigger(string Cron, string TimeZone, WindowSize Window);

/// <summary>A value that SQL reads as <c>getvariable('name')</c>; it never becomes SQL text.</summary>
/// <param name="Default">Null when the run must give it.</param>
public sealed record ParamDefinition(string Name, ParamType Type, string? Default);

public enum ParamType
{
    String,
    Int64,
    Float64,
    Bool,
    Timestamp,
}

public sealed record StepDefinition
{
    public required StepName Name { get; init; }

    /// <summary>Input by the name of the view that the step's SQL reads.</summary>
    public required IReadOnlyDictionary<string, InputDefinition> Inputs { get; init; }

    public FanOutDefinition FanOut { get; init; } = new FanInDefinition();

    /// <summary>One SELECT over the inputs.</summary>
    public required string Sql { get; init; }

    public OutputDefinition Output { get; init; } = new();
    public IReadOnlyList<CheckDefinition> Checks { get; init; } = [];
    public PublishDefinition? Publish { get; init; }

    /// <summary>The rows go into a database; null keeps them as chunks.</summary>
    public LoadDefinition? Load { get; init; }

    /// <summary>For each attempt of each task; null is the orchestrator's limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>So many further attempts of a task that crashed or failed for a passing reason; null is the orchestrator's number.</summary>
    public int? Retries { get; init; }

    /// <summary>Declares that the SQL keeps one row for each value of these columns: its missing rows are duplicates. Empty: it declares nothing.</summary>
    public IReadOnlyList<string> Dedupe { get; init; } = [];

    /// <summary>Whether a task may take the result of an equal one that ran before.</summary>
    public bool Cache { get; init; } = true;
}

public abstract record InputDefinition;

/// <summary>The segments of the run's window of a stream.</summary>
/// <param name="Last">And of every sealed window before it that begins less than this before it; null: the one window.</param>
public sealed record StreamInput(StreamName Stream, TimeSpan? Last = null) : InputDefinition;

/// <summary>The chunks of another step of the same run.</summary>
public sealed record StepInput(StepName Step) : InputDefinition;

/// <summary>A published table at the version that is newest when the run is planned, unless a version or an instant is given.</summary>
public sealed record TableInput(TableName Table, long? Version = null, DateTimeOffset? AsOf = null) : InputDefinition;

/// <summary>Objects of the lake below <c>imports/</c>, where people and other programs put files.</summary>
/// <param name="Pattern"><c>*</c> and <c>?</c> within a folder's name, <c>**</c> over folders.</param>
public sealed record LakeFilesInput(string Pattern) : InputDefinition;

/// <summary>A file that stands beside the pipeline document: CSV, NDJSON or Parquet, by its ending. Pinned into the lake when the run is planned.</summary>
public sealed record FileInput(string Path) : InputDefinition;

public abstract record FanOutDefinition;

/// <summary>One task reads everything.</summary>
public sealed record FanInDefinition : FanOutDefinition;

/// <summary>The driving input is split into tasks of about so many bytes, whole objects each. Other inputs go to every task.</summary>
/// <param name="Input">The input that drives; null when the step has only one that can: its one stream or step, or, without any of these, its one input.</param>
public sealed record BytesFanOut(long BytesPerTask, string? Input = null) : FanOutDefinition;

/// <summary>As <see cref="BytesFanOut"/>, by rows.</summary>
public sealed record RowsFanOut(long RowsPerTask, string? Input = null) : FanOutDefinition;

/// <summary>As <see cref="BytesFanOut"/>, by the number of objects.</summary>
public sealed record FilesFanOut(int FilesPerTask, string? Input = null) : FanOutDefinition;

/// <summary>A task per window of the driving input, a stream.</summary>
public sealed record WindowFanOut(string? Input = null) : FanOutDefinition;

/// <summary>Task n reads bucket n of the named input, whose step writes its rows in buckets of a hash of the column. Inputs that are not named go to every task.</summary>
/// <param name="MoreColumns">Of the same input: rows meet when all of the columns are equal.</param>
/// <param name="Others">Further inputs that are read by buckets, in as many columns: the other sides of a join.</param>
public sealed record HashFanOut(string Input, string Column, int Buckets, IReadOnlyList<string>? MoreColumns = null, IReadOnlyList<HashSide>? Others = null) : FanOutDefinition
{
    public const long DefaultSplitAbove = 64L * 1024 * 1024;

    /// <summary>One SELECT over the view <c>parts</c>, the rows that the step's SQL yields for shares of one bucket: it makes of them what the step's SQL would have made of the whole bucket.</summary>
    public string? Merge { get; init; }

    /// <summary>With <see cref="Merge"/>, a bucket is shared out when it is larger than this, and than twice the mean of the buckets.</summary>
    public long SplitAbove { get; init; } = DefaultSplitAbove;

    public IEnumerable<HashSide> Sides => [new(Input, [Column, .. MoreColumns ?? []]), .. Others ?? []];
}

public sealed record HashSide(string Input, IReadOnlyList<string> Columns);

public sealed record OutputDefinition
{
    /// <summary>A chunk (one Parquet object) is cut near this size.</summary>
    public long ChunkBytes { get; init; } = 128L * 1024 * 1024;

    public IReadOnlyList<string> OrderBy { get; init; } = [];

    /// <summary>No chunk holds rows with different values in these columns.</summary>
    public IReadOnlyList<string> PartitionBy { get; init; } = [];

    /// <summary>Rows go into buckets of a hash of these columns, whoever reads them.</summary>
    public HashBuckets? HashBy { get; init; }

    /// <summary>Null is DuckDB's default, 122,880 rows.</summary>
    public int? RowGroupRows { get; init; }

    /// <summary>Null is zstd.</summary>
    public ChunkCompression? Compression { get; init; }
}

public enum ChunkCompression
{
    Zstd,
    Snappy,
    Gzip,
    Lz4,
    None,
}

/// <param name="Sql">One SELECT over the view <c>output</c> and the step's inputs: of one value, or of the rows that should not be there.</param>
/// <param name="Expect">The value; 0 when <paramref name="Rows"/>.</param>
/// <param name="Severity">Null is <see cref="CheckSeverity.Fail"/>.</param>
/// <param name="Rows">The SQL yields offending rows, of which there must be none.</param>
public sealed record CheckDefinition(string Name, string Sql, long Expect, CheckSeverity? Severity = null, bool? Rows = null);

public enum CheckSeverity
{
    /// <summary>The task fails: nothing downstream runs, nothing is published.</summary>
    Fail,

    /// <summary>The run goes on, and its record says what was found.</summary>
    Warn,
}

/// <param name="Key">Of <see cref="PublishMode.Merge"/>: the columns that tell a row from the others; null for the other modes.</param>
public sealed record PublishDefinition(TableName Table, PublishMode Mode = PublishMode.ReplaceWindow, IReadOnlyList<string>? Key = null);

public enum PublishMode
{
    /// <summary>The step's rows take the place of the rows that the same pipeline published for the same window.</summary>
    ReplaceWindow,

    /// <summary>The step's rows are the whole table.</summary>
    ReplaceTable,

    /// <summary>The run's rows are added, once per run; whatever other runs added stays.</summary>
    Append,

    /// <summary>A row takes the place of the row with the same key, unless that one was made from newer data; rows with new keys are added.</summary>
    Merge,
}
