using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>Hands turns and activities to connected workers, and takes them back when a worker goes. Lives under the store's gate.</summary>
/// <remarks>
/// A turn or an activity is queued, or with exactly one worker, or neither. An item comes back only when its worker's stream
/// closes: an activity may take as long as it likes.
/// </remarks>
/// <param name="options">The limits per worker.</param>
/// <param name="beginTurn">The item for an instance's next turn; null when none is due any more.</param>
/// <param name="tooLarge">Told of an instance with an activity that no message can carry; the activity is not offered again.</param>
/// <param name="unknownApp">Told once of an app that has work waiting, but no port here.</param>
sealed class Dispatcher(
    SidecarOptions options, Func<string, string, (WorkItem Item, Turn Turn)?> beginTurn, Action<string, int> tooLarge, Action<string> unknownApp)
{
    readonly Dictionary<string, Lane> _lanes = new(StringComparer.Ordinal);
    readonly Dictionary<string, Flight> _flights = [];
    readonly Dictionary<string, List<Dispatch>> _byInstance = [];

    public int ConnectedWorkers(string? app) => LaneOf(app).Workers.Count;

    public void Connect(WorkerStream worker) => LaneOf(worker.App).Workers.Add(worker);

    public void Disconnect(WorkerStream worker)
    {
        LaneOf(worker.App).Workers.Remove(worker);
        foreach (var dispatch in worker.Outstanding.ToList())
        {
            var current = IsCurrent(dispatch);
            Remove(dispatch);
            if (!current)
                continue;
            if (dispatch.Scheduled is { } scheduled)
            {
                dispatch.Flight.Activities.Remove(scheduled.EventId);
                OfferActivity(dispatch.InstanceId, scheduled);
            }
            else
            {
                dispatch.Flight.Turn = null;
                OfferTurn(dispatch.InstanceId);
            }
        }

        Pump();
    }

    public bool IsTurnInFlight(string instanceId) => _flights.GetValueOrDefault(instanceId)?.Turn is not null;

    /// <summary>Idempotent while the turn is queued or with a worker.</summary>
    public void OfferTurn(string instanceId)
    {
        var flight = FlightOf(instanceId);
        if (flight.TurnQueued || flight.Turn is not null)
            return;
        flight.TurnQueued = true;
        var turns = LaneOf(InstanceKey.AppOf(instanceId)).Turns;
        turns.Enqueue((instanceId, flight));
        turns.Sweep(t => IsLive(t.InstanceId, t.Flight));
    }

    /// <summary>Idempotent until the activity is answered or forgotten.</summary>
    public void OfferActivity(string instanceId, HistoryEvent scheduled)
    {
        var flight = FlightOf(instanceId);
        if (!flight.Activities.TryAdd(scheduled.EventId, null))
            return;
        var activities = LaneFor(instanceId, scheduled).Activities;
        activities.Enqueue((instanceId, flight, scheduled));
        activities.Sweep(a => IsLive(a.InstanceId, a.Flight));
    }

    /// <summary>Items that wait for a worker of the app.</summary>
    public int Waiting(string? app) => LaneOf(app).Turns.Count + LaneOf(app).Activities.Count;

    /// <summary>The execution is over: what is queued is dropped, and what workers hold will be answered in vain.</summary>
    public void Forget(string instanceId) => _flights.Remove(instanceId);

    /// <summary>The turn that this answer is for; null when it is for none that counts.</summary>
    public Dispatch? TakeTurn(string instanceId, string token)
    {
        var dispatch = Take(instanceId, token, d => d.Turn is not null);
        if (dispatch is null)
            return null;
        dispatch.Flight.Turn = null;
        ForgetIfIdle(dispatch);
        return dispatch;
    }

    /// <inheritdoc cref="TakeTurn"/>
    public Dispatch? TakeActivity(string? app, string instanceId, int taskId, string token)
    {
        var dispatch = Take(InstanceKey.Of(app, instanceId), token, d => d.Scheduled?.EventId == taskId);
        if (dispatch is null)
            return null;
        dispatch.Flight.Activities.Remove(taskId);
        ForgetIfIdle(dispatch);
        return dispatch;
    }

    /// <summary>Gives queued items to the workers with the fewest of their kind.</summary>
    public void Pump()
    {
        foreach (var lane in _lanes.Values.ToList())
            Pump(lane);
    }

    void Pump(Lane lane)
    {
        while (lane.Turns.Count > 0 && lane.Free(w => w.Turns, options.MaxTurnsPerWorker) is { } worker)
        {
            var (id, flight) = lane.Turns.Dequeue();
            if (!IsLive(id, flight) || !flight.TurnQueued)
                continue;
            flight.TurnQueued = false;
            var token = NewToken();
            if (beginTurn(id, token) is not var (item, turn))
                continue;

            var dispatch = new Dispatch(token, id, flight, worker, turn, Scheduled: null);
            flight.Turn = dispatch;
            worker.Turns++;
            Send(dispatch, item);
        }

        while (lane.Activities.Count > 0 && lane.Free(w => w.Activities, options.MaxActivitiesPerWorker) is { } worker)
        {
            var (id, flight, scheduled) = lane.Activities.Dequeue();
            if (!IsLive(id, flight) || !flight.Activities.TryGetValue(scheduled.EventId, out var handed) || handed is not null)
                continue;

            var dispatch = new Dispatch(NewToken(), id, flight, worker, Turn: null, scheduled);
            var item = ActivityItem(dispatch);
            if (item.CalculateSize() is var bytes && bytes > options.MaxMessageBytes)
            {
                tooLarge(id, bytes);
                continue;
            }

            flight.Activities[scheduled.EventId] = dispatch;
            worker.Activities++;
            Send(dispatch, item);
        }
    }

    static string NewToken() => Guid.NewGuid().ToString("N");

    static WorkItem ActivityItem(Dispatch dispatch)
    {
        var task = dispatch.Scheduled!.TaskScheduled;
        return new WorkItem
        {
            ActivityRequest = new ActivityRequest
            {
                Name = task.Name,
                Version = task.Version,
                Input = task.Input,
                WorkflowInstance = new WorkflowInstance { InstanceId = InstanceKey.IdOf(dispatch.InstanceId) },
                TaskId = dispatch.Scheduled.EventId,
                ParentTraceContext = task.ParentTraceContext,
                TaskExecutionId = task.TaskExecutionId,
            },
            CompletionToken = dispatch.Token,
        };
    }

    Lane LaneFor(string instanceId, HistoryEvent scheduled) => scheduled.Router?.TargetAppID is { Length: > 0 } target
        ? LaneOf(target == options.AppId ? null : target)
        : LaneOf(InstanceKey.AppOf(instanceId));

    Lane LaneOf(string? app)
    {
        if (_lanes.TryGetValue(app ?? "", out var lane))
            return lane;
        _lanes.Add(app ?? "", lane = new Lane());
        if (app is not null && options.Apps.All(a => a.AppId != app))
            unknownApp(app);
        return lane;
    }

    Flight FlightOf(string instanceId)
    {
        if (!_flights.TryGetValue(instanceId, out var flight))
            _flights.Add(instanceId, flight = new Flight());
        return flight;
    }

    // A waiting instance costs nothing here. What workers still hold of such a flight counts for nothing any more.
    void ForgetIfIdle(Dispatch dispatch)
    {
        if (dispatch.Flight is { TurnQueued: false, Turn: null, Activities.Count: 0 })
            _flights.Remove(dispatch.InstanceId);
    }

    bool IsLive(string instanceId, Flight flight) => ReferenceEquals(_flights.GetValueOrDefault(instanceId), flight);

    bool IsCurrent(Dispatch dispatch) => IsLive(dispatch.InstanceId, dispatch.Flight) && dispatch.IsCurrent;

    void Send(Dispatch dispatch, WorkItem item)
    {
        dispatch.Stream.Outstanding.Add(dispatch);
        if (!_byInstance.TryGetValue(dispatch.AnswerKey, out var list))
            _byInstance.Add(dispatch.AnswerKey, list = []);
        list.Add(dispatch);
        dispatch.Stream.Send(item);
    }

    // An answer without a token is taken for the oldest item of its kind that is still out, counted or not: workers that do not
    // echo tokens answer what they were given in turn.
    Dispatch? Take(string instanceId, string token, Func<Dispatch, bool> matches)
    {
        if (_byInstance.GetValueOrDefault(instanceId)?.Find(d => matches(d) && (token.Length == 0 || d.Token == token)) is not { } dispatch)
            return null;
        Remove(dispatch);
        return IsCurrent(dispatch) ? dispatch : null;
    }

    void Remove(Dispatch dispatch)
    {
        if (!dispatch.Stream.Outstanding.Remove(dispatch))
            return;
        if (dispatch.Scheduled is null)
            dispatch.Stream.Turns--;
        else
            dispatch.Stream.Activities--;
        var list = _byInstance[dispatch.AnswerKey];
        list.Remove(dispatch);
        if (list.Count == 0)
            _byInstance.Remove(dispatch.AnswerKey);
    }
}
