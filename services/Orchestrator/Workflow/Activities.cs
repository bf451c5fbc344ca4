using Dapr.Workflow;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>Runs an activity's body. What failed for good becomes its answer; what may pass is thrown, and the workflow tries again.</summary>
static class Answer
{
    public static async Task<T> Of<T>(Func<Task<T>> body, Func<Failure, T> failed)
    {
        try
        {
            return await body();
        }
        catch (LeanPipeException e) when (!e.IsTransient)
        {
            return failed(Failure.Of(e));
        }
    }
}

sealed class PlanActivity(RunPlanning planning, TaskRunner tasks, LostRuns lost) : WorkflowActivity<PlanTicket, PlanReply>
{
    public override Task<PlanReply> RunAsync(WorkflowActivityContext context, PlanTicket input)
    {
        tasks.Forget(input.Run);
        return Answer.Of(async () =>
        {
            var reply = await planning.AdmitAsync(input.Run, input.Request, CancellationToken.None);
            return reply.Position is null || await lost.EndAsync(input.Run, CancellationToken.None) == 0 ? reply : await planning.AdmitAsync(input.Run, input.Request, CancellationToken.None);
        }, failure => new([], failure));
    }
}

sealed class CancelActivity(RunCancellation cancellation) : WorkflowActivity<CancelTicket, Reply>
{
    public override Task<Reply> RunAsync(WorkflowActivityContext context, CancelTicket input) => Answer.Of(async () =>
    {
        await cancellation.RequestAsync(input.Run, RunCancellation.TimedOut, $"The run did not end within {input.Timeout}, its timeout, and was stopped.", CancellationToken.None);
        return new Reply();
    }, failure => new(failure));
}

sealed class PlanStepActivity(StepWriter steps) : WorkflowActivity<StepTicket, StepReply>
{
    public override Task<StepReply> RunAsync(WorkflowActivityContext context, StepTicket input) =>
        Answer.Of(() => steps.PlanAsync(input.Run, input.Step, CancellationToken.None), failure => new(0, false, failure));
}

sealed class RunTaskActivity(TaskRunner tasks) : WorkflowActivity<TaskTicket, Reply>
{
    public override Task<Reply> RunAsync(WorkflowActivityContext context, TaskTicket input) =>
        Answer.Of(() => tasks.RunAsync(input.Run, input.Step, new(input.Task), context.TaskExecutionKey), failure => new(failure with { Step = input.Step, Task = input.Task }));
}

sealed class CommitStepActivity(StepWriter steps) : WorkflowActivity<CommitTicket, Reply>
{
    public override Task<Reply> RunAsync(WorkflowActivityContext context, CommitTicket input) =>
        Answer.Of(() => steps.CommitAsync(input.Run, input.Step, input.Tasks, CancellationToken.None), failure => new(failure with { Step = input.Step }));
}

sealed class PublishActivity(RunEnding ending) : WorkflowActivity<StepTicket, PublishReply>
{
    public override Task<PublishReply> RunAsync(WorkflowActivityContext context, StepTicket input) =>
        Answer.Of(() => ending.PublishAsync(input.Run, input.Step, CancellationToken.None), failure => new(null, failure with { Step = input.Step }));
}

sealed class FinishActivity(RunEnding ending, TaskRunner tasks, RunQueue queue, PublishedTrigger published) : WorkflowActivity<Ending, Reply>
{
    public override Task<Reply> RunAsync(WorkflowActivityContext context, Ending input)
    {
        tasks.Forget(input.Run);
        return Answer.Of(async () =>
        {
            var reply = await ending.FinishAsync(input, CancellationToken.None);
            if (input.Failure is null) await published.FireAsync(input.Run, input.Request.Window, input.Published, CancellationToken.None);
            await queue.LeaveAsync(input.Run, CancellationToken.None);
            return reply;
        }, failure => new(failure));
    }
}
