using Google.Protobuf.WellKnownTypes;
using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>Moves instances on: every input becomes one durable transaction, and only then work items, timers and answers.</summary>
sealed class WorkflowEngine : IDisposable
{
    // What daprd leaves for the frame and the item around a history.
    const double StallAtShareOfLimit = 0.95;

    readonly StateStore _store;
    readonly SidecarOptions _options;
    readonly TimeProvider _time;
    readonly ILogger<WorkflowEngine> _log;
    readonly Dispatcher _dispatcher;
    readonly TimerQueue<DueTimer> _timers;
    readonly Retention _retention;
    readonly Archivist _archivist;
    readonly Dictionary<string, StalledReason> _stalled = [];
    readonly Dictionary<string, TaskCompletionSource> _changed = [];
    long _lastTicks;

    public WorkflowEngine(StateStore store, SidecarOptions options, TimeProvider time, ILogger<WorkflowEngine> log)
    {
        (_store, _options, _time, _log) = (store, options, time, log);
        _dispatcher = new Dispatcher(options, BeginTurn, TooLarge, log.AppUnknown);
        _timers = new TimerQueue<DueTimer>(time, Fire, IsWanted);
        _retention = new Retention(store, options.Retention, _timers, time, log);
        _archivist = new Archivist(store, this, options, log);
    }

    /// <summary>Turns and activities of one app (null = the main one) that no worker has taken.</summary>
    public int WaitingWork(string? app)
    {
        lock (_store.Gate)
            return _dispatcher.Waiting(app);
    }

    /// <summary>Live worker streams of one app (null = the main one); at least one means that turns are taken.</summary>
    public int ConnectedWorkers(string? app)
    {
        lock (_store.Gate)
            return _dispatcher.ConnectedWorkers(app);
    }

    /// <summary>Goes on where the journal ended: open activities are offered again, timers armed, turns queued.</summary>
    public void Resume()
    {
        lock (_store.Gate)
        {
            foreach (var id in _store.Archived.Keys)
                _retention.Arm(id);
            foreach (var instance in _store.Instances.Values)
            {
                if (instance.IsTerminal)
                {
                    _retention.Arm(instance.Id);
                    continue;
                }

                foreach (var scheduled in instance.OpenTasks.Values)
                    _dispatcher.OfferActivity(instance.Id, scheduled);
                foreach (var created in instance.OpenTimers.Values)
                    Arm(instance.Id, created);
                OfferTurnIfDue(instance);
            }
        }
    }

    public WorkerStream Connect(string? app)
    {
        var worker = new WorkerStream(app);
        lock (_store.Gate)
        {
            _dispatcher.Connect(worker);
            // A new worker may have the code that the last one lacked.
            foreach (var (id, reason) in _stalled.ToList())
            {
                if (reason == StalledReason.PayloadSizeExceeded)
                    continue;
                _stalled.Remove(id);
                if (_store.Find(id) is { } instance)
                    OfferTurnIfDue(instance);
            }

            _dispatcher.Pump();
        }

        return worker;
    }

    public void Disconnect(WorkerStream worker)
    {
        lock (_store.Gate)
            _dispatcher.Disconnect(worker);
    }

    /// <summary>Answers that count for no turn in flight are taken and ignored, as the protocol has it.</summary>
    public Task CompleteTurnAsync(string? app, WorkflowResponse response) => ChangeAsync(work =>
    {
        if (_dispatcher.TakeTurn(InstanceKey.Of(app, response.InstanceId), response.CompletionToken) is not { Turn: { } turn } dispatch
            || _store.Find(dispatch.InstanceId) is not { IsTerminal: false } instance)
        {
            return 0;
        }

        if (TurnActions.Stalls(turn, response) is { } reason)
            Stall(instance.Id, reason);
        else
            work.Apply(TurnActions.Apply(instance, turn, response, work.Context));
        return 0;
    });

