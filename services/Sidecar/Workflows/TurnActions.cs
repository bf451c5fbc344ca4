using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>Applies a worker's answer to a turn: one action after the other becomes events and messages.</summary>
sealed class TurnActions
{
    readonly Instance _instance;
    readonly TurnContext _context;
    readonly InstanceChange _change;
    readonly List<Outgoing> _messages = [];
    ExecutionCompletedEvent? _end;

    TurnActions(Instance instance, Turn turn, TurnContext context)
    {
        (_instance, _context) = (instance, context);
        _change = Turns.Change(instance, turn.Taken);
    }

    /// <summary>The worker cannot go on, now; the turn stays as it is, and is offered again to the next worker that connects.</summary>
    public static StalledReason? Stalls(Turn turn, WorkflowResponse response)
    {
        if (response.Actions.Any(a => a.WorkflowVersionNotAvailable is not null))
            return StalledReason.VersionNotAvailable;
        if (response.Version is null)
            return null;

        // A worker that lacks a patch which the history took would replay another path.
        var known = KnownPatches(turn);
        return response.Version.Patches.Take(known.Count).SequenceEqual(known) ? null : StalledReason.PatchMismatch;
    }

    public static Outcome Apply(Instance instance, Turn turn, WorkflowResponse response, TurnContext context)
    {
        var actions = new TurnActions(instance, turn, context);
        actions.Take(turn, response);

        // The official sidecar commits nothing of such a turn, ever; one that ends is heard of.
        var refused = response.Actions.FirstOrDefault(a => a.SendEvent is not null);
        if (refused is not null)
            actions.RefuseSendEvent(refused);
        foreach (var action in refused is null ? response.Actions : [])
        {
            if (action.CompleteWorkflow is { WorkflowStatus: OrchestrationStatus.ContinuedAsNew } again && actions._end is null)
                return actions.ContinueAsNew(turn, again);
            actions.Apply(action);
        }

        if (actions._end is { } end && Turns.ToParent(instance, end, context) is { } toParent)
            actions._messages.Add(toParent);
        return new Outcome(actions._change, actions._messages);
    }

    static List<string> KnownPatches(Turn turn) =>
        [.. turn.Past.Where(e => e.WorkflowStarted?.Version is not null).SelectMany(e => e.WorkflowStarted.Version.Patches)];

    void Take(Turn turn, WorkflowResponse response)
    {
        var started = turn.NewEvents[0].Clone();
        if (response.Version is { } version)
        {
            started.WorkflowStarted.Version = version.Clone();
            var known = KnownPatches(turn);
            started.WorkflowStarted.Version.Patches.Clear();
            started.WorkflowStarted.Version.Patches.Add(version.Patches.Skip(known.Count));
        }

        _change.HistoryAdded.Add(started);
        _change.HistoryAdded.Add(turn.NewEvents.Skip(1));
        _change.SetsCustomStatus = true;
        _change.CustomStatus = response.CustomStatus;
    }

    void Apply(WorkflowAction action)
    {
        switch (action.WorkflowActionTypeCase)
        {
            case WorkflowAction.WorkflowActionTypeOneofCase.ScheduleTask:
                ScheduleTask(action, action.ScheduleTask);
                break;
            case WorkflowAction.WorkflowActionTypeOneofCase.CreateTimer:
                CreateTimer(action, action.CreateTimer);
                break;
            case WorkflowAction.WorkflowActionTypeOneofCase.CreateChildWorkflow:
                CreateChild(action, action.CreateChildWorkflow);
                break;
            case WorkflowAction.WorkflowActionTypeOneofCase.CreateDetachedWorkflow:
                CreateDetached(action, action.CreateDetachedWorkflow);
                break;
            case WorkflowAction.WorkflowActionTypeOneofCase.TerminateWorkflow:
                var terminate = action.TerminateWorkflow;
                _messages.Add(new Outgoing(_context.Key(_instance, TargetOf(action), terminate.InstanceId), Events.Terminated(_context.Now, terminate.Reason, terminate.Recurse)));
                break;
            case WorkflowAction.WorkflowActionTypeOneofCase.CompleteWorkflow:
                Complete(action, action.CompleteWorkflow);
                break;
            default:
                Fail(action, "UnknownWorkflowAction", $"The worker answered with an action (id {action.Id}) that this sidecar does not know.");
                break;
        }
    }

    void ScheduleTask(WorkflowAction action, ScheduleTaskAction task)
    {
        var scheduled = Add(action, e => e.TaskScheduled = new TaskScheduledEvent
        {
            Name = task.Name,
            Version = task.Version,
            Input = task.Input,
            TaskExecutionId = task.TaskExecutionId,
        });
        if (task.HasHistoryPropagationScope)
            scheduled.TaskScheduled.HistoryPropagationScope = task.HistoryPropagationScope;
    }

    void CreateTimer(WorkflowAction action, CreateTimerAction timer) => Add(action, e =>
    {
        e.TimerCreated = new TimerCreatedEvent { FireAt = timer.FireAt ?? _context.Now };
        if (timer.HasName)
            e.TimerCreated.Name = timer.Name;
        switch (timer.OriginCase)
        {
            case CreateTimerAction.OriginOneofCase.CreateTimer:
                e.TimerCreated.CreateTimer = timer.CreateTimer;
                break;
            case CreateTimerAction.OriginOneofCase.ExternalEvent:
                e.TimerCreated.ExternalEvent = timer.ExternalEvent;
                break;
            case CreateTimerAction.OriginOneofCase.ActivityRetry:
                e.TimerCreated.ActivityRetry = timer.ActivityRetry;
                break;
            case CreateTimerAction.OriginOneofCase.ChildWorkflowRetry:
                e.TimerCreated.ChildWorkflowRetry = timer.ChildWorkflowRetry;
                break;
        }
    });

