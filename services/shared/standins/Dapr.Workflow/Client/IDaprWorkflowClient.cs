using Dapr.Common;
using Dapr.Workflow.Client;

namespace Dapr.Common
{
    public interface IDaprClient : IDisposable;
}

namespace Dapr.Workflow
{
    /// <summary>Starts, watches and steers workflow instances of this app.</summary>
    /// <remarks>A call that fails throws an exception whose message starts with the gRPC status (README.md).</remarks>
    public interface IDaprWorkflowClient : IDaprClient, IAsyncDisposable
    {
        /// <summary>Returns the instance's id once a worker has taken its first turn.</summary>
        Task<string> ScheduleNewWorkflowAsync(string name, string? instanceId = null, object? input = null);

        /// <inheritdoc cref="ScheduleNewWorkflowAsync(string, string?, object?)"/>
        Task<string> ScheduleNewWorkflowAsync(string name, string? instanceId, object? input, DateTime? startTime);

        /// <inheritdoc cref="ScheduleNewWorkflowAsync(string, string?, object?)"/>
        Task<string> ScheduleNewWorkflowAsync(
            string name, string? instanceId, object? input, DateTimeOffset? startTime, CancellationToken cancellation = default);

        /// <summary>An instance that does not exist has <see cref="WorkflowState.Exists"/> false.</summary>
        Task<WorkflowState> GetWorkflowStateAsync(string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default);

        /// <summary>Waits through a missing sidecar and for an id that does not exist yet.</summary>
        Task<WorkflowState> WaitForWorkflowStartAsync(string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default);

        /// <inheritdoc cref="WaitForWorkflowStartAsync"/>
        Task<WorkflowState> WaitForWorkflowCompletionAsync(string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default);

        Task RaiseEventAsync(string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default);

        /// <summary>Ends the instance and its children; returns when it has ended.</summary>
        Task TerminateWorkflowAsync(string instanceId, object? output = null, CancellationToken cancellation = default);

        Task SuspendWorkflowAsync(string instanceId, string? reason = null, CancellationToken cancellation = default);

        Task ResumeWorkflowAsync(string instanceId, string? reason = null, CancellationToken cancellation = default);

        /// <summary>Forgets an ended instance and its children; true when there was something to forget.</summary>
        Task<bool> PurgeInstanceAsync(string instanceId, CancellationToken cancellation = default);

        Task<WorkflowInstancePage> ListInstanceIdsAsync(
            string? continuationToken = null, int? pageSize = null, CancellationToken cancellation = default);

        Task<IReadOnlyList<WorkflowHistoryEvent>> GetInstanceHistoryAsync(string instanceId, CancellationToken cancellation = default);

        /// <summary>Copies the history up to an event into a new instance, which goes on from there.</summary>
        Task<string> RerunWorkflowFromEventAsync(
            string sourceInstanceId, uint eventId, RerunWorkflowFromEventOptions? options = null, CancellationToken cancellation = default);
    }
}
