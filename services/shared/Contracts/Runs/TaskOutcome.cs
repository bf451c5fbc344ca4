namespace LeanPipe.Contracts;

/// <summary>How one attempt of a task ended. Written by the step runner as the last object of the attempt's prefix; every chunk it names exists by then.</summary>
public sealed record TaskOutcome
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required RunId Run { get; init; }
    public required StepName Step { get; init; }
    public required TaskId Task { get; init; }

    /// <summary>Counted from 1; part of the attempt's prefix.</summary>
    public required int Attempt { get; init; }

    /// <summary>Null when the attempt succeeded.</summary>
    public TaskError? Error { get; init; }

    public long RowsIn { get; init; }
    public long BytesIn { get; init; }
    public long RowsOut { get; init; }
    public long BytesOut { get; init; }
    public IReadOnlyList<OutputColumn> Columns { get; init => field = value ?? []; } = [];
    public IReadOnlyList<Chunk> Chunks { get; init => field = value ?? []; } = [];
    public IReadOnlyList<CheckResult> Checks { get; init => field = value ?? []; } = [];
    /// <summary>Null when the task loads nothing.</summary>
    public LoadResult? Load { get; init; }

    public required TaskTimings Timings { get; init; }

    /// <summary>The process's peak resident set.</summary>
    public long PeakMemoryBytes { get; init; }

    public required string Engine { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
}

/// <param name="Code">As <see cref="LeanPipeException.Code"/>: <c>sql.error</c>, <c>check.failed</c>, <c>duckdb.out_of_memory</c>, …</param>
public sealed record TaskError(string Code, string Message, bool Transient);

/// <param name="Type">DuckDB's type text.</param>
public sealed record OutputColumn(string Name, string Type);

/// <param name="Bucket">The hash bucket that all its rows belong to; null when the step writes none.</param>
/// <param name="Stats">By column; only for types with a useful order.</param>
public sealed record Chunk(ObjectRef Object, int? Bucket = null, IReadOnlyDictionary<string, ColumnStats>? Stats = null);

/// <summary>Bounds in the text form that Delta statistics use: numbers as JSON numbers' text, timestamps as ISO 8601 UTC; null when all values are null.</summary>
public sealed record ColumnStats(string? Min = null, string? Max = null, long Nulls = 0);

/// <param name="Found">Null when the check yielded NULL, which never passes.</param>
/// <param name="Severity">Null is <see cref="CheckSeverity.Fail"/>.</param>
/// <param name="Rows">The key of the offending rows (NDJSON, the first thousand), when the check did not pass and its SQL tells which they are.</param>
public sealed record CheckResult(string Name, long Expected, long? Found = null, bool Passed = false, CheckSeverity? Severity = null, string? Rows = null);

/// <summary>Milliseconds of wall time.</summary>
public sealed record TaskTimings(long FetchMs = 0, long SqlMs = 0, long UploadMs = 0, long TotalMs = 0);
