using Google.Protobuf;
using LeanPipe.Contracts;
using LeanPipe.DaprWire;

namespace LeanPipe.Sidecar.State;

/// <summary>A published message that is not delivered yet.</summary>
/// <param name="Payload">The CloudEvent in JSON, or the raw bytes of a publish with rawPayload.</param>
/// <param name="ExpiresAt">Null = never.</param>
sealed record PendingMessage(long Id, string PubSub, string Topic, ByteString Payload, DateTimeOffset? ExpiresAt);

/// <summary>The sidecar's whole state in memory, and the journal below it.</summary>
/// <remarks>
/// Everything in memory is read and written under <see cref="Gate"/>. Memory is ahead of the disk by what the journal still has
/// queued: who shows state to the outside takes <see cref="WhenDurable"/> inside the gate and awaits it outside.
/// </remarks>
sealed class StateStore : IAsyncDisposable
{
    // What finished history may stay in memory, roughly: an instance is more than its events.
    const int InstanceOverheadBytes = 1024;

    readonly Dictionary<string, Instance> _instances = [];
    readonly Dictionary<string, ArchivedInstance> _archived = [];
    readonly HashSet<Instance> _finished = [];
    readonly SortedDictionary<long, PendingMessage> _messages = [];
    readonly Dictionary<string, JobRecord> _jobs = [];
    Journal? _journal;
    Archive? _archive;
    long _finishedBytes;
    readonly TaskCompletionSource _abandonment = new(TaskCreationOptions.RunContinuationsAsynchronously);
    bool _abandoned;
    long _lastMessageId;

    public Lock Gate { get; } = new();

    /// <summary>Those in memory: all that are not finished, and some that are.</summary>
    public IReadOnlyDictionary<string, Instance> Instances => _instances;

    public IReadOnlyDictionary<string, ArchivedInstance> Archived => _archived;

    /// <summary>History of finished instances that is still in memory.</summary>
    public long FinishedBytes => _finishedBytes;

    public IReadOnlyDictionary<long, PendingMessage> Messages => _messages;

    /// <summary>Payloads of the messages that wait.</summary>
    public long MessageBytes { get; private set; }

    /// <summary>By name. A record is never changed, only replaced.</summary>
    public IReadOnlyDictionary<string, JobRecord> Jobs => _jobs;

    /// <summary>False when the journal can no longer be written, or is not open yet.</summary>
    public bool IsHealthy => _journal is { Completion.IsCompleted: false } && !_abandoned;

    /// <summary>The journal can no longer be written, or <see cref="Abandon"/> was called: nothing but a new start helps.</summary>
    public bool HasFailed => _abandoned || _journal is { Completion.IsFaulted: true };

    /// <summary>Ends when the journal is closed or nothing is written any more, faulted when it can no longer be written.</summary>
    public async Task WhenEndedAsync() => await await Task.WhenAny(_journal!.Completion, _abandonment.Task);

    /// <summary>Replays what is on the disk; returns the bytes of an interrupted write that were cut.</summary>
    public long Open(string directory, long compactAtBytes)
    {
        _archive = new Archive(directory, compactAtBytes);
        _journal = Journal.Open(directory, compactAtBytes, transaction =>
        {
            foreach (var change in transaction.Instances)
                Apply(change);
            foreach (var change in transaction.Messages)
                Apply(change);
            foreach (var change in transaction.Jobs)
                Apply(change);
        });
        _archive.Open(_archived.Values);
        return _journal.CutBytes;
    }

    /// <summary>One that is not in memory is read from the archive, and stays there: it is finished, so nothing but a reset or a purge changes it.</summary>
    public Instance? Find(string id)
    {
        if (_instances.TryGetValue(id, out var instance))
            return instance;
        if (!_archived.TryGetValue(id, out var archived))
            return null;
        instance = new Instance(id);
        instance.Apply(_archive!.Read(archived.Entry));
        return instance;
    }

    public bool IsFinished(string id) => _instances.TryGetValue(id, out var instance) ? instance.IsTerminal : _archived.ContainsKey(id);

    /// <summary>How and when an instance ended; null when it has not, or does not exist.</summary>
    public (OrchestrationStatus Status, DateTimeOffset At)? EndOf(string id)
    {
        if (_instances.TryGetValue(id, out var instance))
            return instance.End is { } end ? (end.ExecutionCompleted.WorkflowStatus, end.Timestamp.ToDateTimeOffset()) : null;
        return _archived.TryGetValue(id, out var archived) ? (archived.Status, archived.EndedAt) : null;
    }

