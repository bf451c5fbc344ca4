using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>What callers may ask of one app's instances; the gRPC and the HTTP interface say the same things through it.</summary>
/// <param name="engine">Does it.</param>
/// <param name="options">Name the main app.</param>
/// <param name="app">Whose instances; null = the main app's.</param>
sealed class WorkflowClient(WorkflowEngine engine, SidecarOptions options, string? app = null)
{
    const int DefaultPageSize = 1024;

    /// <summary>Accepts at once and durably, whether a worker is connected or not. A finished instance of the same id is replaced.</summary>
    public Task<Fault?> StartAsync(CreateInstanceRequest request) => engine.ChangeAsync(work =>
        work.IsActive(Key(request.InstanceId), withChildren: true) ? Fault.Active(request.InstanceId) : Start(work, request));

    public Task<WorkflowState?> GetAsync(string instanceId, bool payloads) =>
        engine.ReadAsync(store => store.Find(Key(instanceId)) is { } instance ? View(instance, payloads) : null);

    public Task<WorkflowState> WaitForStartAsync(string instanceId, bool payloads, CancellationToken cancellationToken) =>
        engine.WaitAsync(Key(instanceId), i => Turns.Status(i) == OrchestrationStatus.Pending ? null : View(i, payloads), cancellationToken);

    public Task<WorkflowState> WaitForCompletionAsync(string instanceId, bool payloads, CancellationToken cancellationToken) =>
        engine.WaitAsync(Key(instanceId), i => i.IsTerminal ? View(i, payloads) : null, cancellationToken);

    public Task<Fault?> RaiseEventAsync(string instanceId, string name, string? input) => PostAsync(
        instanceId, i => !i.IsTerminal && (engine.IsStalled(i.Id) || engine.IsFull(i)) ? Fault.Stalled : null, () => Events.Raised(engine.UniqueTimestamp(), name, input));

    /// <summary>Takes effect at once, whatever the worker does; a turn in flight is answered in vain.</summary>
    public Task<Fault?> TerminateAsync(string instanceId, string? output, bool recursive) =>
        PostAsync(instanceId, _ => null, () => Events.Terminated(engine.UniqueTimestamp(), output, recursive));

    /// <summary>Takes effect when no turn is in flight.</summary>
    public Task<Fault?> SuspendAsync(string instanceId, string? reason) =>
        PostAsync(instanceId, _ => null, () => Events.Suspended(engine.UniqueTimestamp(), reason));

    /// <inheritdoc cref="SuspendAsync"/>
    public Task<Fault?> ResumeAsync(string instanceId, string? reason) =>
        PostAsync(instanceId, _ => null, () => Events.Resumed(engine.UniqueTimestamp(), reason));

    /// <summary>Waits until the instance is suspended, or is not, or has ended.</summary>
    public Task WaitForHoldAsync(string instanceId, bool held, CancellationToken cancellationToken) => engine.WaitAsync(
        Key(instanceId),
        i => i.IsTerminal || Turns.IsHeld(i) == held ? i : null,
        cancellationToken);

    /// <summary>Starts a new instance with the beginning of a finished one's history.</summary>
    /// <returns>The new instance's id, or why there is none.</returns>
    public Task<(string? NewId, Fault? Fault)> RerunAsync(RerunWorkflowFromEventRequest request) => engine.ChangeAsync<(string?, Fault?)>(work =>
    {
        var newId = request.HasNewInstanceID ? request.NewInstanceID : Guid.NewGuid().ToString();
        if (request.SourceInstanceID.Length == 0)
            return (null, new Fault(GrpcStatusCode.InvalidArgument, "rerun workflow source instance ID is required"));
        if (request.SourceInstanceID == newId)
            return (null, new Fault(GrpcStatusCode.InvalidArgument, "rerun workflow instance ID must be different from the original instance ID"));
        if (!TryFind(work, Key(request.SourceInstanceID), out var source))
            return (null, new Fault(GrpcStatusCode.NotFound, $"workflow instance does not exist with ID '{request.SourceInstanceID}'"));

        var (outcome, fault) = Rerun.Fork(source, newId, request, work.Context);
        if (fault is null && work.Exists(Key(newId)))
            fault = new Fault(GrpcStatusCode.AlreadyExists, $"workflow '{newId}' has already been created");
        if (fault is not null)
            return (null, fault);
        work.Apply(outcome!);
        return (newId, null);
    });

