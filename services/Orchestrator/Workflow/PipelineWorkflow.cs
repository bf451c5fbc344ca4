using Dapr.Workflow;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>Interprets a plan's graph: a step starts when the steps it needs are committed; tables are published when every step is.</summary>
/// <remarks>
/// It reads no clock but its context's, no configuration and no lake, and awaits nothing but its context. Payloads are names and counts, so that a history of ten thousand tasks
/// stays far below the sidecar's limit of 4 MiB. After a failure nothing new starts; what already runs is waited for, so that the record is the last write of a run.
/// </remarks>
sealed class PipelineWorkflow : Workflow<RunRequest, RunSummary>
{
    // Each asking is some five events of a history that must stay small: a run that waits for a day asks about a hundred times.
    static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);

    public override async Task<RunSummary> RunAsync(WorkflowContext context, RunRequest input)
    {
        if (Refuse(context.InstanceId, input) is { } refusal) throw new RunFailedException(refusal);
        var run = new RunId(context.InstanceId);
        var published = new List<PublishedTable>();
        var steps = new RunningSteps(context, run);
        using var ended = new CancellationTokenSource();
        Failure? failure;
        try
        {
            var plan = await AdmittedAsync(context, new(run, input));
            if (plan.Timeout is { } timeout) _ = EndAfterAsync(context, run, timeout, ended.Token);
            failure = plan.Failure ?? await steps.RunAsync(plan.Steps) ?? await PublishAsync(context, run, plan.Steps, published);
        }
        catch (WorkflowTaskFailedException e)
        {
            failure = e.ToFailure();
        }
        ended.Cancel();
        var finished = await context.CallAsync<Reply>(WorkflowNames.Finish, new Ending(run, input, published, failure));
        failure ??= finished.Failure;
        return failure is null ? new(run, input.Pipeline, input.Window, steps.Count, published) : throw new RunFailedException(failure);
    }

    /// <summary>Asks until the run has a place. It is told when there is one; should that get lost, it asks by itself after a while.</summary>
    static async Task<PlanReply> AdmittedAsync(WorkflowContext context, PlanTicket ticket)
    {
        for (var wait = FirstWait; ; wait = wait < LongestWait ? wait * 2 : LongestWait)
        {
            var plan = await context.CallAsync<PlanReply>(WorkflowNames.Plan, ticket);
            if (plan.Position is null) return plan;
            try
            {
                await context.WaitForExternalEventAsync<bool>(WorkflowNames.Admitted, wait);
            }
            catch (TaskCanceledException)
            {
                // Nobody said anything for so long.
                continue;
            }
        }
    }

    /// <summary>The timeout ends the run's tasks; their failures then end the run in the ordinary way.</summary>
    static async Task EndAfterAsync(WorkflowContext context, RunId run, TimeSpan timeout, CancellationToken ended)
    {
        try
        {
            await context.CreateTimer(timeout, ended);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        await context.CallAsync<Reply>(WorkflowNames.Cancel, new CancelTicket(run, timeout));
    }

    static async Task<Failure?> PublishAsync(WorkflowContext context, RunId run, IReadOnlyList<StepNode> steps, List<PublishedTable> published)
    {
        foreach (var step in steps.Where(s => s.Publishes))
        {
            var reply = await context.CallAsync<PublishReply>(WorkflowNames.Publish, new StepTicket(run, step.Name));
            if (reply.Failure is not null) return reply.Failure;
            published.Add(reply.Table!);
        }
        return null;
    }

    /// <summary>What the Dapr HTTP API lets through although no run can come of it: it passes any body on as it is.</summary>
    static Failure? Refuse(string instance, RunRequest? request) =>
        !RunId.IsValid(instance) ? new("run.bad_id", $"'{instance}' cannot be a run's id: expected 1 to 64 letters, digits, '_' or '-'.")
        : request?.Pipeline.Value is null || request.Window.Value is null
            ? new("run.bad_request", "The request names no pipeline or no window: expected a body like {\"pipeline\":\"telemetry-hourly\",\"window\":\"2026-01-01T10\"}.")
        : null;
}
