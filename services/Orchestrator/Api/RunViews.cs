using System.Text.Json.Serialization;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>A line of <c>GET /api/runs</c>.</summary>
/// <param name="EndedAt">Null while the run runs.</param>
/// <param name="Position">The place in the queue, from 1; null when the run does not wait.</param>
public sealed record RunLine(
    RunId Run, PipelineName Pipeline, WindowId Window, int Revision, RunState Status, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, RunError? Error,
    int? Position = null);

/// <summary><c>GET /api/runs/{run}</c>.</summary>
/// <param name="Plan">Null when the run is not planned yet, or could not be.</param>
/// <param name="Record">Null until the run ends, and again from when it is started again.</param>
/// <param name="Position">As in <see cref="RunLine"/>.</param>
public sealed record RunView(RunId Run, RunState Status, IReadOnlyList<StepView> Steps, RunPlan? Plan, RunRecord? Record, int? Position = null);

/// <param name="Tasks">Null until the step's tasks are written.</param>
/// <param name="Rows">Null until the step is committed.</param>
public sealed record StepView(StepName Step, StepState Status, IReadOnlyList<StepName> Needs, int? Tasks, int TasksCommitted, int Attempts, StepRecord? Rows);

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