    /// <returns>How many instances were forgotten, or why none was.</returns>
    public Task<(int Deleted, Fault? Fault)> PurgeAsync(string instanceId, bool recursive, bool force) => engine.ChangeAsync<(int, Fault?)>(work =>
    {
        if (!work.Exists(Key(instanceId)))
            return (0, Fault.NoSuchInstance);
        if (!force && work.IsActive(Key(instanceId), withChildren: recursive))
            return (0, Fault.NotCompleted);
        return (Purge(work, Key(instanceId), recursive), null);
    });

    /// <summary>Ids in ordinal order.</summary>
    /// <returns>The next page's token is null on the last page.</returns>
    public Task<(IReadOnlyList<string> Ids, string? Next)> ListAsync(string? after, int? pageSize) => engine.ReadAsync<(IReadOnlyList<string>, string?)>(store =>
    {
        var size = pageSize ?? DefaultPageSize;
        var ids = store.Instances.Keys.Concat(store.Archived.Keys)
            .Where(key => InstanceKey.AppOf(key) == app)
            .Select(InstanceKey.IdOf)
            .Where(id => after is null || string.CompareOrdinal(id, after) > 0)
            .Order(StringComparer.Ordinal)
            .Take(size + 1)
            .ToList();
        return ids.Count <= size ? (ids, null) : (ids[..size], ids[size - 1]);
    });

    public Task<IReadOnlyList<HistoryEvent>?> HistoryAsync(string instanceId) =>
        engine.ReadAsync<IReadOnlyList<HistoryEvent>?>(store => store.Find(Key(instanceId)) is { } instance ? [.. instance.History] : null);

    string Key(string instanceId) => InstanceKey.Of(app, instanceId);

    static bool TryFind(Work work, string instanceId, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Instance? instance) =>
        (instance = work.Find(instanceId)) is not null;

    // The children of one that cannot be read stay: they have times of their own.
    static int Purge(Work work, string key, bool recursive)
    {
        var deleted = 1;
        var children = recursive && work.TryRead(key) is { } instance ? work.Children(instance).ToList() : [];
        work.Apply(new InstanceChange { InstanceId = key, Purge = true });
        foreach (var child in children.Where(work.Exists))
            deleted += Purge(work, child, recursive);

        return deleted;
    }

    Fault? Start(Work work, CreateInstanceRequest request)
    {
        work.Start(Key(request.InstanceId), Events.Started(engine.UniqueTimestamp(), app ?? options.AppId, new ExecutionStartedEvent
        {
            Name = request.Name,
            Version = request.Version,
            Input = request.Input,
            WorkflowInstance = new WorkflowInstance
            {
                InstanceId = request.InstanceId,
                ExecutionId = string.IsNullOrEmpty(request.ExecutionId) ? work.Context.NewExecutionId() : request.ExecutionId,
            },
            ScheduledStartTimestamp = request.ScheduledStartTimestamp,
            ParentTraceContext = request.ParentTraceContext,
            Tags = { request.Tags },
        }));
        return null;
    }

    Task<Fault?> PostAsync(string instanceId, Func<Instance, Fault?> check, Func<HistoryEvent> create) => engine.ChangeAsync(work =>
    {
        if (!TryFind(work, Key(instanceId), out var instance))
            return Fault.NoSuchInstance;
        if (check(instance) is { } fault)
            return fault;
        var e = create();
        if (Inbox.Accepts(instance, e))
            work.Post(instance, e);
        return null;
    });

    WorkflowState View(Instance instance, bool payloads) => instance.ToWorkflowState(engine.IsStalled(instance.Id), payloads);
}
