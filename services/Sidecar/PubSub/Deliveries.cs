using Google.Protobuf;
using LeanPipe.Contracts;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.PubSub;

/// <summary>Keeps published messages until the app has taken them: at least once, in no promised order.</summary>
/// <remarks>
/// A message is durable before its publisher gets an answer, and is removed after the app's. So a crash between the app's answer
/// and the removal delivers it once more. Messages wait until the app has said what it subscribes to; what it does not subscribe
/// to then is dropped.
/// </remarks>
sealed class Deliveries(StateStore store, SidecarOptions options, SidecarEndpoints endpoints, TimeProvider time, ILogger<Deliveries> log) : BackgroundService
{
    readonly AppChannel _app = new(options);
    readonly SemaphoreSlim _slots = new(options.MaxConcurrentDeliveries);
    readonly Lock _gate = new();
    TaskCompletionSource<Link> _link = new(TaskCreationOptions.RunContinuationsAsynchronously);
    TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _stop = new();

    sealed record Link(int Port, IReadOnlyList<Subscription> Subscriptions);

    /// <summary>What the app asked for, when it was last asked.</summary>
    public IReadOnlyList<Subscription> Subscriptions { get; private set; } = [];

    /// <summary>False when too many messages wait already.</summary>
    public async Task<bool> PublishAsync(string pubsub, string topic, byte[] payload, DateTimeOffset? expiresAt)
    {
        PendingMessage message;
        Task durable;
        lock (store.Gate)
        {
            if (store.Messages.Count >= options.MaxPendingMessages || store.MessageBytes + payload.Length > options.MaxPendingMessageBytes)
                return false;
            (message, durable) = Commit(pubsub, topic, ByteString.CopyFrom(payload), expiresAt, replaces: null);
        }

        await durable;
        _ = DeliverAsync(message);
        return true;
    }

