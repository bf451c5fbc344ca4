namespace Dapr.Workflow;

/// <summary>How much of the caller's history the sidecar hands to the callee.</summary>
public enum HistoryPropagationScope
{
    None = 0,
    OwnHistory = 1,
    Lineage = 2,
}

/// <param name="RetryPolicy">Null: a failure is final.</param>
/// <param name="TargetAppId">The app that does the task; null is the workflow's own.</param>
/// <param name="PropagationScope">Sent along; the embedded sidecar does not act on it.</param>
public record WorkflowTaskOptions(
    WorkflowRetryPolicy? RetryPolicy = null,
    string? TargetAppId = null,
    HistoryPropagationScope PropagationScope = HistoryPropagationScope.None)
{
    public WorkflowTaskOptions WithHistoryPropagation(HistoryPropagationScope scope) => this with { PropagationScope = scope };
}

/// <param name="InstanceId">The child's id, used for every attempt; null makes a deterministic GUID per attempt.</param>
/// <param name="RetryPolicy">Null: a failure is final.</param>
/// <param name="TargetAppId">The app that runs the child; null is the workflow's own.</param>
/// <param name="PropagationScope">Sent along; the embedded sidecar does not act on it.</param>
public record ChildWorkflowTaskOptions(
    string? InstanceId = null,
    WorkflowRetryPolicy? RetryPolicy = null,
    string? TargetAppId = null,
    HistoryPropagationScope PropagationScope = HistoryPropagationScope.None)
    : WorkflowTaskOptions(RetryPolicy, TargetAppId, PropagationScope)
{
    public new ChildWorkflowTaskOptions WithHistoryPropagation(HistoryPropagationScope scope) => this with { PropagationScope = scope };
}