    /// <inheritdoc cref="CompleteTurnAsync"/>
    public Task CompleteActivityAsync(string? app, ActivityResponse response) => ChangeAsync(work =>
    {
        if (_dispatcher.TakeActivity(app, response.InstanceId, response.TaskId, response.CompletionToken) is not { Scheduled: { } scheduled } dispatch
            || _store.Find(dispatch.InstanceId) is not { } instance)
        {
            return 0;
        }

        var result = response.FailureDetails is { } failure
            ? Events.TaskFailed(work.Context.Now, scheduled, failure)
            : Events.TaskCompleted(work.Context.Now, scheduled, response.Result);
        if (Inbox.Accepts(instance, result))
            work.Post(instance, result);
        return 0;
    });

    public bool IsStalled(string instanceId) => _stalled.ContainsKey(instanceId);

    /// <summary>What waits for the instance already fills a work item, so that no turn could take more.</summary>
    public bool IsFull(Instance instance) => instance.HistoryBytes + instance.InboxBytes > _options.MaxMessageBytes * StallAtShareOfLimit;

    /// <summary>A point in time that no event had before, so that two events of one name stay two.</summary>
    public Timestamp UniqueTimestamp() => new DateTime(_lastTicks = Math.Max(_time.GetUtcNow().UtcTicks, _lastTicks + 1), DateTimeKind.Utc).ToTimestamp();

    /// <summary>Runs one change under the gate, makes it durable, and only then lets its consequences out.</summary>
    public async Task<T> ChangeAsync<T>(Func<Work, T> change)
    {
        T result;
        Work work;
        Task durable;
        lock (_store.Gate)
        {
            work = new Work(_store, _dispatcher, new TurnContext(_options.AppId, UniqueTimestamp(), static () => Guid.NewGuid().ToString()));
            try
            {
                result = change(work);
                work.Settle();
            }
            catch (Exception e) when (work.Transaction.Instances.Count > 0)
            {
                _log.StateAbandoned(e);
                _store.Abandon();
                throw;
            }

            durable = work.Transaction.Instances.Count > 0 ? _store.Commit(work.Transaction) : _store.WhenDurable();
        }

        await durable;
        lock (_store.Gate)
        {
            foreach (var applied in work.Transaction.Instances)
                FollowUp(applied);
            _dispatcher.Pump();
            _archivist.Wake();
        }

        return result;
    }

    /// <summary>Reads under the gate; what was read is durable when the task completes.</summary>
    public async Task<T> ReadAsync<T>(Func<StateStore, T> read)
    {
        T result;
        Task durable;
        lock (_store.Gate)
        {
            result = read(_store);
            durable = _store.WhenDurable();
        }

        await durable;
        return result;
    }

