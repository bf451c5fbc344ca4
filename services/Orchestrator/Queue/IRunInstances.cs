using Dapr.Workflow;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>The workflow instances of runs, as the sidecar knows them.</summary>
interface IRunInstances
{
    /// <summary>Tells a run that waits to ask again.</summary>
    Task WakeAsync(RunId run, CancellationToken cancellation);

    /// <summary>False when the instance has ended or never was: then it will not say by itself that it is over.</summary>
    Task<bool> IsActiveAsync(RunId run, CancellationToken cancellation);
}

sealed class DaprRunInstances(DaprWorkflowClient workflows) : IRunInstances
{
    public Task WakeAsync(RunId run, CancellationToken cancellation) => workflows.RaiseEventAsync(run.Value, WorkflowNames.Admitted, true, cancellation);

    public async Task<bool> IsActiveAsync(RunId run, CancellationToken cancellation) =>
        await workflows.GetWorkflowStateAsync(run.Value, getInputsAndOutputs: false, cancellation) is { Exists: true } state &&
        state.RuntimeStatus is not (WorkflowRuntimeStatus.Completed or WorkflowRuntimeStatus.Failed or WorkflowRuntimeStatus.Terminated or WorkflowRuntimeStatus.Canceled);
}
