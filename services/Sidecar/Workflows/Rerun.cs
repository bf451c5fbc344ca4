using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>A finished instance once more from one of its activities, timers or children: a function of its history.</summary>
static class Rerun
{
    /// <summary>
    /// A new instance with the source's history up to the event, whose action is done again; so are those before it that had no
    /// result by then. Children that are started again get ids of the new instance.
    /// </summary>
    /// <returns>The refusals are daprd's.</returns>
    public static (Outcome? Outcome, Fault? Fault) Fork(Instance source, string newId, RerunWorkflowFromEventRequest request, TurnContext context)
    {
        if (!source.IsTerminal)
            return Refuse(GrpcStatusCode.InvalidArgument, $"'{source.WireId}' is not in a terminal state");
        if (source.ParentId is not null)
            return Refuse(GrpcStatusCode.InvalidArgument, $"'{source.WireId}': cannot rerun from child-workflows");

        var at = source.History.ToList().FindIndex(e => e.EventId == unchecked((int)request.EventID));
        if (at < 0)
            return Refuse(GrpcStatusCode.NotFound, $"does not have history event with ID '{request.EventID}'");
        if (Check(source.History[at], request) is { } fault)
            return (null, fault);

        // A scratch instance tells what is open at that point.
        var key = InstanceKey.Of(source.App, newId);
        var begun = new Instance(key);
        begun.Apply(new InstanceChange { InstanceId = key, HistoryAdded = { source.History.Take(at + 1) } });

        var executionId = context.NewExecutionId();
        var change = new InstanceChange { InstanceId = key, Reset = true, SetsCustomStatus = true };
        var messages = new List<Outgoing>();
        foreach (var original in begun.History)
        {
            var e = original.Clone();
            if (ReferenceEquals(original, source.History[at]))
                Mark(e, source.WireId, request, context);
            if (e.ExecutionStarted is { } started)
                started.WorkflowInstance = new WorkflowInstance { InstanceId = newId, ExecutionId = executionId };
            else if (e.ChildWorkflowInstanceCreated is { } child && begun.OpenChildren.ContainsKey(e.EventId))
                messages.Add(StartChild(e, child, newId, executionId, request, isTarget: ReferenceEquals(original, source.History[at]), begun, context));
            change.HistoryAdded.Add(e);
        }

        return (new Outcome(change, messages), null);
    }

    static Fault? Check(HistoryEvent target, RerunWorkflowFromEventRequest request)
    {
        if (target.TaskScheduled is not null)
            return request.HasNewChildWorkflowInstanceID ? Invalid($"cannot set new child workflow instance ID on activity event '{request.EventID}'") : null;
        if (target.TimerCreated is not null)
        {
            return request.OverwriteInput ? Invalid($"cannot write input to timer event '{request.EventID}'")
                : request.HasNewChildWorkflowInstanceID ? Invalid($"cannot set new child workflow instance ID on timer event '{request.EventID}'")
                : null;
        }

        return target.ChildWorkflowInstanceCreated is not null
            ? null
            : new Fault(GrpcStatusCode.NotFound, $"target event '{target.EventTypeCase}' with ID '{request.EventID}' is not an event that can be rerun");
    }

    static void Mark(HistoryEvent e, string sourceId, RerunWorkflowFromEventRequest request, TurnContext context)
    {
        e.Timestamp = context.Now;
        var from = new RerunParentInstanceInfo { InstanceID = sourceId };
        if (e.TaskScheduled is { } task)
        {
            task.RerunParentInstanceInfo = from;
            if (request.OverwriteInput)
                task.Input = request.Input;
        }
        else if (e.TimerCreated is { } timer)
        {
            timer.RerunParentInstanceInfo = from;
        }
        else if (e.ChildWorkflowInstanceCreated is { } child)
        {
            child.RerunParentInstanceInfo = from;
            if (request.OverwriteInput)
                child.Input = request.Input;
        }
    }

    static Outgoing StartChild(
        HistoryEvent e, ChildWorkflowInstanceCreatedEvent child, string newId, string executionId, RerunWorkflowFromEventRequest request, bool isTarget, Instance begun, TurnContext context)
    {
        child.InstanceId = isTarget && request.HasNewChildWorkflowInstanceID ? request.NewChildWorkflowInstanceID : $"{newId}:{e.EventId:x4}";
        return new Outgoing(context.ChildKey(begun, e), Events.Started(context.Now, context.NameOf(begun), new ExecutionStartedEvent
        {
            Name = child.Name,
            Version = child.Version,
            Input = child.Input,
            WorkflowInstance = new WorkflowInstance { InstanceId = child.InstanceId, ExecutionId = context.NewExecutionId() },
            ParentInstance = new ParentInstanceInfo
            {
                TaskScheduledId = e.EventId,
                Name = begun.Start?.ExecutionStarted.Name ?? "",
                WorkflowInstance = new WorkflowInstance { InstanceId = newId, ExecutionId = executionId },
                AppID = context.NameOf(begun),
            },
        }, e.Router?.TargetAppID));
    }

    static Fault Invalid(string message) => new(GrpcStatusCode.InvalidArgument, message);

    static (Outcome?, Fault?) Refuse(GrpcStatusCode code, string message) => (null, new Fault(code, message));
}
