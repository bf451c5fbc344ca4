using System.Globalization;
using System.Text;

namespace LeanPipe.ServiceDefaults;

/// <summary>Prometheus' text format, version 0.0.4.</summary>
static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Write(IEnumerable<InstrumentSeries> instruments)
    {
        var text = new StringBuilder();
        // Instruments of one name, from two meters, are one family.
        foreach (var family in instruments.GroupBy(i => i.Name, StringComparer.Ordinal).OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            var first = family.First();
            if (first.Help.Length > 0) text.Append("# HELP ").Append(first.Name).Append(' ').Append(first.Help.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal)).Append('\n');
            text.Append("# TYPE ").Append(first.Name).Append(' ').Append(first.Kind switch { SeriesKind.Counter => "counter", SeriesKind.Gauge => "gauge", _ => "histogram" }).Append('\n');
            foreach (var series in family.Where(s => s.Kind == first.Kind))
                foreach (var (labels, sum, count, buckets) in series.Snapshot())
                {
                    if (series.Kind == SeriesKind.Histogram) WriteHistogram(text, series, labels, sum, count, buckets);
                    else WriteLine(text, series.Name, labels, sum);
                }
        }
        return text.ToString();
    }

    /// <summary>Letters, digits and underscores; everything else becomes one.</summary>
    public static string NameOf(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var c in name) text.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        if (text.Length > 0 && char.IsAsciiDigit(text[0])) text.Insert(0, '_');
        return text.ToString();
    }

    /// <summary><c>a="b",c="d"</c>, in the order of the names.</summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new List<(string Name, string Value)>(tags.Length);
        foreach (var (name, value) in tags) labels.Add((NameOf(name), Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
        labels.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return string.Join(',', labels.Select(l =>
            $"{l.Name}=\"{l.Value.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal)}\""));
    }

    static void WriteHistogram(StringBuilder text, InstrumentSeries series, string labels, double sum, long count, long[] buckets)
    {
        long below = 0;
        var lead = labels.Length > 0 ? labels + "," : "";
        for (var i = 0; i < buckets.Length; i++)
        {
            below += buckets[i];
            WriteLine(text, series.Name + "_bucket", $"{lead}le=\"{(i < series.Bounds.Count ? Number(series.Bounds[i]) : "+Inf")}\"", below);
        }
        WriteLine(text, series.Name + "_sum", labels, sum);
        WriteLine(text, series.Name + "_count", labels, count);
    }

    static void WriteLine(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
