using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>What may enter an instance's inbox. Duplicates stop here, so a turn takes the inbox as it stands.</summary>
static class Inbox
{
    /// <summary>
    /// The first resolution of an open activity, timer or child counts; every other one is dropped: a second one, and one that
    /// belongs to nothing open in this generation, which would resolve whatever got the same id after a continue-as-new.
    /// </summary>
    /// <param name="instance">Takes the event.</param>
    /// <param name="e">The event on its way.</param>
    /// <param name="executionId">The execution that asked for it, when the sender knows; another one is not told.</param>
    public static bool Accepts(Instance instance, HistoryEvent e, string? executionId = null)
    {
        if (instance.IsTerminal)
            return false;
        if (!string.IsNullOrEmpty(executionId) && instance.ExecutionId is { } current && !string.Equals(current, executionId, StringComparison.Ordinal))
            return false;

        return e.EventTypeCase switch
        {
            HistoryEvent.EventTypeOneofCase.ExecutionStarted => instance.Start is null,
            HistoryEvent.EventTypeOneofCase.TaskCompleted => instance.OpenTasks.ContainsKey(e.TaskCompleted.TaskScheduledId),
            HistoryEvent.EventTypeOneofCase.TaskFailed => instance.OpenTasks.ContainsKey(e.TaskFailed.TaskScheduledId),
            HistoryEvent.EventTypeOneofCase.TimerFired => instance.OpenTimers.ContainsKey(e.TimerFired.TimerId),
            HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCompleted =>
                instance.OpenChildren.ContainsKey(e.ChildWorkflowInstanceCompleted.TaskScheduledId),
            HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceFailed =>
                instance.OpenChildren.ContainsKey(e.ChildWorkflowInstanceFailed.TaskScheduledId),
            HistoryEvent.EventTypeOneofCase.EventRaised => !IsRepeated(instance, e),
            _ => true,
        };
    }

    /// <summary>Events that outlive a continue-as-new: what the outside sent. Results of the old generation's own actions do not.</summary>
    public static bool OutlivesGeneration(HistoryEvent e) => e.EventTypeCase is
        HistoryEvent.EventTypeOneofCase.EventRaised or
        HistoryEvent.EventTypeOneofCase.ExecutionSuspended or
        HistoryEvent.EventTypeOneofCase.ExecutionResumed or
        HistoryEvent.EventTypeOneofCase.ExecutionTerminated;

    // Events are stamped uniquely when they come in, so name and time tell a redelivery from a second event; the newest come last.
    static bool IsRepeated(Instance instance, HistoryEvent e) => instance.Inbox.Any(known =>
        known.EventRaised is { } raised
        && string.Equals(raised.Name, e.EventRaised.Name, StringComparison.Ordinal)
        && Equals(known.Timestamp, e.Timestamp));
}
