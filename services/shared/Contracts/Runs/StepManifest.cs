using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>The commit of a step: the chunks of every task's winning attempt. Written once, by the orchestrator; readers of the step see nothing else.</summary>
public sealed record StepManifest
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required RunId Run { get; init; }
    public required StepName Step { get; init; }
    public required IReadOnlyList<OutputColumn> Columns { get; init; }
    public required IReadOnlyList<Chunk> Chunks { get; init; }
    public required int Tasks { get; init; }
    public required long RowsIn { get; init; }
    public required long RowsOut { get; init; }

    /// <summary>Sum over the tasks, so that a step's cost shows whatever ran in parallel.</summary>
    public required long TaskMs { get; init; }

    public required DateTimeOffset CommittedAt { get; init; }

    /// <summary>Checks that found something else than expected and only warn; null: there were none.</summary>
    public IReadOnlyList<CheckRecord>? Warnings { get; init; }

    /// <summary>So many tasks took the result of an equal one; null: none did.</summary>
    public int? Reused { get; init; }

    /// <summary>Null when the step loads nothing.</summary>
    public LoadFigures? Load { get; init; }
}

/// <summary>The result of a task, found by what it was computed from.</summary>
public sealed record CacheEntry
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;

    /// <summary>The outcome's key.</summary>
    public required string Outcome { get; init; }

    public required RunId Run { get; init; }
    public required StepName Step { get; init; }
    public required TaskId Task { get; init; }
    public required DateTimeOffset At { get; init; }
}

/// <summary>The outcomes that tasks of a step are about to take from equal ones. It keeps them from being removed; which of them were taken is in the tasks' commits.</summary>
public sealed record StepReuse(IReadOnlyList<string> Outcomes)
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
}

/// <summary>A check that did not pass.</summary>
/// <param name="Rows">The key of the offending rows (NDJSON), if its SQL told which they are.</param>
public sealed record CheckRecord(StepName Step, TaskId Task, string Name, CheckSeverity Severity, long Expected, long? Found = null, string? Rows = null);

/// <summary>A task of a committed step, one line of <c>tasks.ndjson</c>: what it cost, long after its intermediates are gone.</summary>
/// <param name="Attempt">0: the result of an equal task that ran before.</param>
public sealed record TaskRecord(
    RunId Run, StepName Step, TaskId Task, int Attempt, DateTimeOffset StartedAt, long RowsIn, long RowsOut, long BytesIn, long BytesOut,
    long FetchMs, long SqlMs, long UploadMs, long TotalMs, long PeakMemoryBytes, string Engine);

/// <summary>Which attempt's outcome a task stands for. Put if absent: the first one wins, and a repeated activity finds it.</summary>
/// <param name="Attempt">0: the outcome is that of an equal task, most likely of another run.</param>
/// <param name="Outcome">The outcome's key.</param>
public sealed record TaskCommit(int Attempt, string Outcome);

/// <summary>How a run ended, written when it ends and again when a retry ends it differently.</summary>
public sealed record RunRecord
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required RunId Run { get; init; }
    public required PipelineName Pipeline { get; init; }
    public required WindowId Window { get; init; }
    public required int Revision { get; init; }
    public required RunStatus Status { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required DateTimeOffset EndedAt { get; init; }
    public required IReadOnlyList<StepRecord> Steps { get; init; }
    public IReadOnlyList<PublishedTable> Published { get; init => field = value ?? []; } = [];

    /// <summary>The step, its task and what it said; null when the run completed.</summary>
    public RunError? Error { get; init; }

    /// <summary>What was asked for, so that a run that could not be planned can be asked for again.</summary>
    public RunRequest? Request { get; init; }

    /// <summary>Checks that did not pass, those that only warn among them; null: there were none.</summary>
    public IReadOnlyList<CheckRecord>? Checks { get; init; }
}

public enum RunStatus
{
    Completed,
    Failed,
    Cancelled,
}

/// <summary>An entry of the index of runs, whose keys stand newest first.</summary>
public sealed record RunIndexEntry(RunId Run, PipelineName Pipeline, WindowId Window, DateTimeOffset At);

/// <summary>A run that waits to be planned, or that counts as running.</summary>
/// <param name="MaxRuns">As <see cref="PipelineDefinition.MaxRuns"/> when it asked.</param>
public sealed record QueuedRun(RunId Run, PipelineName Pipeline, WindowId Window, DateTimeOffset AskedAt, int? MaxRuns = null)
{
    /// <summary>What was asked for; null in a mark that a release before this member has made.</summary>
    public RunRequest? Request { get; init; }
}

/// <summary>Somebody, or the run's timeout, wants it to end. Gone when the run has ended.</summary>
public sealed record RunCancel(string Code, string Message, DateTimeOffset At);

/// <param name="Reused">So many of its tasks took the result of an equal one; null: none did.</param>
/// <param name="Load">Null when the step loads nothing.</param>
public sealed record StepRecord(StepName Step, int Tasks, long RowsIn, long RowsOut, long BytesOut, double Seconds, int? Reused = null, LoadFigures? Load = null)
{
    public static StepRecord Of(StepManifest step) =>
        new(step.Step, step.Tasks, step.RowsIn, step.RowsOut, step.Chunks.Sum(c => c.Object.Bytes), step.TaskMs / 1000.0, step.Reused, step.Load);
}

/// <param name="Rows">Rows that the run brought to the table.</param>
public sealed record PublishedTable(TableName Table, long Version, long Rows)
{
    /// <summary>True when nothing was published because rows made from newer data are there already, in that version; null otherwise.</summary>
    public bool? Superseded { get; init; }
}

/// <param name="Step">Null when the run itself failed; written as null, for a reader requires it.</param>
public sealed record RunError(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] StepName? Step, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] TaskId? Task,
    string Code, string Message);
