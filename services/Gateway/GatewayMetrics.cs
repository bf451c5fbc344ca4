using System.Diagnostics.Metrics;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Network;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway;

/// <summary>What the gateway measures, named by the glossary; docs/specs/metrics.md lists it.</summary>
/// <remarks>Nearly all of it is read from the state when somebody asks, so that taking bytes in costs nothing. What the ledger holds goes on over restarts; the rest counts from the process's start.</remarks>
sealed class GatewayMetrics
{
    static readonly double[] CommitBounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

    readonly GatewayState _state;
    readonly GatewayOptions _options;
    readonly TimeProvider _time;
    readonly Histogram<double> _commits;
    readonly Counter<long> _sealed;

    public GatewayMetrics(IMeterFactory meters, GatewayOptions options, GatewayState state, GatewayNetwork network, GatewayHealth health, TimeProvider time)
    {
        (_state, _options, _time) = (state, options, time);
        var meter = meters.Create("LeanPipe.Gateway");
        Ledger(meter, "received_bytes", "Bytes that sockets have given and the log holds.", l => l.BytesReceived);
        Ledger(meter, "framed_bytes", "Bytes of frames that became records, with delimiters and heads.", l => l.BytesFramed);
        Ledger(meter, "rejected_bytes", "Bytes of rejected frames.", l => l.BytesRejected);
        Ledger(meter, "partial_bytes", "Bytes behind the last whole frame of connections that ended.", l => l.BytesPartial);
        Ledger(meter, "frames", "Frames: records and rejects.", l => l.Frames);
        Ledger(meter, "records", "Records.", l => l.Records);
        Ledger(meter, "late_records", "Records that came after their window was sealed.", l => l.Late);
        Ledger(meter, "connections", "Connections that were let in.", l => l.Connections);
        Many(meter.CreateObservableCounter<long>, "rejects", "Rejected frames by reason.", () => Ledgers().SelectMany(l => l.Rejects.Select(r => Reasoned(r.Value, l.Stream, r.Key))));

        Many(meter.CreateObservableGauge<long>, "connections_open", "Open connections.", () => network.Doors.Select(d => Of(d.Counts.Open, d.Stream)));
        Many(meter.CreateObservableCounter<long>, "connections_refused", "Connections that were not let in, by reason.", () => Ends(network, isRefusal: true));
        Many(meter.CreateObservableCounter<long>, "connections_closed", "Connections that have ended, by reason.", () => Ends(network, isRefusal: false));

        Many(meter.CreateObservableGauge<long>, "unsynced_bytes", "Bytes read and not on disk yet: what a power cut takes from peers without acknowledgements.", () => Host is { } host ? host.UnsyncedBytes.Select(s => Of(s.Bytes, s.Stream)) : []);
        _commits = meter.CreateHistogram(Name("commit_seconds"), advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = CommitBounds }, description: "From a commit's first entry until all of it is durable.", unit: null, tags: null);
        One(meter, "log_bytes", "Size of the write-ahead log.", () => Host?.Log?.Bytes ?? 0);
        One(meter, "log_max_bytes", "The size at which reading stops.", () => options.MaxLogBytes);
        One(meter, "unstored_bytes", "Bytes of the log from the oldest line on that is not in the store.", UnstoredBytes);
        Many<double>(meter.CreateObservableGauge, "oldest_unstored_seconds", "Age of the oldest line that is not in the store, since this process has known it.", OldestUnstored);
        Many(meter.CreateObservableGauge<long>, "unvalidated_frames", "Frames that are durable and not validated yet.", () => OfStreams(s => Of(s.Unjudged.Frames, s.Name)));
        Many<double>(meter.CreateObservableGauge, "oldest_unvalidated_seconds", "Age of the oldest frame that is not validated yet, since this process has known it.", () => OfStreams(s => Age(s.Unjudged.Since, s.Name)));
        Many(meter.CreateObservableGauge<long>, "open_windows", "Windows with records that no manifest lists.", OpenWindows);
        Many<long>(meter.CreateObservableCounter, "store_retries", "Failed calls of the store; each is tried again.", () => [new(Host?.StoreRetries ?? 0)]);
        Many<long>(meter.CreateObservableCounter, "publish_retries", "Events that the sidecar did not take; each is published again.", () => [new(Host?.PublishRetries ?? 0)]);
        _sealed = meter.CreateCounter<long>(Name("revisions_sealed"), description: "Revisions whose manifest this process has written.");

