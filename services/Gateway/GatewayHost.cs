using System.Collections.Concurrent;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Network;
using LeanPipe.Gateway.Shipping;
using LeanPipe.Gateway.Windows;
using LeanPipe.Lake;
using Microsoft.AspNetCore.Connections;

namespace LeanPipe.Gateway;

/// <summary>The running gateway. The log is read back before the first byte is taken, and drained after the last.</summary>
sealed class GatewayHost(
    GatewayOptions options, GatewayState state, GatewayHealth health, GatewayProgress progress, GatewayEndpoints endpoints, GatewayNetwork network, GatewayMetrics metrics, IObjectStore store, PublishWindowSealed publish,
    IConnectionListenerFactory sockets, ILoggerFactory loggers, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<GatewayHost> logger) : IHostedService
{
    static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan LongestStoreRetry = TimeSpan.FromSeconds(30);
    static readonly TimeSpan LongestPublishRetry = TimeSpan.FromSeconds(10);

    readonly CancellationTokenSource _stopping = new();
    readonly CancellationTokenSource _draining = new();
    readonly HashSet<Task> _serving = [];
    readonly Retries _storeRetries = new(time, FirstRetry, LongestStoreRetry);
    readonly Retries _publishRetries = new(time, FirstRetry, LongestPublishRetry);
    readonly ConcurrentDictionary<int, StreamIntake> _byNumber = new();
    readonly ConcurrentDictionary<StreamName, StreamIntake> _byName = new();
    WriteAheadLog? _log;
    Shipper? _shipper;
    BackgroundValidation? _validation;
    Task _running = Task.CompletedTask;
    long _nextConnection;
    StreamReload? _reload;
    StreamListeners? _listeners;

    /// <summary>Null until the gateway has started.</summary>
    internal WriteAheadLog? Log => _log;

    /// <summary>Null until the gateway has started.</summary>
    internal BackgroundValidation? Validation => _validation;

    /// <summary>Null when no folder is watched.</summary>
    internal StreamReload? Reload => _reload;

    internal IEnumerable<(StreamName Stream, long Bytes)> UnsyncedBytes => _byName.Select(s => (s.Key, s.Value.UnsyncedBytes));

    internal long StoreRetries => _storeRetries.Failures;

    internal long PublishRetries => _publishRetries.Failures;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var log = _log = WriteAheadLog.Open(options, state, health, logger);
        await ClaimAsync(log);
        await DeclareStreamsAsync(log);
        lock (state.Sync)
        {
            _nextConnection = state.NextConnection;
            foreach (var stream in state.Streams) stream.EndConnections();
        }

        var patient = new PatientStore(store, health, logger, _storeRetries, options.StoreTimeout);
        var sealer = new Sealer(log, state, patient, options, logger, time);
        var shipper = _shipper = new(log, state, new(options, _byNumber, log.LogId, time.GetUtcNow()), new(log, patient), sealer, _byNumber, options, health, time, logger);
        if (log.HasDamage) shipper.Before = new Reconciliation(log, state, patient, state.Gateway!, logger).RunAsync;
        var publisher = new Publisher(log, state, publish, health, logger, _publishRetries);
        shipper.Sealed = window =>
        {
            metrics.Sealed(window.Stream);
            progress.OnSealed(window);
            publisher.Wake();
        };
        publisher.Published = progress.OnPublished;
        var validation = _validation = new(log, state, _byNumber, options, health, time, logger);
        log.Committed = () =>
        {
            shipper.Wake();
            validation.Wake();
        };
        validation.Wake();
        log.Timed = metrics.Committed;
        metrics.Host = this;
        log.Failed = _ =>
        {
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        };
        log.CheckRoom();
        _running = Task.WhenAll(
            Task.Run(() => validation.RunAsync(_stopping.Token), CancellationToken.None), Task.Run(() => shipper.RunAsync(_stopping.Token), CancellationToken.None), Task.Run(() => publisher.RunAsync(_stopping.Token), CancellationToken.None));
        _listeners = new(sockets, endpoints, options, health, time, loggers.CreateLogger<StreamListeners>()) { Serve = ServeAsync };
        try
        {
            await _listeners.StartAsync(Addresses);
        }
        catch
        {
            await StopAsync(cancellationToken);
            throw;
        }
        if (_byName.IsEmpty && options.StreamsFolder is { } watched) logger.NoStreams(Path.Combine(watched, "streams"));
        if (options.StreamsFolder is { } folder) _reload = new(folder, this, options, health, progress, logger);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_log is null) return;
        health.Raise("draining", "The gateway shuts down.");
        if (Interlocked.Exchange(ref _reload, null) is { } reload) await reload.DisposeAsync();
        await EndConnectionsAsync(cancellationToken);
        await _stopping.CancelAsync();
        await _running;
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(options.DrainAtMost);
            await _validation!.FinishAsync(deadline.Token);
            await _shipper!.DrainAsync(seal: false, deadline.Token);
        }
        catch (Exception e)
        {
            // Whatever it was, the log keeps what the store has not taken, and must be closed.
            health.Raise("drain_incomplete", e.Message);
        }
        lock (state.Sync) logger.Drained(state.OldestNeeded is { } oldest ? _log.End - oldest : 0);
        _log.Dispose();
        _validation!.Dispose();
    }

    /// <summary>Takes no connection any more, and reads the open ones to their end. Who is slower than a drain may take is cut off.</summary>
    async Task EndConnectionsAsync(CancellationToken cancellationToken)
    {
        await _draining.CancelAsync();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(options.DrainAtMost + options.DrainAtMost);
        if (_listeners is { } listeners) await listeners.EndAsync(deadline.Token);
    }

    /// <summary>Takes no connection any more, reads the open ones to their end as at shutdown, and puts everything into the lake. The process goes on, for its health and metrics.</summary>
    public async Task<DrainReport> DrainAsync(bool seal, CancellationToken cancellationToken)
    {
        health.Raise("draining", "The gateway was told to drain; it takes no connections until it is started again.");
        await _draining.CancelAsync();
        Task served;
        lock (_serving) served = Task.WhenAll(_serving);
        await served.WaitAsync(cancellationToken);
        await _validation!.FinishAsync(cancellationToken);
        return await _shipper!.RequestDrainAsync(seal, cancellationToken);
    }

    /// <summary>One connection from its first byte to its last acknowledgement.</summary>
    public Task ServeAsync(StreamName name, ConnectionContext context)
    {
        var stream = _byName[name];
        return network.DoorOf(name).ServeAsync(stream.Definition, context, peer => EnterAsync(stream, peer, context));
    }

    async Task<CloseReason> EnterAsync(StreamIntake stream, Peer peer, ConnectionContext context)
    {
        if (!stream.TryEnter()) return CloseReason.StreamWithdrawn;
        var ended = new TaskCompletionSource();
        lock (_serving) _serving.Add(ended.Task);
        try
        {
            return await ReadAsync(stream, peer, context);
        }
        finally
        {
            lock (_serving) _serving.Remove(ended.Task);
            ended.SetResult();
            stream.Leave();
        }
    }

    async Task<CloseReason> ReadAsync(StreamIntake stream, Peer peer, ConnectionContext context)
    {
        try
        {
            if (_draining.IsCancellationRequested) return CloseReason.Draining;
            using var draining = CancellationTokenSource.CreateLinkedTokenSource(stream.Withdrawn, _draining.Token);
            var connection = new Connection(stream, _log!, health, options, time, peer.Transport.Input, peer.Transport.Output, network.Clocks);
            var reason = await connection.RunAsync(Interlocked.Increment(ref _nextConnection) - 1, peer.Text, peer.Name, draining.Token);
            if (reason == CloseReason.AcksUnread) context.Abort();
            return reason;
        }
        catch (LogException)
        {
            // The log has said so itself. The peer sees the connection end without an acknowledgement.
            context.Abort();
            return CloseReason.LogFailed;
        }
        catch (Exception e)
        {
            logger.ConnectionFailed(stream.Definition.Name, e);
            context.Abort();
            return CloseReason.Fault;
        }
    }

    /// <summary>The gateway's id is the log's: names of segments and the ledger's key must not change with who runs it.</summary>
    async Task ClaimAsync(WriteAheadLog log)
    {
        if (state.Gateway is null) await log.AppendAsync(EntryKind.Gateway, new(options.Id), LogJson.Default.GatewayEntry);
        else if (state.Gateway != options.Id) logger.LogOfAnotherGateway(options.LogDirectory, state.Gateway, options.Id);
    }

    internal IReadOnlyDictionary<StreamName, StreamIntake> Streams => _byName;

    /// <summary>What streams with a document listen on.</summary>
    Dictionary<StreamName, string> Addresses => _byName.Values.Where(s => !s.Withdrawn.IsCancellationRequested).ToDictionary(s => s.Definition.Name, s => s.Definition.Listen);

    /// <summary>Listens where the documents in force say, and nowhere else.</summary>
    internal Task ListenAsync() => _listeners!.UseAsync(Addresses);

    /// <summary>Puts a changed document in force, or that of a new stream. Its listener follows with <see cref="ListenAsync"/>.</summary>
    /// <remarks>What sealing needs of it is durable before the first record that is taken by it.</remarks>
    /// <exception cref="LeanPipeException"><c>gateway.tls_files</c>: then nothing has changed.</exception>
    internal async Task UseAsync(StreamFormat format)
    {
        network.Use(format.Definition);
        if (!_byName.TryGetValue(format.Definition.Name, out var stream))
        {
            await DeclareAsync(_log!, format);
            _validation!.Wake();
            return;
        }
        await RecordSettingsAsync(_log!, stream.Number, StreamSettings.Of(format.Definition, format.Columns));
        stream.Use(format);
        Reserve(stream.Number, format);
    }

    /// <summary>Ends a stream whose document is gone: its connections are drained, nobody comes in, and its windows are sealed.</summary>
    internal async Task WithdrawAsync(StreamIntake stream)
    {
        await stream.WithdrawAsync();
        await RecordSettingsAsync(_log!, stream.Number, StreamSettings.Of(stream.Definition, stream.Columns) with { SealWhenIdleFor = TimeSpan.Zero });
        _shipper!.Wake();
    }

    /// <summary>What cutting and sealing need of the document goes into the log when it is news.</summary>
    async Task RecordSettingsAsync(WriteAheadLog log, int number, StreamSettings settings)
    {
        bool isNew;
        lock (state.Sync) isNew = state.Streams[number].Settings != settings;
        if (isNew) await log.AppendAsync(EntryKind.Settings, new(number, settings), LogJson.Default.SettingsEntry);
    }

    /// <summary>Gives a stream its number in the log, durable before any entry uses it.</summary>
    async Task DeclareAsync(WriteAheadLog log, StreamFormat format)
    {
        var name = format.Definition.Name;
        int number;
        bool isNew;
        lock (state.Sync)
        {
            var known = state.Find(name);
            isNew = known is null;
            number = known?.Number ?? state.Streams.Count;
        }
        if (isNew) await log.AppendAsync(EntryKind.StreamDeclared, new(number, name), LogJson.Default.StreamDeclared);
        await RecordSettingsAsync(log, number, StreamSettings.Of(format.Definition, format.Columns));
        Reserve(number, format);
        var intake = new StreamIntake(format, number, time.GetUtcNow());
        intake.Stored.Asked = () => _shipper?.Wake();
        (_byNumber[number], _byName[name]) = (intake, intake);
    }

    /// <summary>The log keeps room for what frames become by the document in force.</summary>
    void Reserve(int number, StreamFormat format)
    {
        var growth = FrameGrowth.Of(format.Definition);
        lock (state.Sync) state.Streams[number].Unjudged.Growth = growth;
    }

    async Task DeclareStreamsAsync(WriteAheadLog log)
    {
        foreach (var definition in options.Streams) await DeclareAsync(log, new(definition));
        lock (state.Sync)
            foreach (var stream in state.Streams)
                if (!_byNumber.ContainsKey(stream.Number)) logger.StreamWithoutDocument(stream.Name);
    }
}
