using Dapr.Workflow.Serialization;
using LeanPipe.DaprWire;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Replay;

/// <summary>One turn of one instance, without I/O: history in, answer out.</summary>
/// <remarks>
/// The workflow is called first and runs to its first unfinished await; then the past happens to it, then the new events. Everything runs on the
/// calling thread, because the tasks it awaits end there and continue inline.
/// </remarks>
static class Turn
{
    /// <summary>The answer to a turn whose last event terminates the instance; null otherwise. It needs no code.</summary>
    public static WorkflowResponse? Terminated(TurnHistory history) => history.Last?.ExecutionTerminated is null
        ? null
        : Failures.Completion(history.InstanceId, new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.Terminated });

    public static WorkflowResponse Run(TurnHistory history, IWorkflow workflow, Payloads payloads, ILoggerFactory loggers)
    {
        // A continuation posted to a context of the host's would leave the turn's thread.
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        var context = new ReplayContext(history, payloads, loggers);
        try
        {
            return Replay(history, workflow, context);
        }
        catch (Exception e)
        {
            return Failures.Turn(history.InstanceId, Failures.From(e));
        }
        finally
        {
            context.Close();
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    static WorkflowResponse Replay(TurnHistory history, IWorkflow workflow, ReplayContext context)
    {
        var run = Start(history, workflow, context);
        foreach (var e in history.Past)
        {
            context.Feed.Next(e);
        }

        context.GoLive();
        foreach (var e in history.New)
        {
            context.Feed.Next(e);
        }

        if (context.Feed.IsSuspended)
        {
            // What the code asked for before it was suspended is asked for again when the resume replays it. The status goes along,
            // because an answer without one clears it.
            return new WorkflowResponse { InstanceId = history.InstanceId, CustomStatus = context.CustomStatus };
        }

        if (!run.IsCompleted && !context.ContinuesAsNew && !context.CanGoOn)
        {
            throw new NonDeterministicWorkflowException(
                $"Workflow '{history.Name}' waits for something that its context did not make, so no event can wake it. "
                + "Await activities, timers, events and child workflows only; do everything else in an activity.");
        }

        var response = context.Response();
        if (run.IsCompleted && !context.ContinuesAsNew)
        {
            response.Actions.Add(new WorkflowAction { CompleteWorkflow = Completion(run, context.Payloads) });
        }

        return response;
    }

    static Task<object?> Start(TurnHistory history, IWorkflow workflow, ReplayContext context)
    {
        try
        {
            return workflow.RunAsync(context, context.Payloads.Read(history.Input, workflow.InputType));
        }
        catch (Exception e)
        {
            return Task.FromException<object?>(e);
        }
    }

    static CompleteWorkflowAction Completion(Task<object?> run, Payloads payloads)
    {
        try
        {
            return new CompleteWorkflowAction
            {
                WorkflowStatus = OrchestrationStatus.Completed,
                Result = payloads.Write(run.GetAwaiter().GetResult()),
            };
        }
        catch (Exception e)
        {
            var details = Failures.From(e);
            details.IsNonRetriable = true;
            return new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.Failed, FailureDetails = details };
        }
    }
}
