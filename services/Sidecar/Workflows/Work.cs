using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>One transaction in the making: what one event of the outside world comes to, in all instances it reaches.</summary>
/// <remarks>Lives under the store's gate. Memory changes at once; the journal gets everything as one transaction.</remarks>
sealed class Work(StateStore store, Dispatcher dispatcher, TurnContext context)
{
    readonly Queue<string> _unsettled = new();

    public TurnContext Context { get; } = context;

    public Transaction Transaction { get; } = new();

    public Instance? Find(string instanceId) => store.Find(instanceId);

    /// <summary>Null also for one whose archive is damaged: nobody knows any more what it was.</summary>
    public Instance? TryRead(string instanceId)
    {
        try
        {
            return store.Find(instanceId);
        }
        catch (LeanPipeException e) when (e.Code == Archive.DamagedCode)
        {
            return null;
        }
    }

    /// <param name="withChildren">Whether a child at any depth counts too. What is archived is finished with all of them, and is not read for this: it may be damaged.</param>
    public bool IsActive(string instanceId, bool withChildren) =>
        store.Instances.TryGetValue(instanceId, out var instance) && (withChildren ? IsTreeActive(instance) : !instance.IsTerminal);

    public bool Exists(string instanceId) => store.Instances.ContainsKey(instanceId) || store.Archived.ContainsKey(instanceId);

    public void Apply(InstanceChange change)
    {
        store.Apply(change);
        Transaction.Instances.Add(change);
        if (change.Archived is not null)
            return;
        if (change.Reset || change.Purge || store.IsFinished(change.InstanceId))
            dispatcher.Forget(change.InstanceId);
        if (!change.Purge)
            _unsettled.Enqueue(change.InstanceId);
    }

    public void Apply(Outcome outcome)
    {
        Apply(outcome.Change);
        foreach (var message in outcome.Messages)
            Deliver(message);
    }

    /// <summary>A new instance, in place of a finished one of the same id.</summary>
    public void Start(string instanceId, HistoryEvent started) => Apply(new InstanceChange
    {
        InstanceId = instanceId,
        Reset = true,
        InboxAdded = { started },
        SetsCustomStatus = true,
    });

    public void Post(Instance instance, HistoryEvent e)
    {
        var change = Turns.Change(instance, taken: 0);
        change.InboxAdded.Add(e);
        Apply(change);
    }

    /// <summary>Applies what the sidecar decides alone, until nothing of that kind is left anywhere.</summary>
    public void Settle()
    {
        while (_unsettled.TryDequeue(out var id))
        {
            if (store.Find(id) is { } instance && Turns.Control(instance, dispatcher.IsTurnInFlight(id), Context) is { } outcome)
                Apply(outcome);
        }
    }

    /// <summary>Whether this instance or one of its children, at any depth, is not finished.</summary>
    /// <remarks>What is archived is finished with all its children.</remarks>
    public bool IsTreeActive(Instance instance) => !instance.IsTerminal || Children(instance).Any(id => store.Instances.TryGetValue(id, out var child) && IsTreeActive(child));

    /// <summary>Keys of the instances that this one started as its children and that still exist, each once.</summary>
    public IEnumerable<string> Children(Instance parent) => parent.History
        .Where(e => e.ChildWorkflowInstanceCreated is not null)
        .Select(e => Context.ChildKey(parent, e))
        .Distinct(StringComparer.Ordinal)
        .Where(key => key != parent.Id && ParentOf(key) == parent.Id);

    string? ParentOf(string id) =>
        store.Instances.TryGetValue(id, out var instance) ? instance.ParentKey(Context.AppId) : store.Archived.GetValueOrDefault(id)?.ParentKey;

    void Deliver(Outgoing message)
    {
        // One that is archived takes no event and may be replaced; it is not read for that.
        var target = store.Instances.GetValueOrDefault(message.InstanceId);
        if (message.Event.ExecutionStarted is { } started)
            DeliverStart(message, started, target);
        else if (target is not null && Inbox.Accepts(target, message.Event, message.ExecutionId))
            Post(target, message.Event);
    }

    void DeliverStart(Outgoing message, ExecutionStartedEvent started, Instance? target)
    {
        if (target is null || !IsTreeActive(target))
        {
            Start(message.InstanceId, message.Event);
            return;
        }

        if (started.ParentInstance is not { } asker || store.Find(Context.ParentKey(target, asker)) is not { } parent)
            return;
        var failed = Events.ChildFailed(Context.Now, Context.NameOf(target), asker.TaskScheduledId, Events.Failure(
            "WorkflowAlreadyExists", $"an active workflow with ID '{target.WireId}' already exists"));
        if (Inbox.Accepts(parent, failed, asker.WorkflowInstance.ExecutionId))
            Post(parent, failed);
    }
}