    /// <summary>Takes up what the last run left, before the first new publish can come in.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        List<PendingMessage> pending;
        lock (store.Gate)
            pending = [.. store.Messages.Values];
        foreach (var message in pending)
            _ = DeliverAsync(message);
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _stop.Dispose();
        _app.Dispose();
        _slots.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        endpoints.AppPortChanged += Unlink;
        while (true)
        {
            Task lost;
            lock (_gate)
                lost = _lost.Task;
            if (endpoints.AppPort is { } port)
                await DiscoverAsync(port, lost, stoppingToken);
            await lost.WaitAsync(stoppingToken);
        }
    }

    async Task DiscoverAsync(int port, Task lost, CancellationToken stoppingToken)
    {
        var pause = options.FirstRetryAfter;
        while (!lost.IsCompleted)
        {
            if (await _app.SubscriptionsAsync(port, stoppingToken) is { } subscriptions)
            {
                Connect(port, subscriptions, lost);
                return;
            }

            if (pause == options.FirstRetryAfter)
                log.WaitingForApp(port);
            await Task.WhenAny(lost, Task.Delay(pause, time, stoppingToken));
            stoppingToken.ThrowIfCancellationRequested();
            pause = Longer(pause);
        }
    }

    void Connect(int port, IReadOnlyList<Subscription> subscriptions, Task lost)
    {
        foreach (var subscription in subscriptions)
        {
            foreach (var route in subscription.Routes.Where(r => r.Match is not null && !RouteRule.IsUnderstood(r.Match)))
                log.RuleNotUnderstood(route.Match!, subscription.Topic);
        }

        log.Subscribed(port, subscriptions.Count == 0 ? "nothing" : string.Join(", ", subscriptions.Select(s => $"{s.PubSubName}/{s.Topic}")));
        Subscriptions = subscriptions;
        lock (_gate)
        {
            if (!lost.IsCompleted)
                _link.TrySetResult(new Link(port, subscriptions));
        }
    }

    // The app is gone or moved: whoever wants to deliver waits until it has been asked again.
    void Unlink() => Unlink(link: null);

    void Unlink(Link? link)
    {
        lock (_gate)
        {
            if (link is not null && !(_link.Task.IsCompletedSuccessfully && ReferenceEquals(_link.Task.Result, link)))
                return;
            if (_link.Task.IsCompleted)
                _link = new TaskCompletionSource<Link>(TaskCreationOptions.RunContinuationsAsynchronously);
            _lost.TrySetResult();
            _lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    Task<Link> LinkAsync()
    {
        lock (_gate)
            return _link.Task;
    }

    async Task DeliverAsync(PendingMessage message)
    {
        var stopping = _stop.Token;
        try
        {
            var pause = options.FirstRetryAfter;
            for (var attempt = 1; ; attempt++)
            {
                var link = await LinkAsync().WaitAsync(stopping);
                var answer = await AttemptAsync(message, link, stopping);
                if (answer.Verdict is not (Verdict.Retry or Verdict.Unreachable))
                {
                    await RemoveAsync(message, answer, DeadLetterTopic(message, link));
                    return;
                }

                if (answer.Verdict == Verdict.Unreachable)
                    Unlink(link);
                else
                    log.NotTaken(message.Id, message.Topic, attempt, answer.Reason, pause);
                await Task.Delay(pause, time, stopping);
                pause = Longer(pause);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The message stays in the journal, and is delivered after the next start.
        }
        catch (LeanPipeException e)
        {
            log.NotRemoved(message.Id, message.Topic, e);
        }
    }

    async Task<AppAnswer> AttemptAsync(PendingMessage message, Link link, CancellationToken stopping)
    {
        if (message.ExpiresAt <= time.GetUtcNow())
            return new AppAnswer(Verdict.NoSuchPath, "its time to live is over");
        if (Find(message, link) is not { } subscription)
            return new AppAnswer(Verdict.NoSuchPath, "the app does not subscribe to it");

        var payload = message.Payload.ToByteArray();
        using var cloudEvent = subscription.RawPayload ? null : CloudEvents.TryParse(payload);
        if (cloudEvent is null)
            payload = CloudEvents.Wrap(payload, message.PubSub, message.Topic, time.GetUtcNow());
        var route = subscription.Routes.FirstOrDefault(r => r.Match is null || (cloudEvent is not null && RouteRule.Matches(r.Match, cloudEvent.RootElement)));
        if (route is null)
            return new AppAnswer(Verdict.NoSuchPath, "no rule of the subscription matches it");

        await _slots.WaitAsync(stopping);
        try
        {
            return await _app.DeliverAsync(link.Port, route.Path, payload, stopping);
        }
        finally
        {
            _slots.Release();
        }
    }

    async Task RemoveAsync(PendingMessage message, AppAnswer answer, string? deadLetterTopic)
    {
        if (answer.Verdict != Verdict.Done)
            log.Dropped(message.Id, message.Topic, answer.Reason);

        PendingMessage? dead = null;
        Task durable;
        lock (store.Gate)
        {
            if (answer.Verdict == Verdict.Drop && deadLetterTopic is not null)
            {
                (dead, durable) = Commit(message.PubSub, deadLetterTopic, message.Payload, expiresAt: null, replaces: message);
            }
            else
            {
                var removal = Removal(message);
                store.Apply(removal);
                durable = store.Commit(new Transaction { Messages = { removal } });
            }
        }

        await durable;
        if (dead is not null)
            _ = DeliverAsync(dead);
    }

    (PendingMessage Message, Task Durable) Commit(string pubsub, string topic, ByteString payload, DateTimeOffset? expiresAt, PendingMessage? replaces)
    {
        var change = new MessageChange
        {
            Id = store.NextMessageId(),
            Pubsub = pubsub,
            Topic = topic,
            Payload = payload,
            ExpiresAt = expiresAt?.ToUnixTimeMilliseconds() ?? 0,
        };
        var transaction = new Transaction { Messages = { change } };
        if (replaces is not null)
            transaction.Messages.Add(Removal(replaces));
        foreach (var applied in transaction.Messages)
            store.Apply(applied);
        return (store.Messages[change.Id], store.Commit(transaction));
    }

    static MessageChange Removal(PendingMessage message) => new() { Id = message.Id, Removed = true };

    static Subscription? Find(PendingMessage message, Link link) =>
        link.Subscriptions.FirstOrDefault(s => s.PubSubName == message.PubSub && s.Topic == message.Topic);

    static string? DeadLetterTopic(PendingMessage message, Link link) => Find(message, link)?.DeadLetterTopic;

    TimeSpan Longer(TimeSpan pause) => pause * 2 < options.LastRetryAfter ? pause * 2 : options.LastRetryAfter;
}
