using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Starts a run that a trigger asks for, once: its id follows from what happened, and a run that ended, even failed, is known. To start it again is for a person.</summary>
sealed class RunStarter(IObjectStore store, DaprWorkflowClient workflows)
{
    /// <returns>False when the run was known already.</returns>
    public async Task<bool> StartAsync(RunId run, RunRequest request, CancellationToken cancellation)
    {
        if (await IsKnownAsync(run, cancellation)) return false;
        try
        {
            await workflows.ScheduleNewWorkflowAsync(WorkflowNames.Pipeline, run.Value, request, (DateTimeOffset?)null, cancellation);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Two deliveries at a time, or an answer that was lost: the instance is there all the same.
            if (await IsKnownAsync(run, cancellation)) return false;
            throw;
        }
    }

    /// <summary>The id of a pipeline's run over a window, told apart from its other runs there by a tail.</summary>
    public static RunId IdFor(PipelineName pipeline, WindowId window, string tail)
    {
        var plain = new RunId(RunId.For(pipeline, window, 1).Value[..^"-r1".Length]);
        return plain.WithTail($"-{tail}");
    }

    async Task<bool> IsKnownAsync(RunId run, CancellationToken cancellation) =>
        await store.SizeAsync(LakeLayout.RunRecord(run), cancellation) is not null ||
        (await workflows.GetWorkflowStateAsync(run.Value, getInputsAndOutputs: false, cancellation)).Exists;
}
