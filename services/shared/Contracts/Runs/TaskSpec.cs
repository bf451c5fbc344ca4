namespace LeanPipe.Contracts;

/// <summary>Everything a step runner needs for one task. Written by the orchestrator before the task's first attempt, never changed.</summary>
public sealed record TaskSpec
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required RunId Run { get; init; }
    public required PipelineName Pipeline { get; init; }
    public required WindowId Window { get; init; }
    public required StepName Step { get; init; }
    public required TaskId Task { get; init; }
    public required IReadOnlyList<TaskInput> Inputs { get; init; }
    public required string Sql { get; init; }
    public IReadOnlyList<ParamValue> Params { get; init => field = value ?? []; } = [];
    public required TaskOutput Output { get; init; }

    /// <summary>The rows go into a database instead of into chunks; null keeps the chunks.</summary>
    public LoadDefinition? Load { get; init; }

    public IReadOnlyList<CheckDefinition> Checks { get; init => field = value ?? []; } = [];

    /// <summary>The input of which an attempt may read a slice at a time, for the step's rows are what its tasks yield together, however the input is shared out; null: none.</summary>
    public string? Split { get; init; }

    /// <summary>For the orchestrator; null is its own number.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>For the orchestrator: false never takes the result of an equal task; null is true.</summary>
    public bool? Cache { get; init; }
    public required TaskLimits Limits { get; init; }
}

/// <param name="Name">The view that the SQL reads.</param>
/// <param name="Columns">NDJSON: how to read it. Parquet: its columns, so that an input without objects is still an empty view.</param>
public sealed record TaskInput(string Name, InputFormat Format, IReadOnlyList<SegmentColumn> Columns, IReadOnlyList<ObjectRef> Objects);

public sealed record TaskOutput
{
    const long DefaultChunkBytes = 128L * 1024 * 1024;

    /// <summary>A chunk is cut near this size.</summary>
    public long ChunkBytes { get; init => field = value == 0 ? DefaultChunkBytes : value; } = DefaultChunkBytes;

    public IReadOnlyList<string> OrderBy { get; init => field = value ?? []; } = [];

    /// <summary>Rows go to bucket <c>hash(column) % Buckets</c>, one set of chunks per bucket; null writes unbucketed chunks.</summary>
    public HashBuckets? Hash { get; init; }

    /// <summary>No chunk holds rows with different values in these columns; null: it may.</summary>
    public IReadOnlyList<string>? PartitionBy { get; init; }

    /// <summary>Null is DuckDB's default.</summary>
    public int? RowGroupRows { get; init; }

    /// <summary>Null is zstd.</summary>
    public ChunkCompression? Compression { get; init; }
}

/// <param name="More">Further columns that are hashed together with the first; null: there are none.</param>
public sealed record HashBuckets(string Column, int Buckets, IReadOnlyList<string>? More = null)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public IReadOnlyList<string> Columns => [Column, .. More ?? []];
}

/// <summary>What worked for a step that ran out of memory: its tasks begin with it from then on.</summary>
/// <param name="InputBytes">A task of it reads no more of the input that is shared out; null: as much as the document says.</param>
public sealed record StepLimits(long MemoryBytes, DateTimeOffset At, long? InputBytes = null);

/// <summary>The columns of a step's rows, from the last time that tasks of it ran: what it yields when there is nothing to read.</summary>
/// <param name="Of">SHA-256 over what the columns depend on.</param>
public sealed record StepShape(string Of, IReadOnlyList<OutputColumn> Columns);

/// <summary>What one task may use. Zero is no limit that a task could run under, so it stands for the default.</summary>
public sealed record TaskLimits
{
    const int DefaultThreads = 2;
    const long DefaultMemoryBytes = 1L * 1024 * 1024 * 1024;
    const long DefaultScratchBytes = 10L * 1024 * 1024 * 1024;
    static readonly TimeSpan DefaultTimeout = TimeSpan.FromHours(1);

    public int Threads { get; init => field = value == 0 ? DefaultThreads : value; } = DefaultThreads;
    public long MemoryBytes { get; init => field = value == 0 ? DefaultMemoryBytes : value; } = DefaultMemoryBytes;

    /// <summary>Downloaded inputs, DuckDB's spill files and finished chunks together.</summary>
    public long ScratchBytes { get; init => field = value == 0 ? DefaultScratchBytes : value; } = DefaultScratchBytes;

    public TimeSpan Timeout { get; init => field = value == TimeSpan.Zero ? DefaultTimeout : value; } = DefaultTimeout;
}
