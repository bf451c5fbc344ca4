using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>What a turn takes from the outside world, so that the turn itself is a function.</summary>
/// <param name="AppId">The main app's.</param>
/// <param name="Now">Timestamp of the events that this turn makes.</param>
/// <param name="NewExecutionId">For children and for continuing as new.</param>
readonly record struct TurnContext(string AppId, Timestamp Now, Func<string> NewExecutionId)
{
    /// <summary>The app id that an instance's events are routed from.</summary>
    public string NameOf(Instance instance) => instance.App ?? AppId;

    /// <summary>The key of an instance of the named app; no name = the app of <paramref name="by"/>.</summary>
    public string Key(Instance by, string? appId, string id) =>
        InstanceKey.OfApp(by.App, appId, AppId, id);

    public string ChildKey(Instance parent, HistoryEvent created) =>
        Key(parent, created.Router?.TargetAppID, created.ChildWorkflowInstanceCreated.InstanceId);

    public string ParentKey(Instance child, ParentInstanceInfo parent) => Key(child, parent.AppID, parent.WorkflowInstance.InstanceId);
}

/// <summary>History events as the sidecar makes them. Only an event that an action makes has an id other than -1: the action's.</summary>
static class Events
{
    const int NoId = -1;
    const int MostCauses = 32;

    public static HistoryEvent TurnStarted(Timestamp now) => New(now, e => e.WorkflowStarted = new WorkflowStartedEvent());

    public static HistoryEvent Suspended(Timestamp now, string? reason) =>
        New(now, e => e.ExecutionSuspended = new ExecutionSuspendedEvent { Input = reason });

    public static HistoryEvent Resumed(Timestamp now, string? reason) =>
        New(now, e => e.ExecutionResumed = new ExecutionResumedEvent { Input = reason });

    public static HistoryEvent Terminated(Timestamp now, string? output, bool recurse) =>
        New(now, e => e.ExecutionTerminated = new ExecutionTerminatedEvent { Input = output, Recurse = recurse });

    public static HistoryEvent Raised(Timestamp now, string name, string? input) =>
        New(now, e => e.EventRaised = new EventRaisedEvent { Name = name, Input = input });

    public static HistoryEvent TimerFired(Timestamp now, HistoryEvent created) =>
        New(now, e => e.TimerFired = new TimerFiredEvent { TimerId = created.EventId, FireAt = created.TimerCreated.FireAt });

    /// <param name="now">When it is started.</param>
    /// <param name="appId">Starts it.</param>
    /// <param name="started">What is started.</param>
    /// <param name="targetAppId">Runs it; null or empty = the same app.</param>
    public static HistoryEvent Started(Timestamp now, string appId, ExecutionStartedEvent started, string? targetAppId = null)
    {
        var e = New(now, e => (e.ExecutionStarted, e.Router) = (started, new TaskRouter { SourceAppID = appId }));
        if (!string.IsNullOrEmpty(targetAppId))
            e.Router.TargetAppID = targetAppId;
        return e;
    }

    public static HistoryEvent TaskCompleted(Timestamp now, HistoryEvent scheduled, string? result) => New(now, e =>
    {
        e.TaskCompleted = new TaskCompletedEvent
        {
            TaskScheduledId = scheduled.EventId,
            Result = result,
            TaskExecutionId = scheduled.TaskScheduled.TaskExecutionId,
        };
        e.Router = scheduled.Router;
    });

    public static HistoryEvent TaskFailed(Timestamp now, HistoryEvent scheduled, TaskFailureDetails failure) => New(now, e =>
    {
        e.TaskFailed = new TaskFailedEvent
        {
            TaskScheduledId = scheduled.EventId,
            FailureDetails = Bounded(failure),
            TaskExecutionId = scheduled.TaskScheduled.TaskExecutionId,
        };
        e.Router = scheduled.Router;
    });

    /// <summary>What the parent is told about its child's end.</summary>
    public static HistoryEvent ChildEnded(Timestamp now, string appId, ParentInstanceInfo parent, string childId, ExecutionCompletedEvent end) => New(now, e =>
    {
        if (end.WorkflowStatus == OrchestrationStatus.Completed)
            e.ChildWorkflowInstanceCompleted = new ChildWorkflowInstanceCompletedEvent { TaskScheduledId = parent.TaskScheduledId, Result = end.Result };
        else
            e.ChildWorkflowInstanceFailed = new ChildWorkflowInstanceFailedEvent
            {
                TaskScheduledId = parent.TaskScheduledId,
                FailureDetails = end.FailureDetails ?? Failure("ChildWorkflowEnded", $"The child workflow '{childId}' ended as {end.WorkflowStatus}."),
            };
        e.Router = new TaskRouter { SourceAppID = appId };
        if (parent.HasAppID)
            e.Router.TargetAppID = parent.AppID;
    });

    public static HistoryEvent ChildFailed(Timestamp now, string appId, int taskScheduledId, TaskFailureDetails failure) => New(now, e =>
    {
        e.ChildWorkflowInstanceFailed = new ChildWorkflowInstanceFailedEvent { TaskScheduledId = taskScheduledId, FailureDetails = failure };
        e.Router = new TaskRouter { SourceAppID = appId };
    });

    public static TaskFailureDetails Failure(string type, string message) => new() { ErrorType = type, ErrorMessage = message, IsNonRetriable = true };

    /// <summary>
    /// A peer's failure with its innermost causes cut away when there are too many. Readers of protobuf end at a depth of 100: what is
    /// nested so deep that it just came in here could be read neither in a work item nor in the journal.
    /// </summary>
    public static TaskFailureDetails? Bounded(TaskFailureDetails? failure)
    {
        if (failure is null)
            return null;
        var bounded = failure.Clone();
        var last = bounded;
        for (var depth = 1; depth < MostCauses && last.InnerFailure is { } inner; depth++)
            last = inner;
        last.InnerFailure = null;
        return bounded;
    }

    /// <summary>A peer's timestamp as a time; what lies outside the calendar becomes its nearest end.</summary>
    public static DateTimeOffset TimeOf(Timestamp timestamp) => DateTimeOffset
        .FromUnixTimeSeconds(Math.Clamp(timestamp.Seconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds()))
        .AddTicks(Math.Clamp(timestamp.Nanos, 0, 999_999_999) / 100);

    static HistoryEvent New(Timestamp now, Action<HistoryEvent> fill)
    {
        var e = new HistoryEvent { EventId = NoId, Timestamp = now };
        fill(e);
        return e;
    }
}
