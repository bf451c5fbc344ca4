using System.Text.Encodings.Web;
using System.Text.Json.Serialization;
using LeanPipe.Cli.Audits;
using LeanPipe.Cli.Commands;
using LeanPipe.Cli.Demo;
using LeanPipe.Cli.Homes;
using LeanPipe.Cli.Queries;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Housekeeping;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Cli.Output;

/// <summary>What the commands print as JSON, and what they keep.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true,
    Converters = [typeof(SnakeCaseEnum<RunState>), typeof(SnakeCaseEnum<CheckSeverity>), typeof(SnakeCaseEnum<BackfillState>), typeof(SnakeCaseEnum<RunStatus>)])]
[JsonSerializable(typeof(Endpoints))]
[JsonSerializable(typeof(IReadOnlyList<DocumentError>))]
[JsonSerializable(typeof(IReadOnlyList<Runs.RunLine>))]
[JsonSerializable(typeof(RunDetail))]
[JsonSerializable(typeof(IReadOnlyList<TaskExplanation>))]
[JsonSerializable(typeof(PlannedRun))]
[JsonSerializable(typeof(IReadOnlyList<BackfillWindow>))]
[JsonSerializable(typeof(RunRow))]
[JsonSerializable(typeof(StepRow))]
[JsonSerializable(typeof(Audit))]
[JsonSerializable(typeof(HousekeepingReport))]
[JsonSerializable(typeof(SendSummary))]
[JsonSerializable(typeof(Gateway.DrainReport))]
[JsonSerializable(typeof(Gateway.ReplayReport))]
[JsonSerializable(typeof(WorkflowState))]
[JsonSerializable(typeof(DemoState))]
sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>For terminals and files, not for web pages: quotes and letters stay as they are.</summary>
    public static CliJson Readable => field ??= new(new(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>One line to a value.</summary>
    public static CliJson Lines => field ??= new(new(Default.Options) { WriteIndented = false });
}
