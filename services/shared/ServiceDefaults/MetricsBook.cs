using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace LeanPipe.ServiceDefaults;

/// <summary>Every series of one application's instruments, as it stands now.</summary>
sealed class MetricsBook : IDisposable
{
    public const string OwnMeters = "LeanPipe.";
    public const string RuntimeMeter = "System.Runtime";

    readonly IMeterFactory _factory;
    readonly MeterListener _listener = new();
    readonly ConcurrentDictionary<Instrument, InstrumentSeries> _instruments = new();
    readonly Lock _collecting = new();

    public MetricsBook(IMeterFactory factory)
    {
        _factory = factory;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (IsOurs(instrument.Meter)) listener.EnableMeasurementEvents(instrument, _instruments.GetOrAdd(instrument, i => new(i)));
        };
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => Record(state, value, tags));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, state) => Record(state, (double)value, tags));
    }

    public void Start() => _listener.Start();

    /// <summary>Everything in Prometheus' text format.</summary>
    public string Collect()
    {
        lock (_collecting)
        {
            // What an observable instrument no longer reports is gone.
            foreach (var (instrument, series) in _instruments)
                if (instrument.IsObservable) series.Clear();
            _listener.RecordObservableInstruments();
            return PrometheusText.Write(_instruments.Values);
        }
    }

    public void Dispose() => _listener.Dispose();

    bool IsOurs(Meter meter) => meter.Name == RuntimeMeter || (meter.Name.StartsWith(OwnMeters, StringComparison.Ordinal) && meter.Scope == _factory);

    static void Record(object? series, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => ((InstrumentSeries)series!).Record(value, tags);
}
