namespace Dapr.Workflow.Client;

/// <summary>A page of instance ids, with the token of the next one, if there is one.</summary>
public record WorkflowInstancePage(IReadOnlyList<string> InstanceIds, string? ContinuationToken);

/// <param name="EventId">The action's sequence number; -1 for what came from outside.</param>
/// <param name="EventType">What happened.</param>
/// <param name="Timestamp">UTC.</param>
public record WorkflowHistoryEvent(int EventId, WorkflowHistoryEventType EventType, DateTime Timestamp);

public enum WorkflowHistoryEventType
{
    Unknown = 0,
    ExecutionStarted,
    ExecutionCompleted,
    ExecutionTerminated,
    TaskScheduled,
    TaskCompleted,
    TaskFailed,
    SubOrchestrationInstanceCreated,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceFailed,
    TimerCreated,
    TimerFired,
    OrchestratorStarted,
    OrchestratorCompleted,
    EventSent,
    EventRaised,
    GenericEvent,
    HistoryState,
    ContinueAsNew,
    ExecutionSuspended,
    ExecutionResumed,
    ExecutionStalled,
}

public sealed class RerunWorkflowFromEventOptions
{
    /// <summary>Null lets the sidecar make one.</summary>
    public string? NewInstanceId { get; set; }

    /// <summary>The activity's or workflow's new input; needs <see cref="OverwriteInput"/>.</summary>
    public object? Input { get; set; }

    public bool OverwriteInput { get; set; }
}
