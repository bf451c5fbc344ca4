using LeanPipe.DaprWire;

namespace LeanPipe.Sidecar.State;

/// <summary>What is durable about one workflow instance. Changed by <see cref="Apply"/> only, live as in a replay.</summary>
sealed class Instance(string id)
{
    readonly List<HistoryEvent> _history = [];
    readonly List<HistoryEvent> _inbox = [];
    readonly Dictionary<int, HistoryEvent> _openTasks = [];
    readonly Dictionary<int, HistoryEvent> _openTimers = [];
    readonly Dictionary<int, HistoryEvent> _openChildren = [];

    /// <summary>The key; see <see cref="InstanceKey"/>.</summary>
    public string Id { get; } = id;

    /// <summary>As workers and callers say it.</summary>
    public string WireId { get; } = InstanceKey.IdOf(id);

    /// <summary>Null = the main app.</summary>
    public string? App { get; } = InstanceKey.AppOf(id);

    public int Generation { get; private set; }

    /// <summary>Committed events, in order.</summary>
    public IReadOnlyList<HistoryEvent> History => _history;

    /// <summary>Events that no turn has taken yet, in order of arrival.</summary>
    public IReadOnlyList<HistoryEvent> Inbox => _inbox;

    /// <summary>Serialized size of the history.</summary>
    public long HistoryBytes { get; private set; }

    /// <summary>Serialized size of the inbox.</summary>
    public long InboxBytes { get; private set; }

    public string? CustomStatus { get; private set; }

    /// <summary>Scheduled activities without a result in history or inbox, by the id of their action.</summary>
    public IReadOnlyDictionary<int, HistoryEvent> OpenTasks => _openTasks;

    public IReadOnlyDictionary<int, HistoryEvent> OpenTimers => _openTimers;

    public IReadOnlyDictionary<int, HistoryEvent> OpenChildren => _openChildren;

    /// <summary>The ExecutionStarted event of the history; null before the first turn is committed.</summary>
    public HistoryEvent? Started { get; private set; }

    /// <summary>The ExecutionCompleted event of the history; the first counts.</summary>
    public HistoryEvent? End { get; private set; }

    public ExecutionCompletedEvent? Completed => End?.ExecutionCompleted;

    /// <summary>Suspended by an event of the history, and not resumed since.</summary>
    public bool Suspended { get; private set; }

    public bool IsTerminal => End is not null;

    /// <summary>The start, committed or still in the inbox.</summary>
    public HistoryEvent? Start => Started ?? _inbox.Find(e => e.ExecutionStarted is not null);

    /// <summary>The instance that started this one as its child, in whichever app; null = none.</summary>
    public string? ParentId => Start?.ExecutionStarted.ParentInstance?.WorkflowInstance?.InstanceId;

    /// <summary>Its key.</summary>
    public string? ParentKey(string mainAppId) => Start?.ExecutionStarted.ParentInstance is { WorkflowInstance: { } parent } info
        ? InstanceKey.OfApp(App, info.AppID, mainAppId, parent.InstanceId)
        : null;

    public string? ExecutionId => Start?.ExecutionStarted.WorkflowInstance?.ExecutionId;

    public void Apply(InstanceChange change)
    {
        if (change.Reset)
            Clear();
        Generation = change.Generation;
        for (var i = change.InboxRemoved.Count - 1; i >= 0; i--)
        {
            InboxBytes -= _inbox[change.InboxRemoved[i]].CalculateSize();
            _inbox.RemoveAt(change.InboxRemoved[i]);
        }

        foreach (var e in change.HistoryAdded)
        {
            _history.Add(e);
            HistoryBytes += e.CalculateSize();
            Track(e);
        }

        foreach (var e in change.InboxAdded)
        {
            _inbox.Add(e);
            InboxBytes += e.CalculateSize();
            TrackResolution(e);
        }

        if (change.SetsCustomStatus)
            CustomStatus = change.CustomStatus;
    }

    /// <summary>A change that builds this state from nothing.</summary>
    public InstanceChange Snapshot() => new()
    {
        InstanceId = Id,
        Reset = true,
        Generation = Generation,
        HistoryAdded = { _history },
        InboxAdded = { _inbox },
        SetsCustomStatus = true,
        CustomStatus = CustomStatus,
    };

    void Clear()
    {
        _history.Clear();
        (HistoryBytes, InboxBytes) = (0, 0);
        _inbox.Clear();
        _openTasks.Clear();
        _openTimers.Clear();
        _openChildren.Clear();
        (Started, End, Suspended) = (null, null, false);
    }

    void Track(HistoryEvent e)
    {
        switch (e.EventTypeCase)
        {
            case HistoryEvent.EventTypeOneofCase.ExecutionStarted:
                Started ??= e;
                break;
            case HistoryEvent.EventTypeOneofCase.ExecutionCompleted:
                End ??= e;
                break;
            case HistoryEvent.EventTypeOneofCase.ExecutionSuspended:
                Suspended = true;
                break;
            case HistoryEvent.EventTypeOneofCase.ExecutionResumed:
                Suspended = false;
                break;
            case HistoryEvent.EventTypeOneofCase.TaskScheduled:
                _openTasks[e.EventId] = e;
                break;
            case HistoryEvent.EventTypeOneofCase.TimerCreated:
                _openTimers[e.EventId] = e;
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCreated:
                _openChildren[e.EventId] = e;
                break;
            default:
                TrackResolution(e);
                break;
        }
    }

    void TrackResolution(HistoryEvent e)
    {
        switch (e.EventTypeCase)
        {
            case HistoryEvent.EventTypeOneofCase.TaskCompleted:
                _openTasks.Remove(e.TaskCompleted.TaskScheduledId);
                break;
            case HistoryEvent.EventTypeOneofCase.TaskFailed:
                _openTasks.Remove(e.TaskFailed.TaskScheduledId);
                break;
            case HistoryEvent.EventTypeOneofCase.TimerFired:
                _openTimers.Remove(e.TimerFired.TimerId);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCompleted:
                _openChildren.Remove(e.ChildWorkflowInstanceCompleted.TaskScheduledId);
                break;
            case HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceFailed:
                _openChildren.Remove(e.ChildWorkflowInstanceFailed.TaskScheduledId);
                break;
        }
    }
}
