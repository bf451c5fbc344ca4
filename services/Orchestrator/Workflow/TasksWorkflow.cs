using Dapr.Workflow;

namespace LeanPipe.Orchestrator;

/// <summary>A part of a large fan-out in a history of its own.</summary>
sealed class TasksWorkflow : Workflow<TaskRange, Reply>
{
    public override async Task<Reply> RunAsync(WorkflowContext context, TaskRange input) => new(await TaskFanOut.RunAsync(context, input));
}

static class TaskFanOut
{
    /// <summary>A history holds at most so many tasks of a step, or so many children.</summary>
    public const int Width = 100;

    /// <returns>The failure of the first task, in their order, that failed; every task has ended by then.</returns>
    public static async Task<Failure?> RunAsync(WorkflowContext context, TaskRange range)
    {
        var replies = await Task.WhenAll(range.Count <= Width
            ? Enumerable.Range(range.First, range.Count).Select(task => TaskAsync(context, range, task))
            : Split(range).Select(part => ChildAsync(context, part)));
        return replies.FirstOrDefault(failure => failure is not null);
    }

    /// <summary>At most <see cref="Width"/> parts of a power of <see cref="Width"/> tasks each, the last one smaller.</summary>
    internal static IEnumerable<TaskRange> Split(TaskRange range)
    {
        var size = Width;
        while ((range.Count + size - 1) / size > Width) size *= Width;
        for (var first = 0; first < range.Count; first += size)
            yield return range with { First = range.First + first, Count = Math.Min(size, range.Count - first) };
    }

    static async Task<Failure?> TaskAsync(WorkflowContext context, TaskRange range, int task)
    {
        try
        {
            return (await context.CallAsync<Reply>(WorkflowNames.RunTask, new TaskTicket(range.Run, range.Step, task))).Failure;
        }
        catch (WorkflowTaskFailedException e)
        {
            return e.ToFailure(range.Step, task);
        }
    }

    static async Task<Failure?> ChildAsync(WorkflowContext context, TaskRange part)
    {
        try
        {
            return (await context.CallChildWorkflowAsync<Reply>(WorkflowNames.Tasks, part)).Failure;
        }
        catch (WorkflowTaskFailedException e)
        {
            return e.ToFailure(part.Step);
        }
    }
}