        One(meter, "reading", "1 while the gateway reads from its connections.", () => health.IsReading ? 1 : 0);
        Many(meter.CreateObservableGauge<long>, "health", "1 for every reason that GET /healthz gives.", () => health.Reasons.Keys.Select(r => new Measurement<long>(1, new KeyValuePair<string, object?>("reason", r))));
        Many<double>(meter.CreateObservableGauge, "certificate_seconds", "Time until the certificate in use expires.", () => network.Doors.Where(d => d.Certificate is not null)
            .Select(d => new Measurement<double>((d.Certificate!.Identity.NotAfter - _time.GetUtcNow()).TotalSeconds, Stream(d.Stream))));
    }

    /// <summary>Set when the gateway has started.</summary>
    public GatewayHost? Host { get; set; }

    public void Committed(TimeSpan delay) => _commits.Record(delay.TotalSeconds);

    public void Sealed(StreamName stream) => _sealed.Add(1, Stream(stream));

    delegate ObservableInstrument<T> Create<T>(string name, Func<IEnumerable<Measurement<T>>> observe, string? unit, string? description) where T : struct;

    void Ledger(Meter meter, string name, string description, Func<Ledger, long> figure) =>
        Many(meter.CreateObservableCounter<long>, name, description, () => Ledgers().Select(l => Of(figure(l), l.Stream)));

    static void Many<T>(Create<T> create, string name, string description, Func<IEnumerable<Measurement<T>>> observe) where T : struct => create(Name(name), observe, null, description);

    static void One(Meter meter, string name, string description, Func<long> observe) => meter.CreateObservableGauge(Name(name), observe, null, description);

    List<Ledger> Ledgers()
    {
        lock (_state.Sync) return [.. _state.Streams.Select(s => s.ToLedger(_state.Gateway ?? _options.Id, _time.GetUtcNow(), inParts: false))];
    }

    static IEnumerable<Measurement<long>> Ends(GatewayNetwork network, bool isRefusal) =>
        from door in network.Doors
        from reason in CloseReasons.All
        where reason.IsRefusal() == isRefusal
        select Reasoned(door.Counts.Ended(reason), door.Stream, reason.Text());

    List<Measurement<T>> OfStreams<T>(Func<StreamState, Measurement<T>> figure) where T : struct
    {
        lock (_state.Sync) return [.. _state.Streams.Select(figure)];
    }

    Measurement<double> Age(DateTimeOffset? since, StreamName stream) => new((_time.GetUtcNow() - (since ?? _time.GetUtcNow())).TotalSeconds, Stream(stream));

    IEnumerable<Measurement<long>> OpenWindows()
    {
        lock (_state.Sync) return [.. _state.Streams.Select(s => Of(s.Lanes.Values.Count(l => l.Key.HoldsRecords && l.HasUnlisted), s.Name))];
    }

    IEnumerable<Measurement<double>> OldestUnstored()
    {
        var now = _time.GetUtcNow();
        lock (_state.Sync)
            return [.. _state.Streams.Select(s => new Measurement<double>((now - (s.Lanes.Values.Min(l => l.UnstoredSince) ?? now)).TotalSeconds, Stream(s.Name)))];
    }

    long UnstoredBytes()
    {
        if (Host?.Log is not { } log) return 0;
        var end = log.End;
        lock (_state.Sync) return _state.OldestNeeded is { } oldest ? Math.Max(0, end - oldest) : 0;
    }

    static string Name(string name) => "leanpipe.gateway." + name;

    static Measurement<long> Of(long value, StreamName stream) => new(value, Stream(stream));

    static Measurement<long> Reasoned(long value, StreamName stream, string reason) => new(value, Stream(stream), new KeyValuePair<string, object?>("reason", reason));

    static KeyValuePair<string, object?> Stream(StreamName stream) => new("stream", stream.Value);
}
