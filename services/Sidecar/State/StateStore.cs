using Google.Protobuf;
using LeanPipe.Contracts;

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
    readonly Dictionary<string, Instance> _instances = [];
    readonly SortedDictionary<long, PendingMessage> _messages = [];
    Journal? _journal;
    bool _abandoned;
    long _lastMessageId;

    public Lock Gate { get; } = new();

    public IReadOnlyDictionary<string, Instance> Instances => _instances;

    public IReadOnlyDictionary<long, PendingMessage> Messages => _messages;

    /// <summary>False when the journal can no longer be written, or is not open yet.</summary>
    public bool IsHealthy => _journal is { Completion.IsCompleted: false } && !_abandoned;

    /// <summary>Ends when the journal is closed, faulted when it can no longer be written.</summary>
    public Task JournalCompletion => _journal!.Completion;

    /// <summary>Replays what is on the disk; returns the bytes of an interrupted write that were cut.</summary>
    public long Open(string directory, long compactAtBytes)
    {
        _journal = Journal.Open(directory, compactAtBytes, transaction =>
        {
            foreach (var change in transaction.Instances)
                Apply(change);
            foreach (var change in transaction.Messages)
                Apply(change);
        });
        return _journal.CutBytes;
    }

    public Instance? Find(string id) => _instances.GetValueOrDefault(id);

    public long NextMessageId() => ++_lastMessageId;

    /// <summary>Changes memory; the caller puts the same change into the transaction that it commits before it leaves the gate.</summary>
    public void Apply(InstanceChange change)
    {
        if (change.Purge)
        {
            _instances.Remove(change.InstanceId);
            return;
        }

        if (!_instances.TryGetValue(change.InstanceId, out var instance))
            _instances.Add(change.InstanceId, instance = new Instance(change.InstanceId));
        instance.Apply(change);
    }

    /// <inheritdoc cref="Apply(InstanceChange)"/>
    public void Apply(MessageChange change)
    {
        _lastMessageId = Math.Max(_lastMessageId, change.Id);
        if (change.Removed)
            _messages.Remove(change.Id);
        else
            _messages[change.Id] = new PendingMessage(
                change.Id, change.Pubsub, change.Topic, change.Payload, change.ExpiresAt == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(change.ExpiresAt));
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
    public void Abandon() => _abandoned = true;

    public async ValueTask DisposeAsync()
    {
        if (_journal is not null)
            await _journal.DisposeAsync();
    }

    static Task Broken() => Task.FromException(new LeanPipeException(
        "sidecar.state_abandoned",
        "A change failed half-way inside the sidecar, so its memory can no longer be trusted. Start it again; it goes on from its journal. Its log has the cause."));

    List<Transaction> Snapshot()
    {
        var snapshot = new List<Transaction>(_instances.Count + _messages.Count + 1);
        foreach (var instance in _instances.Values)
            snapshot.Add(new Transaction { Instances = { instance.Snapshot() } });
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
