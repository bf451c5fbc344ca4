using Dapr.Workflow.Serialization;
using LeanPipe.DaprWire;
using Wire = LeanPipe.DaprWire;

namespace Dapr.Workflow;

/// <summary>An instance as the sidecar saw it when asked.</summary>
public sealed class WorkflowState
{
    readonly Wire.WorkflowState? _state;
    readonly Payloads _payloads;

    internal WorkflowState(GetInstanceResponse response, Payloads payloads) =>
        (_state, _payloads) = (response.Exists ? response.WorkflowState : null, payloads);

    public string? WorkflowName => _state?.Name;

    public bool Exists => _state is not null;

    /// <summary>True for <see cref="WorkflowRuntimeStatus.Running"/> only: neither pending nor suspended.</summary>
    public bool IsWorkflowRunning => RuntimeStatus == WorkflowRuntimeStatus.Running;

    public bool IsWorkflowCompleted =>
        RuntimeStatus is WorkflowRuntimeStatus.Completed or WorkflowRuntimeStatus.Failed or WorkflowRuntimeStatus.Terminated;

    public DateTimeOffset CreatedAt => _state?.CreatedTimestamp?.ToDateTimeOffset() ?? default;

    public DateTimeOffset LastUpdatedAt => _state?.LastUpdatedTimestamp?.ToDateTimeOffset() ?? default;

    public WorkflowRuntimeStatus RuntimeStatus
    {
        get
        {
            var status = (WorkflowRuntimeStatus)(_state is null ? -1 : (int)_state.WorkflowStatus);
            return Enum.IsDefined(status) ? status : WorkflowRuntimeStatus.Unknown;
        }
    }

    public WorkflowTaskFailureDetails? FailureDetails =>
        _state?.FailureDetails is { } failure ? new WorkflowTaskFailureDetails(failure.ErrorType, failure.ErrorMessage, failure.StackTrace) : null;

    /// <summary>The default of <typeparamref name="T"/> when there is none, or it was not asked for.</summary>
    public T? ReadInputAs<T>() => _payloads.Read<T>(_state?.Input);

    /// <inheritdoc cref="ReadInputAs"/>
    public T? ReadOutputAs<T>() => _payloads.Read<T>(_state?.Output);

    /// <inheritdoc cref="ReadInputAs"/>
    public T? ReadCustomStatusAs<T>() => _payloads.Read<T>(_state?.CustomStatus);
}