    /// <summary>Finished instances that may leave memory; <paramref name="isSettled"/> says whether nothing refers to one any more.</summary>
    public IReadOnlyList<Instance> Finished(Func<Instance, bool> isSettled) => [.. _finished.Where(i => i.Inbox.Count == 0 && isSettled(i))];

    /// <summary>Still in memory, and finished by the end that it had.</summary>
    public bool IsUnchanged(Instance finished, HistoryEvent end) => _finished.Contains(finished) && ReferenceEquals(finished.End, end);

    public Archive Archive => _archive!;

    public long NextMessageId() => ++_lastMessageId;

    /// <summary>Changes memory; the caller puts the same change into the transaction that it commits before it leaves the gate.</summary>
    public void Apply(InstanceChange change)
    {
        if (!_instances.TryGetValue(change.InstanceId, out var instance))
            instance = new Instance(change.InstanceId);
        else if (_finished.Remove(instance))
            _finishedBytes -= Weight(instance);

        if (change.Purge || change.Archived is not null)
        {
            _instances.Remove(change.InstanceId);
            _archived.Remove(change.InstanceId);
            if (!change.Purge)
                _archived.Add(change.InstanceId, new ArchivedInstance(change.Archived));
            return;
        }

        // What comes after the end of an archived instance begins with a reset.
        _archived.Remove(change.InstanceId);
        _instances[change.InstanceId] = instance;
        instance.Apply(change);
        if (instance.IsTerminal && _finished.Add(instance))
            _finishedBytes += Weight(instance);
    }

    /// <inheritdoc cref="Apply(InstanceChange)"/>
    public void Apply(MessageChange change)
    {
        _lastMessageId = Math.Max(_lastMessageId, change.Id);
        if (_messages.Remove(change.Id, out var known))
            MessageBytes -= known.Payload.Length;
        if (change.Removed)
            return;
        MessageBytes += change.Payload.Length;
        _messages[change.Id] = new PendingMessage(
            change.Id, change.Pubsub, change.Topic, change.Payload, change.ExpiresAt == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(change.ExpiresAt));
    }

    /// <inheritdoc cref="Apply(InstanceChange)"/>
    public void Apply(JobChange change)
    {
        if (change.Removed)
            _jobs.Remove(change.Name);
        else
            _jobs[change.Name] = change.Job;
    }

    /// <summary>Queues a transaction whose changes were applied; the task completes when it is on the disk.</summary>
    public Task Commit(Transaction transaction)
    {
        if (_abandoned)
            return Broken();
        var durable = _journal!.Append(transaction);
        if (_journal.WantsSnapshot)
            _journal.Compact(Snapshot());
        return durable;
    }

    public Task WhenDurable() => _abandoned ? Broken() : _journal!.WhenDurable();

    /// <summary>Memory took a change that did not come to its end, so it is no longer what the journal says: nothing is written or shown any more.</summary>
    public void Abandon()
    {
        _abandoned = true;
        _abandonment.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        if (_journal is not null)
            await _journal.DisposeAsync();
        _archive?.Dispose();
    }

    static long Weight(Instance instance) => instance.HistoryBytes + InstanceOverheadBytes;

    static Task Broken() => Task.FromException(new LeanPipeException(
        "sidecar.state_abandoned",
        "A change failed half-way inside the sidecar, so its memory can no longer be trusted. Start it again; it goes on from its journal. Its log has the cause."));

    List<Transaction> Snapshot()
    {
        var snapshot = new List<Transaction>(_instances.Count + _archived.Count + _messages.Count + 1);
        foreach (var instance in _instances.Values)
            snapshot.Add(new Transaction { Instances = { instance.Snapshot() } });
        foreach (var (id, archived) in _archived)
            snapshot.Add(new Transaction { Instances = { new InstanceChange { InstanceId = id, Archived = archived.Entry } } });
        foreach (var (name, job) in _jobs)
            snapshot.Add(new Transaction { Jobs = { new JobChange { Name = name, Job = job } } });
        foreach (var message in _messages.Values)
            snapshot.Add(new Transaction { Messages = { Change(message) } });

        // Ids are not used twice, even when the message that had the highest one is gone.
        if (!_messages.ContainsKey(_lastMessageId))
            snapshot.Add(new Transaction { Messages = { new MessageChange { Id = _lastMessageId, Removed = true } } });
        return snapshot;
    }

    static MessageChange Change(PendingMessage message) => new()
    {
        Id = message.Id,
        Pubsub = message.PubSub,
        Topic = message.Topic,
        Payload = message.Payload,
        ExpiresAt = message.ExpiresAt?.ToUnixTimeMilliseconds() ?? 0,
    };
}
