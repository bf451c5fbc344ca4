using System.Text.Json;
using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>The one way these types become JSON: snake_case, enums as snake_case text, nulls left out, unknown members ignored so that a newer writer can be read.</summary>
/// <remarks>
/// An older writer can be read too: a member that a document lacks is its declared default. The generated readers set every <c>init</c> member, with null or zero when it
/// is missing, so a member whose default is neither takes these for its default itself.
/// </remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [
        typeof(SnakeCaseEnum<ParamType>), typeof(SnakeCaseEnum<InputFormat>), typeof(SnakeCaseEnum<PublishMode>), typeof(SnakeCaseEnum<RunStatus>),
        typeof(SnakeCaseEnum<CheckSeverity>), typeof(SnakeCaseEnum<ChunkCompression>),
        typeof(SnakeCaseEnum<LoadMode>),
    ],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(WindowManifest))]
[JsonSerializable(typeof(WindowSealed))]
[JsonSerializable(typeof(Ledger))]
[JsonSerializable(typeof(ReplayRecord))]
[JsonSerializable(typeof(WindowReplay))]
[JsonSerializable(typeof(RunRequest))]
[JsonSerializable(typeof(RunPlan))]
[JsonSerializable(typeof(TaskSpec))]
[JsonSerializable(typeof(TaskSheet))]
[JsonSerializable(typeof(StepShape))]
[JsonSerializable(typeof(TaskOutcome))]
[JsonSerializable(typeof(LoadDefinition))]
[JsonSerializable(typeof(TaskCommit))]
[JsonSerializable(typeof(StepManifest))]
[JsonSerializable(typeof(RunRecord))]
[JsonSerializable(typeof(TaskRecord))]
[JsonSerializable(typeof(StepLimits))]
[JsonSerializable(typeof(RunIndexEntry))]
[JsonSerializable(typeof(CacheEntry))]
[JsonSerializable(typeof(StepReuse))]
[JsonSerializable(typeof(TaskOutput))]
[JsonSerializable(typeof(QueuedRun))]
[JsonSerializable(typeof(RunCancel))]
[JsonSerializable(typeof(Catalog))]
public sealed partial class ContractsJson : JsonSerializerContext;

/// <summary>An enum as snake_case text; numbers are refused.</summary>
public sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) where T : struct, Enum;
