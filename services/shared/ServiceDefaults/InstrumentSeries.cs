using System.Diagnostics.Metrics;

namespace LeanPipe.ServiceDefaults;

enum SeriesKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>One instrument's values by their labels.</summary>
sealed class InstrumentSeries
{
    /// <summary>For histograms whose instrument advises none: seconds from half a millisecond to ten.</summary>
    static readonly double[] DefaultBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    readonly Lock _sync = new();
    readonly SortedDictionary<string, Value> _values = new(StringComparer.Ordinal);
    readonly bool _adds;

    public InstrumentSeries(Instrument instrument)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        (Name, Help) = (PrometheusText.NameOf(instrument.Name), instrument.Description ?? "");
        Kind = type == typeof(Histogram<>) ? SeriesKind.Histogram : type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? SeriesKind.Counter : SeriesKind.Gauge;
        if (Kind == SeriesKind.Counter && !Name.EndsWith("_total", StringComparison.Ordinal)) Name += "_total";
        _adds = type == typeof(Counter<>) || type == typeof(UpDownCounter<>);
        Bounds = Kind != SeriesKind.Histogram ? [] : instrument is Histogram<double> { Advice.HistogramBucketBoundaries: { Count: > 0 } bounds } ? [.. bounds] : DefaultBounds;
    }

    public string Name { get; }

    public string Help { get; }

    public SeriesKind Kind { get; }

    /// <summary>Upper bounds of a histogram's buckets, without the last, which has none.</summary>
    public IReadOnlyList<double> Bounds { get; }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = tags.IsEmpty ? "" : PrometheusText.Labels(tags);
        lock (_sync)
        {
            if (!_values.TryGetValue(labels, out var found)) _values.Add(labels, found = new(Kind == SeriesKind.Histogram ? new long[Bounds.Count + 1] : []));
            found.Count++;
            found.Sum = _adds || Kind == SeriesKind.Histogram ? found.Sum + value : value;
            if (Kind == SeriesKind.Histogram) found.Buckets[BucketOf(value)]++;
        }
    }

    public void Clear()
    {
        lock (_sync) _values.Clear();
    }

    /// <summary>A copy, in the order of the labels.</summary>
    public IReadOnlyList<(string Labels, double Sum, long Count, long[] Buckets)> Snapshot()
    {
        lock (_sync) return [.. _values.Select(v => (v.Key, v.Value.Sum, v.Value.Count, (long[])v.Value.Buckets.Clone()))];
    }

    int BucketOf(double value)
    {
        var bucket = 0;
        while (bucket < Bounds.Count && value > Bounds[bucket]) bucket++;
        return bucket;
    }

    sealed class Value(long[] buckets)
    {
        public double Sum { get; set; }

        public long Count { get; set; }

        public long[] Buckets => buckets;
    }
}
