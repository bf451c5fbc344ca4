using Dapr.Workflow;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>The steps of one run: whichever ends starts those that waited for it last.</summary>
/// <remarks>
/// No task here has two awaiters: .NET continues only one of them on the thread that completes the task and hands the others to the pool, where a workflow's code
/// would run beside itself and ask for its activities in an order that no replay repeats.
/// </remarks>
sealed class RunningSteps(WorkflowContext context, RunId run)
{
    readonly TaskCompletionSource<Failure?> _end = new();
    IReadOnlyList<StepNode> _steps = [];
    int[] _missing = [];
    int _running;
    Failure? _failure;

    public int Count => _steps.Count;

    /// <returns>The first failure; null when every step is committed.</returns>
    public Task<Failure?> RunAsync(IReadOnlyList<StepNode> steps)
    {
        (_steps, _missing) = (steps, [.. steps.Select(s => s.Needs.Count)]);
        // Counted as running itself, so that a first step that ends at once is not the end.
        _running = 1;
        for (var n = 0; n < steps.Count; n++)
            if (_missing[n] == 0) _ = StepAsync(n);
        EndOne();
        return _end.Task;
    }

    async Task StepAsync(int n)
    {
        _running++;
        var step = _steps[n].Name;
        try
        {
            if (await RunAsync(step) is { } failure) _failure ??= failure with { Step = failure.Step ?? step };
        }
        catch (WorkflowTaskFailedException e)
        {
            _failure ??= e.ToFailure(step);
        }
        catch (Exception e)
        {
            _end.TrySetException(e);
        }
        for (var waiting = n + 1; waiting < _steps.Count; waiting++)
            if (_steps[waiting].Needs.Contains(n) && --_missing[waiting] == 0 && _failure is null) _ = StepAsync(waiting);
        EndOne();
    }

    void EndOne()
    {
        if (--_running == 0) _end.TrySetResult(_failure);
    }

    async Task<Failure?> RunAsync(StepName step)
    {
        var planned = await context.CallAsync<StepReply>(WorkflowNames.PlanStep, new StepTicket(run, step));
        if (planned.Failure is not null || planned.Committed) return planned.Failure;
        if (await TaskFanOut.RunAsync(context, new(run, step, 0, planned.Tasks, planned.AtOnce)) is { } failure) return failure;
        return (await context.CallAsync<Reply>(WorkflowNames.CommitStep, new CommitTicket(run, step, planned.Tasks))).Failure;
    }
}
