namespace LeanPipe.Contracts;

/// <summary>A pipeline with every input pinned. Written once per run, before any task: whatever happens later, a run reads the same inputs.</summary>
public sealed record RunPlan
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required RunId Run { get; init; }

    /// <summary>What was asked for, word for word: a run that is started again under the same id goes on only for the same request.</summary>
    public required RunRequest Request { get; init; }

    public required PipelineName Pipeline { get; init; }
    public required WindowId Window { get; init; }
    public required int Revision { get; init; }
    public required DateTimeOffset PlannedAt { get; init; }
    public required IReadOnlyList<ParamValue> Params { get; init; }
    public required IReadOnlyList<PlannedStep> Steps { get; init; }

    /// <summary>Counted from each start of the run; null is no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>SHA-256 over what the pipeline's document said: two runs over equal inputs and with equal digests do the same.</summary>
    public string? Digest { get; init; }
}

/// <summary>Values are text in the form that DuckDB casts to the type.</summary>
public sealed record ParamValue(string Name, ParamType Type, string Value);

public sealed record PlannedStep
{
    public required StepName Name { get; init; }
    public required string Sql { get; init; }

    /// <summary>The steps that must be committed first.</summary>
    public required IReadOnlyList<StepName> Needs { get; init; }

    public required IReadOnlyList<PlannedInput> Inputs { get; init; }

    /// <summary>Null is one task over everything, or a shuffle.</summary>
    public long? BytesPerTask { get; init; }

    /// <summary>The input that <see cref="BytesPerTask"/> splits.</summary>
    public string? BytesOf { get; init; }

    /// <summary>The input whose buckets the tasks share out; null when the step is no shuffle.</summary>
    public string? BucketsOf { get; init; }

    /// <summary>Further inputs of which each task reads the same bucket; null: there are none.</summary>
    public IReadOnlyList<string>? BucketsAlso { get; init; }

    /// <summary>A bucket that is larger, and larger than twice the mean, is shared out over several tasks; the step that has this one as <see cref="MergeOf"/> puts them together.</summary>
    public long? SplitAbove { get; init; }

    /// <summary>The step whose shared-out buckets this one merges; the chunks of its other buckets are this step's as they are.</summary>
    public StepName? MergeOf { get; init; }

    /// <summary>As <see cref="BytesPerTask"/>, of <see cref="SplitOf"/>.</summary>
    public long? RowsPerTask { get; init; }

    /// <summary>As <see cref="BytesPerTask"/>, of <see cref="SplitOf"/>.</summary>
    public int? FilesPerTask { get; init; }

    /// <summary>The input that is split by rows, by files, or (with neither) by windows.</summary>
    public string? SplitOf { get; init; }

    public required TaskOutput Output { get; init; }
    public IReadOnlyList<CheckDefinition> Checks { get; init => field = value ?? []; } = [];
    public PublishDefinition? Publish { get; init; }
    public LoadDefinition? Load { get; init; }

    /// <summary>Of each attempt of each task; null is the orchestrator's limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>What its tasks needed before, when that was more than the orchestrator gives; null is what it gives.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>So much a task got along with when more was too much for its memory; null: it never was.</summary>
    public long? InputBytes { get; init; }

    /// <summary>Null is the orchestrator's number.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>The columns by which its SQL drops duplicates; null: it declares none.</summary>
    public IReadOnlyList<string>? Dedupe { get; init; }

    /// <summary>False never takes the result of an equal task that ran before; null is true.</summary>
    public bool? Cache { get; init; }
}

/// <summary>Either the chunks of <see cref="Step"/>, known when it is committed, or the pinned <see cref="Objects"/>.</summary>
public sealed record PlannedInput
{
    public required string Name { get; init; }
    public StepName? Step { get; init; }
    public InputFormat Format { get; init; } = InputFormat.Parquet;
    public IReadOnlyList<SegmentColumn> Columns { get; init => field = value ?? []; } = [];
    public IReadOnlyList<ObjectRef> Objects { get; init => field = value ?? []; } = [];

    /// <summary>How many of <see cref="Objects"/> belong to each window, in their order; null when it is one window or none.</summary>
    public IReadOnlyList<int>? Windows { get; init; }

    /// <summary>Where it was pinned from, for people: a window manifest's key, <c>table sensors@3</c>, a file's path.</summary>
    public required string Source { get; init; }
}

public enum InputFormat
{
    Parquet,
    Ndjson,
    Csv,
}
