using LeanPipe.DaprWire;

namespace Dapr.Workflow.Replay;

/// <summary>The numbered calls of one replay, held against what the history has recorded under the same numbers.</summary>
sealed class TaskLedger
{
    readonly SortedDictionary<int, OpenTask> _tasks = [];

    // Results whose call has not been made yet; the call finds them.
    readonly Dictionary<int, HistoryEvent> _early = [];
    int _next;

    /// <summary>The number that the next call gets.</summary>
    public int NextId => _next;

    public bool HasOpen => _tasks.Values.Any(task => !task.IsDone && task.Kind is not (TaskKind.SentEvent or TaskKind.ContinueAsNew));

    /// <summary>What the sidecar does not know yet, by number.</summary>
    public IEnumerable<WorkflowAction> Unrecorded => _tasks.Values.Where(task => !task.IsRecorded).Select(task => task.Action);

    public void Add(OpenTask task)
    {
        task.Action.Id = _next++;
        _tasks.Add(task.Id, task);
        if (_early.Remove(task.Id, out var e))
        {
            Resolve(e);
        }
    }

    /// <summary>Takes an action back that no history has seen; its number stays used.</summary>
    public void Withdraw(OpenTask task) => _tasks.Remove(task.Id);

    /// <exception cref="NonDeterministicWorkflowException">The code did something else under this number, or nothing.</exception>
    public void Record(int id, TaskKind kind, string name)
    {
        if (!_tasks.TryGetValue(id, out var task))
        {
            throw new NonDeterministicWorkflowException(
                $"Call {id} is {OpenTask.Describe(kind, name)} in the history, but the code has made only {_next} calls so far. {Advice}");
        }

        if (task.Kind != kind || !task.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        {
            throw new NonDeterministicWorkflowException(
                $"Call {id} is {OpenTask.Describe(kind, name)} in the history, but the code asks for {task}. {Advice}");
        }

        task.IsRecorded = true;
    }

    /// <summary>Ends the task that the event resolves; the first resolution counts.</summary>
    /// <exception cref="NonDeterministicWorkflowException">The event belongs to another kind of call than the code made.</exception>
    public void Resolve(HistoryEvent e)
    {
        var (id, kind) = Subject(e);
        if (!_tasks.TryGetValue(id, out var task))
        {
            if (ByExecutionId(e) is not { } found)
            {
                _early.TryAdd(id, e);
                return;
            }

            task = found;
        }

        if (task.Kind != kind)
        {
            throw new NonDeterministicWorkflowException(
                $"The history has a result of {OpenTask.Describe(kind, string.Empty)} for call {id}, but the code asks for {task}. {Advice}");
        }

        switch (e.EventTypeCase)
        {
            case HistoryEvent.EventTypeOneofCase.TaskCompleted:
                task.Complete(e.TaskCompleted.Result);
                break;
            case HistoryEvent.EventTypeOneofCase.TaskFailed:
                task.Fail(Failures.Activity(e.TaskFailed.FailureDetails));
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCompleted:
                task.Complete(e.ChildWorkflowInstanceCompleted.Result);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceFailed:
                task.Fail(Failures.Child(task.Name, e.ChildWorkflowInstanceFailed.FailureDetails));
                break;
            default:
                task.Complete(json: null);
                break;
        }
    }

    const string Advice = "The workflow's code changed under a running instance, or does not do the same on every run: "
        + "keep the old code registered under its name and start new instances under a new one.";

    static (int Id, TaskKind Kind) Subject(HistoryEvent e) => e.EventTypeCase switch
    {
        HistoryEvent.EventTypeOneofCase.TaskCompleted => (e.TaskCompleted.TaskScheduledId, TaskKind.Activity),
        HistoryEvent.EventTypeOneofCase.TaskFailed => (e.TaskFailed.TaskScheduledId, TaskKind.Activity),
        HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCompleted => (e.ChildWorkflowInstanceCompleted.TaskScheduledId, TaskKind.ChildWorkflow),
        HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceFailed => (e.ChildWorkflowInstanceFailed.TaskScheduledId, TaskKind.ChildWorkflow),
        _ => (e.TimerFired.TimerId, TaskKind.Timer),
    };

    OpenTask? ByExecutionId(HistoryEvent e)
    {
        var executionId = e.TaskCompleted?.TaskExecutionId ?? e.TaskFailed?.TaskExecutionId;
        return string.IsNullOrEmpty(executionId)
            ? null
            : _tasks.Values.FirstOrDefault(task => task.Action.ScheduleTask?.TaskExecutionId == executionId);
    }
}
