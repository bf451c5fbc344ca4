using Dapr.Workflow.Serialization;
using LeanPipe.DaprWire;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Replay;

/// <summary>The context of one turn: hands out numbers for calls, and tasks that the history ends.</summary>
/// <remarks>
/// Numbers are taken at the moment of the call, as the official worker takes them: activities, timers (those of retries and of event
/// timeouts too), children, sent events and continue-as-new take one; waiting for an event, GUIDs, patches and the status take none.
/// </remarks>
sealed partial class ReplayContext : WorkflowContext
{
    readonly TurnHistory _history;
    readonly ILoggerFactory _loggers;
    readonly DeterministicIds _ids;
    readonly TaskLedger _tasks = new();
    readonly NamedEvents _events;
    readonly Dictionary<string, bool> _patches = new(StringComparer.Ordinal);
    readonly int _thread = Environment.CurrentManagedThreadId;
    DateTime _clock;
    bool _isReplaying;
    bool _isOver;
    OpenTask? _continueAsNew;
    bool _carriesEventsOver;

    public ReplayContext(TurnHistory history, Payloads payloads, ILoggerFactory loggers)
    {
        _history = history;
        Payloads = payloads;
        _events = new NamedEvents(payloads);
        _loggers = loggers;
        _ids = new DeterministicIds(history.InstanceId, history.ExecutionId);
        _clock = history.Clock;
        _isReplaying = history.Past.Count > 0;
        Feed = new HistoryFeed(_tasks, _events, time => _clock = time);
    }

    public HistoryFeed Feed { get; }

    public Payloads Payloads { get; }

    public override string Name => _history.Name;

    public override string InstanceId => _history.InstanceId;

    public override DateTime CurrentUtcDateTime => _clock;

    public override bool IsReplaying => _isReplaying;

    /// <summary>False when the workflow can only be waiting for something that no event will bring.</summary>
    public bool CanGoOn => _tasks.HasOpen || _events.HasWaiters;

    public string? CustomStatus { get; private set; }

    public bool ContinuesAsNew => _continueAsNew is not null;

    /// <summary>The past has been fed; what happens now has not happened before.</summary>
    public void GoLive() => _isReplaying = false;

    /// <summary>Ends the turn: whoever calls the context now runs outside of it.</summary>
    public void Close() => _isOver = true;

    /// <summary>The turn's answer, in the order of the numbers; the completion, if any, is the caller's to add.</summary>
    public WorkflowResponse Response()
    {
        if (_continueAsNew is { Action.CompleteWorkflow: var completion } && _carriesEventsOver)
        {
            completion.CarryoverEvents.AddRange(_events.Unclaimed);
        }

        var response = new WorkflowResponse { InstanceId = InstanceId, CustomStatus = CustomStatus };
        response.Actions.AddRange(_tasks.Unrecorded);
        var answered = _patches.Where(patch => patch.Value).Select(patch => patch.Key).ToArray();
        if (answered.Length > 0)
        {
            response.Version = new WorkflowVersion { Name = Name, Patches = { answered } };
        }

        return response;
    }

    public override bool IsPatched(string patchName)
    {
        Enter();
        ArgumentException.ThrowIfNullOrEmpty(patchName);
        if (!_patches.TryGetValue(patchName, out var isPatched))
        {
            isPatched = _history.Patches.Contains(patchName) || !_isReplaying;
            _patches.Add(patchName, isPatched);
        }

        return isPatched;
    }

    public override Task<T> WaitForExternalEventAsync<T>(string eventName, CancellationToken cancellationToken = default)
    {
        Enter();
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        return _events.Next<T>(eventName, cancellationToken);
    }

    public override void SendEvent(string instanceId, string eventName, object payload)
    {
        Enter();
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        var send = new SendEventAction { Instance = new WorkflowInstance { InstanceId = instanceId }, Name = eventName, Data = Payloads.Write(payload) };
        _tasks.Add(new OpenTask<object?>(TaskKind.SentEvent, eventName, new WorkflowAction { SendEvent = send }, _ => null));
    }

    public override void SetCustomStatus(object? customStatus)
    {
        Enter();
        CustomStatus = customStatus is null ? null : Payloads.Write(customStatus);
    }

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true)
    {
        Enter();
        if (_continueAsNew is not null)
        {
            _tasks.Withdraw(_continueAsNew);
        }

        var completion = new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.ContinuedAsNew, Result = Payloads.Write(newInput) };
        _carriesEventsOver = preserveUnprocessedEvents;
        _continueAsNew = new OpenTask<object?>(
            TaskKind.ContinueAsNew, string.Empty, new WorkflowAction { CompleteWorkflow = completion }, _ => null);
        _tasks.Add(_continueAsNew);
    }

    public override Guid NewGuid()
    {
        Enter();
        return _ids.NextGuid();
    }

    public override PropagatedHistory? GetPropagatedHistory() => null;

    public override ILogger CreateReplaySafeLogger(string categoryName) => new ReplaySafeLogger(_loggers.CreateLogger(categoryName), this);

    public override ILogger CreateReplaySafeLogger(Type type) => new ReplaySafeLogger(_loggers.CreateLogger(type), this);

    public override ILogger CreateReplaySafeLogger<T>() => new ReplaySafeLogger(_loggers.CreateLogger<T>(), this);

    // The first thing of every call that the order of the replay depends on.
    void Enter()
    {
        if (_isOver || Environment.CurrentManagedThreadId != _thread)
        {
            throw new InvalidOperationException(
                $"Workflow '{Name}' called its context from outside its turn, instance '{InstanceId}'. A workflow may await only tasks made by its context: "
                + "no Task.Run, no Task.Delay, no I/O. Do it in an activity.");
        }
    }
}