    void CreateChild(WorkflowAction action, CreateChildWorkflowAction child)
    {
        var id = child.InstanceId.Length > 0 ? child.InstanceId : $"{_instance.WireId}:{action.Id:x4}";
        var created = Add(action, e => e.ChildWorkflowInstanceCreated = new ChildWorkflowInstanceCreatedEvent
        {
            InstanceId = id,
            Name = child.Name,
            Version = child.Version,
            Input = child.Input,
        });
        if (child.HasHistoryPropagationScope)
            created.ChildWorkflowInstanceCreated.HistoryPropagationScope = child.HistoryPropagationScope;

        var start = _instance.Start?.ExecutionStarted;
        Start(action, id, child.Name, new ExecutionStartedEvent
        {
            Version = child.Version,
            Input = child.Input,
            ParentInstance = new ParentInstanceInfo
            {
                TaskScheduledId = action.Id,
                Name = start?.Name ?? "",
                WorkflowInstance = new WorkflowInstance { InstanceId = _instance.WireId, ExecutionId = _instance.ExecutionId },
                AppID = _context.NameOf(_instance),
            },
        });
    }

    void CreateDetached(WorkflowAction action, CreateDetachedWorkflowAction detached)
    {
        if (detached.InstanceId.Length == 0)
        {
            Fail(action, "InstanceIdMissing", $"The worker started the detached workflow '{detached.Name}' without an instance id.");
            return;
        }

        Add(action, e => e.DetachedWorkflowInstanceCreated = new DetachedWorkflowInstanceCreatedEvent { InstanceId = detached.InstanceId });
        Start(action, detached.InstanceId, detached.Name, new ExecutionStartedEvent
        {
            Version = detached.Version,
            Input = detached.Input,
            ScheduledStartTimestamp = detached.ScheduledStartTimestamp,
            ParentTraceContext = detached.ParentTraceContext,
            Tags = { detached.Tags },
        });
    }

    void Start(WorkflowAction action, string id, string name, ExecutionStartedEvent started)
    {
        started.Name = name;
        started.WorkflowInstance = new WorkflowInstance { InstanceId = id, ExecutionId = _context.NewExecutionId() };
        var target = TargetOf(action);
        _messages.Add(new Outgoing(_context.Key(_instance, target, id), Events.Started(_context.Now, _context.NameOf(_instance), started, target)));
    }

    void RefuseSendEvent(WorkflowAction action) => Fail(
        action,
        "SendEventNotSupported",
        $"The workflow sent the event '{action.SendEvent.Name}' to the instance '{action.SendEvent.Instance?.InstanceId}' by SendEvent (id {action.Id}), "
        + "which a Dapr sidecar does not deliver: on daprd the turn never ends. Call an activity that raises the event through the workflow client (RaiseEventAsync).");

    void Complete(WorkflowAction action, CompleteWorkflowAction complete)
    {
        if (_end is not null)
            return;
        _end = new ExecutionCompletedEvent
        {
            WorkflowStatus = complete.WorkflowStatus,
            Result = complete.Result,
            FailureDetails = Events.Bounded(complete.FailureDetails),
        };
        Add(action, e => e.ExecutionCompleted = _end);
    }

    void Fail(WorkflowAction action, string type, string message) => Complete(action, new CompleteWorkflowAction
    {
        WorkflowStatus = OrchestrationStatus.Failed,
        FailureDetails = Events.Failure(type, message),
    });

    /// <remarks>As the engine of the official sidecar does: nothing of the old generation is kept, not even what this turn scheduled before.</remarks>
    Outcome ContinueAsNew(Turn turn, CompleteWorkflowAction again)
    {
        var started = turn.Past.Concat(turn.NewEvents).Last(e => e.ExecutionStarted is not null).ExecutionStarted.Clone();
        started.Input = again.Result;
        started.WorkflowInstance.ExecutionId = _context.NewExecutionId();
        started.ScheduledStartTimestamp = null;
        var change = new InstanceChange
        {
            InstanceId = _instance.Id,
            Reset = true,
            Generation = _instance.Generation + 1,
            InboxAdded = { Events.Started(_context.Now, _context.NameOf(_instance), started), again.CarryoverEvents.Where(e => e.EventRaised is not null) },
            SetsCustomStatus = true,
            CustomStatus = _change.CustomStatus,
        };
        change.InboxAdded.Add(_instance.Inbox.Skip(turn.Taken).Where(Inbox.OutlivesGeneration));
        return new Outcome(change, []);
    }

    HistoryEvent Add(WorkflowAction action, Action<HistoryEvent> fill)
    {
        var router = action.Router?.Clone() ?? new TaskRouter();
        router.SourceAppID = _context.NameOf(_instance);
        var e = new HistoryEvent { EventId = action.Id, Timestamp = _context.Now, Router = router };
        fill(e);
        _change.HistoryAdded.Add(e);
        return e;
    }

    static string? TargetOf(WorkflowAction action) => action.Router?.TargetAppID;
}
