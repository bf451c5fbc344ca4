using Dapr.Workflow;

namespace LeanPipe.Orchestrator;

/// <summary>A part of a large fan-out in a history of its own.</summary>
sealed class TasksWorkflow : Workflow<TaskRange, Reply>
{
    public override async Task<Reply> RunAsync(WorkflowContext context, TaskRange input) => new(await TaskFanOut.RunAsync(context, input));
}

/// <remarks>
/// A worker holds about a hundred activities, and one that waits for its turn to launch holds a place like one that runs: so a run asks for no more tasks at a time than
/// can make progress, or a large one would keep every other run from being planned until its last task was launched.
/// </remarks>
static class TaskFanOut
{
    /// <summary>A history holds at most so many tasks of a step, or so many children.</summary>
    public const int Width = 100;

    /// <summary>Two, so that the end of one child and the beginning of the next overlap.</summary>
    const int ChildrenAtOnce = 2;

    /// <returns>The failure of the first task, in their order, that failed: after it no further one was started, and every started one has ended.</returns>
    public static Task<Failure?> RunAsync(WorkflowContext context, TaskRange range) => range.Count <= Width
        ? InLanesAsync([.. Enumerable.Range(range.First, range.Count)], range.AtOnce, task => TaskAsync(context, range, task))
        : InLanesAsync([.. Split(range)], ChildrenAtOnce, part => ChildAsync(context, part));

    /// <summary>Each lane takes the next item when its last one has ended: in the order of the history, so that a replay asks for the same in the same order.</summary>
    static async Task<Failure?> InLanesAsync<T>(IReadOnlyList<T> items, int lanes, Func<T, Task<Failure?>> run)
    {
        var failures = new Failure?[items.Count];
        var (next, failed) = (0, false);
        await Task.WhenAll(Enumerable.Range(0, Math.Clamp(lanes, 1, items.Count)).Select(_ => LaneAsync()));
        return failures.FirstOrDefault(failure => failure is not null);

        async Task LaneAsync()
        {
            while (next < items.Count && !failed)
            {
                var n = next++;
                failures[n] = await run(items[n]);
                failed |= failures[n] is not null;
            }
        }
    }

    /// <summary>At most <see cref="Width"/> parts of a power of <see cref="Width"/> tasks each, the last one smaller.</summary>
    internal static IEnumerable<TaskRange> Split(TaskRange range)
    {
        var size = Width;
        while ((range.Count + size - 1) / size > Width) size *= Width;
        for (var first = 0; first < range.Count; first += size)
            yield return range with
            {
                First = range.First + first,
                Count = Math.Min(size, range.Count - first),
                AtOnce = Math.Max(1, range.AtOnce / ChildrenAtOnce),
            };
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
