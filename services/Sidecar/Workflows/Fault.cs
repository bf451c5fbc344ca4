using LeanPipe.DaprWire;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>Why a caller did not get what it asked for: something it can cause itself.</summary>
sealed record Fault(GrpcStatusCode Code, string Message)
{
    public static Fault NoSuchInstance { get; } = new(GrpcStatusCode.Unknown, "no such instance exists");

    public static Fault NotCompleted { get; } = new(GrpcStatusCode.Unknown, "orchestration has not yet completed");

    public static Fault Stalled { get; } = new(GrpcStatusCode.Unknown, "workflow is stalled");

    public static Fault Active(string instanceId) => new(GrpcStatusCode.AlreadyExists, $"an active workflow with ID '{instanceId}' already exists");
}
