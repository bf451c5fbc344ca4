using Dapr.Workflow;

namespace LeanPipe.Orchestrator;

/// <summary>How the workflows call activities: what fails in the world is tried again, what failed for good is a value.</summary>
static class ActivityCalls
{
    // Twelve attempts over about seven minutes: a store that restarts is waited for, one that stays away fails the run, which can be started again under its id.
    static readonly WorkflowTaskOptions Retried = new(new WorkflowRetryPolicy(
        maxNumberOfAttempts: 12, firstRetryInterval: TimeSpan.FromSeconds(1), backoffCoefficient: 2, maxRetryInterval: TimeSpan.FromMinutes(1)));

    public static Task<T> CallAsync<T>(this WorkflowContext context, string activity, object input) => context.CallActivityAsync<T>(activity, input, Retried);

    public static Failure ToFailure(this WorkflowTaskFailedException e, Contracts.StepName? step = null, int? task = null) =>
        new("orchestrator.activity_failed", $"{e.FailureDetails.ErrorType}: {e.FailureDetails.ErrorMessage}", step, task);
}
