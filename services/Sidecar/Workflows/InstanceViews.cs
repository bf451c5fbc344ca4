using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>What callers see of an instance.</summary>
static class InstanceViews
{
    /// <param name="instance">The instance.</param>
    /// <param name="stalled">No worker can take its next turn.</param>
    /// <param name="payloads">Whether input, output, custom status and failure are wanted.</param>
    public static WorkflowState ToWorkflowState(this Instance instance, bool stalled, bool payloads)
    {
        var start = instance.Start;
        var status = Turns.Status(instance);
        var state = new WorkflowState
        {
            InstanceId = instance.WireId,
            Name = start?.ExecutionStarted.Name ?? "",
            Version = start?.ExecutionStarted.Version,
            WorkflowStatus = stalled && !instance.IsTerminal ? OrchestrationStatus.Stalled : status,
            ScheduledStartTimestamp = start?.ExecutionStarted.ScheduledStartTimestamp,
            CreatedTimestamp = start?.Timestamp,
            LastUpdatedTimestamp = (instance.History.Count > 0 ? instance.History[^1] : start)?.Timestamp,
            StartedAt = instance.History.Count > 0 ? instance.History[0].Timestamp : null,
            ParentInstanceId = start?.ExecutionStarted.ParentInstance?.WorkflowInstance?.InstanceId,
        };
        if (!payloads)
            return state;

        state.Input = start?.ExecutionStarted.Input;
        state.Output = instance.Completed?.Result;
        state.FailureDetails = instance.Completed?.FailureDetails;
        state.CustomStatus = instance.CustomStatus;
        return state;
    }
}