    /// <summary>Waits, also for an instance that does not exist yet, until its durable state is as wanted.</summary>
    public async Task<T> WaitAsync<T>(string instanceId, Func<Instance, T?> wanted, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            TaskCompletionSource? next;
            T? result;
            Task durable;
            lock (_store.Gate)
            {
                result = _store.Find(instanceId) is { } instance ? wanted(instance) : null;
                durable = _store.WhenDurable();
                // Who has what it waited for leaves nothing behind.
                next = result is null ? Changed(instanceId) : null;
            }

            await durable;
            if (result is not null)
                return result;
            try
            {
                await next!.Task.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Whoever else waits for this instance looks once more, and waits again; an id that never appears leaves nothing behind.
                Signal(instanceId);
                throw;
            }
        }
    }

    /// <summary>Instances that somebody waits for.</summary>
    public int Awaited
    {
        get
        {
            lock (_store.Gate)
                return _changed.Count;
        }
    }

    /// <summary>Completes when nothing is on its way to the archive.</summary>
    public Task WhenArchivedAsync() => _archivist.Idle;

    public void Dispose() => _timers.Dispose();

    TaskCompletionSource Changed(string instanceId)
    {
        if (!_changed.TryGetValue(instanceId, out var changed))
            _changed.Add(instanceId, changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return changed;
    }

    void Signal(string instanceId)
    {
        lock (_store.Gate)
        {
            if (_changed.Remove(instanceId, out var changed))
                changed.SetResult();
        }
    }

    void FollowUp(InstanceChange applied)
    {
        if (applied.Archived is not null)
            return;
        Signal(applied.InstanceId);
        if (!_store.Instances.TryGetValue(applied.InstanceId, out var current) || current.IsTerminal)
            _stalled.Remove(applied.InstanceId);
        if (current is null)
            return;
        if (current.IsTerminal)
            _retention.Arm(current.Id);

        foreach (var e in applied.HistoryAdded)
        {
            // A workflow that completes may leave activities behind that it does not wait for; one that failed or was terminated may not.
            if (IsOpen(current.OpenTasks, e) && (current.Completed?.WorkflowStatus ?? OrchestrationStatus.Completed) == OrchestrationStatus.Completed)
                _dispatcher.OfferActivity(current.Id, e);
            else if (IsOpen(current.OpenTimers, e) && !current.IsTerminal)
                Arm(current.Id, e);
        }

        OfferTurnIfDue(current);
    }

    static bool IsOpen(IReadOnlyDictionary<int, HistoryEvent> open, HistoryEvent e) =>
        open.TryGetValue(e.EventId, out var known) && ReferenceEquals(known, e);

    void OfferTurnIfDue(Instance instance)
    {
        if (!IsTurnDue(instance))
            return;
        if (instance.Started is null && instance.Start?.ExecutionStarted.ScheduledStartTimestamp is { } at && Events.TimeOf(at) > _time.GetUtcNow())
            _timers.Arm(new DueTimer(instance.Id, Created: null), Events.TimeOf(at));
        else
            _dispatcher.OfferTurn(instance.Id);
    }

    bool IsTurnDue(Instance instance) =>
        !instance.IsTerminal && instance.Inbox.Count > 0 && !Turns.IsHeld(instance) && !_stalled.ContainsKey(instance.Id);

    (WorkItem Item, Turn Turn)? BeginTurn(string instanceId, string token)
    {
        if (_store.Find(instanceId) is not { } instance || !IsTurnDue(instance))
            return null;

        var turn = Turns.Begin(instance, new TurnContext(_options.AppId, UniqueTimestamp(), static () => ""));
        var item = new WorkItem
        {
            WorkflowRequest = new WorkflowRequest { InstanceId = instance.WireId, PastEvents = { turn.Past }, NewEvents = { turn.NewEvents } },
            CompletionToken = token,
        };
        var bytes = item.CalculateSize();
        if (bytes <= _options.MaxMessageBytes * StallAtShareOfLimit)
            return (item, turn);

        TooLarge(instanceId, bytes);
        return null;
    }

    void TooLarge(string instanceId, int bytes)
    {
        _log.HistoryTooLarge(InstanceKey.IdOf(instanceId), bytes, _options.MaxMessageBytes);
        Stall(instanceId, StalledReason.PayloadSizeExceeded);
    }

    void Stall(string instanceId, StalledReason reason)
    {
        _stalled[instanceId] = reason;
        _log.Stalled(InstanceKey.IdOf(instanceId), reason);
        Signal(instanceId);
    }

    void Arm(string instanceId, HistoryEvent created) =>
        _timers.Arm(new DueTimer(instanceId, created), Events.TimeOf(created.TimerCreated.FireAt));

    // A workflow that ends leaves its timers in the queue, some for months.
    bool IsWanted(DueTimer timer)
    {
        lock (_store.Gate)
        {
            return timer.Created is { } created
                ? _store.Instances.TryGetValue(timer.InstanceId, out var instance) && !instance.IsTerminal && IsOpen(instance.OpenTimers, created)
                : _store.Instances.ContainsKey(timer.InstanceId) || _store.Archived.ContainsKey(timer.InstanceId);
        }
    }

    void Fire(IReadOnlyList<DueTimer> due) => _ = FireAsync(due);

    async Task FireAsync(IReadOnlyList<DueTimer> due)
    {
        try
        {
            await ChangeAsync(work =>
            {
                foreach (var (id, created) in due)
                {
                    if (_store.IsFinished(id))
                        _retention.PurgeIfOver(work, id);
                    else if (!_store.Instances.TryGetValue(id, out var instance))
                        continue;
                    else if (created is null)
                        OfferTurnIfDue(instance);
                    else if (IsOpen(instance.OpenTimers, created))
                        work.Post(instance, Events.TimerFired(UniqueTimestamp(), created));
                }

                return 0;
            });
        }
        catch (LeanPipeException e)
        {
            // The journal is gone, and the health state says so; the timers stand in the histories and fire after the next start.
            _log.TimersNotFired(due.Count, e);
        }
    }
}
