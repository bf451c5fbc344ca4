namespace LeanPipe.Cli.Demo;

/// <summary>One row of the published table.</summary>
sealed record HourlyRow(long Sensor, DateTimeOffset Hour, long Readings, double Average, double Min, double Max);

/// <summary>The answer, computed from what the generator sends and nothing else.</summary>
sealed record Expectation(long Records, long Rejects, IReadOnlyList<HourlyRow> Rows)
{
    public static Expectation Of(TelemetryOptions options)
    {
        var rows = new SortedDictionary<(long Sensor, DateTimeOffset Hour), (long Count, double Sum, double Min, double Max)>();
        var bad = 0L;
        for (var n = 0L; n < options.Records; n++)
        {
            if (Telemetry.BadKindOf(options, n) != BadKind.None)
            {
                bad++;
                continue;
            }
            if (Telemetry.ReadingOf(options, n) is not { Kind: "Temperature", Value: { } value } reading) continue;
            var key = (reading.Sensor, new DateTimeOffset(reading.At.UtcTicks - reading.At.UtcTicks % TimeSpan.TicksPerHour, TimeSpan.Zero));
            var row = rows.TryGetValue(key, out var found) ? found : (Count: 0, Sum: 0, Min: double.MaxValue, Max: double.MinValue);
            rows[key] = (row.Count + 1, row.Sum + value, Math.Min(row.Min, value), Math.Max(row.Max, value));
        }
        return new(options.Records - bad, bad, [.. rows.Select(r => new HourlyRow(r.Key.Sensor, r.Key.Hour, r.Value.Count, r.Value.Sum / r.Value.Count, r.Value.Min, r.Value.Max))]);
    }

    /// <summary>The first difference in words; null when the table is the answer.</summary>
    public string? Difference(IReadOnlyList<HourlyRow> table)
    {
        if (table.Count != Rows.Count) return $"the table has {table.Count} rows, expected {Rows.Count}";
        var sorted = table.OrderBy(r => r.Sensor).ThenBy(r => r.Hour).ToList();
        for (var i = 0; i < sorted.Count; i++)
            if (sorted[i] != Rows[i]) return $"found {sorted[i]}, expected {Rows[i]}";
        return null;
    }
}
