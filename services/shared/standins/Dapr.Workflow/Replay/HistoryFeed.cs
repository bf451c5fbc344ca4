using LeanPipe.DaprWire;

namespace Dapr.Workflow.Replay;

/// <summary>Lets one event after the other happen to a workflow. While the instance is suspended, events wait in order for the resume.</summary>
sealed class HistoryFeed(TaskLedger tasks, NamedEvents events, Action<DateTime> clock)
{
    readonly Queue<HistoryEvent> _held = new();

    public bool IsSuspended { get; private set; }

    public void Next(HistoryEvent e)
    {
        switch (e.EventTypeCase)
        {
            case HistoryEvent.EventTypeOneofCase.ExecutionSuspended:
                IsSuspended = true;
                break;
            case HistoryEvent.EventTypeOneofCase.ExecutionResumed:
                IsSuspended = false;
                while (_held.TryDequeue(out var held))
                {
                    Happen(held);
                }

                break;
            default:
                if (IsSuspended)
                {
                    _held.Enqueue(e);
                }
                else
                {
                    Happen(e);
                }

                break;
        }
    }

    void Happen(HistoryEvent e)
    {
        switch (e.EventTypeCase)
        {
            case HistoryEvent.EventTypeOneofCase.WorkflowStarted:
                if (e.Timestamp is { } time)
                {
                    clock(time.ToDateTime());
                }

                break;
            case HistoryEvent.EventTypeOneofCase.TaskScheduled:
                tasks.Record(e.EventId, TaskKind.Activity, e.TaskScheduled.Name);
                break;
            case HistoryEvent.EventTypeOneofCase.TimerCreated:
                tasks.Record(e.EventId, TaskKind.Timer, string.Empty);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCreated:
                tasks.Record(e.EventId, TaskKind.ChildWorkflow, e.ChildWorkflowInstanceCreated.Name);
                break;
            case HistoryEvent.EventTypeOneofCase.EventSent:
                tasks.Record(e.EventId, TaskKind.SentEvent, e.EventSent.Name);
                break;
            case HistoryEvent.EventTypeOneofCase.TaskCompleted:
            case HistoryEvent.EventTypeOneofCase.TaskFailed:
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCompleted:
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceFailed:
            case HistoryEvent.EventTypeOneofCase.TimerFired:
                tasks.Resolve(e);
                break;
            case HistoryEvent.EventTypeOneofCase.EventRaised:
                events.Raise(e);
                break;
            default:
                // The workflow has no part in the others: start and end are the turn's, a termination counts only as the last event.
                break;
        }
    }
}
