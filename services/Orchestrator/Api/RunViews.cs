using System.Text.Json.Serialization;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>A line of <c>GET /api/runs</c>.</summary>
/// <param name="EndedAt">Null while the run runs.</param>
/// <param name="Position">The place in the queue, from 1; null when the run does not wait.</param>
public sealed record RunLine(
    RunId Run, PipelineName Pipeline, WindowId Window, int Revision, RunState Status, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, RunError? Error,
    int? Position = null);

/// <summary><c>GET /api/runs/{run}</c>.</summary>
/// <param name="Plan">Null when the run could not be planned.</param>
/// <param name="Record">Null until the run ends. A failed run that was started again shows its last record until it ends anew.</param>
public sealed record RunView(RunId Run, RunState Status, IReadOnlyList<StepView> Steps, RunPlan? Plan, RunRecord? Record);

/// <param name="Tasks">Null until the step's tasks are written.</param>
/// <param name="Rows">Null until the step is committed.</param>
public sealed record StepView(StepName Step, StepState Status, IReadOnlyList<StepName> Needs, int? Tasks, int TasksCommitted, int Attempts, StepRecord? Rows);

public enum RunState
{
    /// <summary>Planned, without a record of its end.</summary>
    Running,
    Completed,
    Failed,
    Cancelled,

    /// <summary>Not planned yet: it waits for its place.</summary>
    Queued,
}

public enum StepState
{
    Waiting,
    Running,
    Committed,
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [
        typeof(SnakeCaseEnum<ParamType>), typeof(SnakeCaseEnum<InputFormat>), typeof(SnakeCaseEnum<PublishMode>), typeof(SnakeCaseEnum<RunStatus>),
        typeof(SnakeCaseEnum<RunState>), typeof(SnakeCaseEnum<CheckSeverity>), typeof(SnakeCaseEnum<ChunkCompression>), typeof(SnakeCaseEnum<StepState>),
    ])]
[JsonSerializable(typeof(IReadOnlyList<RunLine>))]
[JsonSerializable(typeof(RunView))]
[JsonSerializable(typeof(EventAnswer))]
[JsonSerializable(typeof(ApiError))]
sealed partial class ApiJson : JsonSerializerContext;

sealed record ApiError(string Code, string Message);
