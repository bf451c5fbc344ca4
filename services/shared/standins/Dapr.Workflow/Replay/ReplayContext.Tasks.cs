using Dapr.Workflow.Serialization;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;

namespace Dapr.Workflow.Replay;

/// <summary>Activities, timers and children, and the retries around them.</summary>
sealed partial class ReplayContext
{
    // The latest instant that protobuf can say; the official worker's sign for a wait without end.
    static readonly Timestamp Never = new() { Seconds = 253402300799, Nanos = 999999999 };

    public override Task<T> CallActivityAsync<T>(string name, object? input = null, WorkflowTaskOptions? options = null)
    {
        Enter();
        ArgumentException.ThrowIfNullOrEmpty(name);
        var json = Payloads.Write(input);
        if (options?.RetryPolicy is not { } policy)
        {
            return ScheduleActivity<T>(name, json, options);
        }

        var first = new TimerOriginActivityRetry { TaskExecutionId = _ids.TaskExecution(_tasks.NextId, name) };
        return RetryAsync(policy, () => ScheduleActivity<T>(name, json, options), timer => timer.ActivityRetry = first);
    }

    public override Task<TResult> CallChildWorkflowAsync<TResult>(
        string workflowName, object? input = null, ChildWorkflowTaskOptions? options = null)
    {
        Enter();
        ArgumentException.ThrowIfNullOrEmpty(workflowName);
        var json = Payloads.Write(input);
        var firstInstanceId = ChildId(options);
        if (options?.RetryPolicy is not { } policy)
        {
            return ScheduleChild<TResult>(workflowName, firstInstanceId, json, options);
        }

        string? nextInstanceId = firstInstanceId;
        return RetryAsync(
            policy,
            () =>
            {
                var instanceId = nextInstanceId ?? ChildId(options);
                nextInstanceId = null;
                return ScheduleChild<TResult>(workflowName, instanceId, json, options);
            },
            timer => timer.ChildWorkflowRetry = new TimerOriginChildWorkflowRetry { InstanceId = firstInstanceId });
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        Enter();
        if (fireAt.Kind != DateTimeKind.Utc)
        {
            throw new ArgumentException($"A timer's time is of kind {fireAt.Kind}, expected UTC: build it from CurrentUtcDateTime.", nameof(fireAt));
        }

        var timer = ScheduleTimer(new CreateTimerAction { FireAt = fireAt.ToTimestamp(), CreateTimer = new TimerOriginCreateTimer() });
        cancellationToken.UnsafeRegister(static (state, token) => ((OpenTask)state!).Cancel(token), timer);
        return timer.Task;
    }

    /// <remarks>The timer takes its number before the events are looked at, whether or not one is there already.</remarks>
    public override async Task<T> WaitForExternalEventAsync<T>(string eventName, TimeSpan timeout)
    {
        Enter();
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        if (timeout == TimeSpan.Zero)
        {
            throw new TaskCanceledException($"No event '{eventName}' was waited for: the timeout is zero.");
        }

        var fireAt = timeout < TimeSpan.Zero ? Never : _clock.Add(timeout).ToTimestamp();
        var timer = ScheduleTimer(new CreateTimerAction { FireAt = fireAt, ExternalEvent = new TimerOriginExternalEvent { Name = eventName } });
        using var giveUp = new CancellationTokenSource();
        var raised = _events.Next<T>(eventName, giveUp.Token);
        if (await Task.WhenAny(raised, timer.Task) != raised)
        {
            giveUp.Cancel();
            throw new TaskCanceledException($"No event '{eventName}' came within {timeout}.");
        }

        timer.Cancel(CancellationToken.None);
        return await raised;
    }

    async Task<T> RetryAsync<T>(WorkflowRetryPolicy policy, Func<Task<T>> attempt, Action<CreateTimerAction> setOrigin)
    {
        var start = _clock;
        for (var failed = 0; ; failed++)
        {
            try
            {
                return await attempt();
            }
            catch (WorkflowTaskFailedException) when (failed + 1 < policy.MaxNumberOfAttempts && !IsTooLate(policy, start))
            {
                var timer = new CreateTimerAction { FireAt = _clock.Add(policy.DelayAfter(failed)).ToTimestamp() };
                setOrigin(timer);
                await ScheduleTimer(timer).Task;
            }
        }
    }

    bool IsTooLate(WorkflowRetryPolicy policy, DateTime start) =>
        policy.RetryTimeout != Timeout.InfiniteTimeSpan && _clock - start >= policy.RetryTimeout;

    Task<T> ScheduleActivity<T>(string name, string json, WorkflowTaskOptions? options)
    {
        var schedule = new ScheduleTaskAction { Name = name, Input = json, TaskExecutionId = _ids.TaskExecution(_tasks.NextId, name) };
        var action = new WorkflowAction { ScheduleTask = schedule };
        if (RouterTo(options) is { } router)
        {
            (action.Router, schedule.Router) = (router, router.Clone());
        }

        if (options is { PropagationScope: not HistoryPropagationScope.None and var scope })
        {
            schedule.HistoryPropagationScope = (LeanPipe.DaprWire.HistoryPropagationScope)scope;
        }

        return Schedule<T>(TaskKind.Activity, name, action);
    }

    Task<T> ScheduleChild<T>(string name, string instanceId, string json, ChildWorkflowTaskOptions? options)
    {
        var create = new CreateChildWorkflowAction { Name = name, InstanceId = instanceId, Input = json };
        var action = new WorkflowAction { CreateChildWorkflow = create };
        if (RouterTo(options) is { } router)
        {
            (action.Router, create.Router) = (router, router.Clone());
        }

        if (options is { PropagationScope: not HistoryPropagationScope.None and var scope })
        {
            create.HistoryPropagationScope = (LeanPipe.DaprWire.HistoryPropagationScope)scope;
        }

        return Schedule<T>(TaskKind.ChildWorkflow, name, action);
    }

    Task<T> Schedule<T>(TaskKind kind, string name, WorkflowAction action)
    {
        var task = new OpenTask<T>(kind, name, action, json => Payloads.Read<T>(json)!);
        _tasks.Add(task);
        return task.Task;
    }

    OpenTask<object?> ScheduleTimer(CreateTimerAction timer)
    {
        var task = new OpenTask<object?>(TaskKind.Timer, string.Empty, new WorkflowAction { CreateTimer = timer }, _ => null);
        _tasks.Add(task);
        return task;
    }

    string ChildId(ChildWorkflowTaskOptions? options) =>
        string.IsNullOrEmpty(options?.InstanceId) ? $"{_ids.NextGuid()}" : options.InstanceId;

    // Only a workflow that knows its own app can ask another one: the answer has to find its way back.
    TaskRouter? RouterTo(WorkflowTaskOptions? options) =>
        string.IsNullOrEmpty(options?.TargetAppId) || _history.AppId is null
            ? null
            : new TaskRouter { SourceAppID = _history.AppId, TargetAppID = options.TargetAppId };
}
