namespace Dapr.Workflow;

/// <summary>The numbers are those on the wire; <see cref="Unknown"/> is an instance that does not exist.</summary>
public enum WorkflowRuntimeStatus
{
    Unknown = -1,
    Running = 0,
    Completed = 1,
    ContinuedAsNew = 2,
    Failed = 3,
    Canceled = 4,
    Terminated = 5,
    Pending = 6,
    Suspended = 7,
    Stalled = 8,
}
