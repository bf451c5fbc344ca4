using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>What a worker is asked to decide: the events so far, and those that it has not seen.</summary>
/// <param name="Past">Committed history.</param>
/// <param name="NewEvents">A fresh WorkflowStarted, then the inbox.</param>
/// <param name="Taken">How many events of the inbox's front are in it.</param>
sealed record Turn(IReadOnlyList<HistoryEvent> Past, IReadOnlyList<HistoryEvent> NewEvents, int Taken);

/// <summary>An event on its way to another instance.</summary>
/// <param name="InstanceId">The key of who receives it.</param>
/// <param name="Event">ExecutionStarted starts the instance; anything else enters its inbox.</param>
/// <param name="ExecutionId">The execution it is meant for; null = whichever runs.</param>
sealed record Outgoing(string InstanceId, HistoryEvent Event, string? ExecutionId = null);

/// <summary>What a turn comes to. Change and messages become durable together.</summary>
sealed record Outcome(InstanceChange Change, IReadOnlyList<Outgoing> Messages);

/// <summary>The turn model: functions of an instance's state, without clock, disk or network.</summary>
static class Turns
{
    public static Turn Begin(Instance instance, TurnContext context) =>
        new([.. instance.History], [Events.TurnStarted(context.Now), .. instance.Inbox], instance.Inbox.Count);

    /// <summary>Suspended, or told to before its first turn: events are kept, no turn is due.</summary>
    public static bool IsHeld(Instance instance) =>
        instance.Suspended || (instance.Started is null && instance.Inbox.Any(e => e.ExecutionSuspended is not null));

    public static OrchestrationStatus Status(Instance instance)
    {
        if (instance.Completed is { } completed)
            return completed.WorkflowStatus;
        if (IsHeld(instance))
            return OrchestrationStatus.Suspended;

        // Between two generations the new start still waits in the inbox, but the instance has long been running.
        return instance.Started is null && instance.Generation == 0 ? OrchestrationStatus.Pending : OrchestrationStatus.Running;
    }

    /// <summary>
    /// What the sidecar decides without a worker: terminate at once, even under a turn in flight, whose answer is then void;
    /// suspend and resume between two turns. Null when nothing of that kind is in the inbox.
    /// </summary>
    public static Outcome? Control(Instance instance, bool turnInFlight, TurnContext context)
    {
        if (instance.IsTerminal)
            return instance.Inbox.Count == 0 ? null : new Outcome(Change(instance, taken: instance.Inbox.Count), []);
        if (instance.Inbox.FirstOrDefault(e => e.ExecutionTerminated is not null) is { } terminated)
            return Terminate(instance, terminated, context);
        return turnInFlight ? null : SuspendOrResume(instance, context);
    }

    /// <summary>The empty change that takes the front of the inbox.</summary>
    public static InstanceChange Change(Instance instance, int taken) => new()
    {
        InstanceId = instance.Id,
        Generation = instance.Generation,
        InboxRemoved = { Enumerable.Range(0, taken) },
    };

    /// <summary>The message for the parent, if there is one.</summary>
    public static Outgoing? ToParent(Instance instance, ExecutionCompletedEvent end, TurnContext context) =>
        instance.Start?.ExecutionStarted.ParentInstance is { } parent
            ? new Outgoing(
                context.ParentKey(instance, parent),
                Events.ChildEnded(context.Now, context.NameOf(instance), parent, instance.WireId, end),
                parent.WorkflowInstance.ExecutionId)
            : null;

    static Outcome Terminate(Instance instance, HistoryEvent terminated, TurnContext context)
    {
        var end = new ExecutionCompletedEvent
        {
            WorkflowStatus = OrchestrationStatus.Terminated,
            Result = terminated.ExecutionTerminated.Input,
        };
        var change = Change(instance, taken: instance.Inbox.Count);
        change.HistoryAdded.Add(Events.TurnStarted(context.Now));
        change.HistoryAdded.Add(instance.Inbox.TakeWhile(e => !ReferenceEquals(e, terminated)));
        change.HistoryAdded.Add(terminated);
        change.HistoryAdded.Add(new HistoryEvent { EventId = -1, Timestamp = context.Now, ExecutionCompleted = end });

        var messages = new List<Outgoing>();
        if (terminated.ExecutionTerminated.Recurse)
        {
            messages.AddRange(instance.OpenChildren.Values.Select(child => new Outgoing(
                context.ChildKey(instance, child),
                Events.Terminated(context.Now, terminated.ExecutionTerminated.Input, recurse: true))));
        }

        if (ToParent(instance, end, context) is { } toParent)
            messages.Add(toParent);
        return new Outcome(change, messages);
    }

    static Outcome? SuspendOrResume(Instance instance, TurnContext context)
    {
        var change = Change(instance, taken: 0);
        var suspended = instance.Suspended;
        var held = -1;
        for (var i = 0; i < instance.Inbox.Count; i++)
        {
            var e = instance.Inbox[i];
            var suspends = e.ExecutionSuspended is not null;
            if (!suspends && e.ExecutionResumed is null)
                continue;

            if (instance.Started is null)
            {
                // A worker must see the start first, so the order to suspend waits in the inbox until it is revoked.
                if (suspends && held < 0)
                {
                    held = i;
                    continue;
                }

                if (!suspends && held >= 0)
                {
                    change.InboxRemoved.Add(held);
                    held = -1;
                }
            }
            else if (suspends != suspended)
            {
                change.HistoryAdded.Add(Events.TurnStarted(context.Now));
                change.HistoryAdded.Add(e);
                suspended = suspends;
            }

            change.InboxRemoved.Add(i);
        }

        if (change.InboxRemoved.Count == 0)
            return null;
        var ascending = change.InboxRemoved.Order().ToList();
        change.InboxRemoved.Clear();
        change.InboxRemoved.Add(ascending);
        return new Outcome(change, []);
    }
}
