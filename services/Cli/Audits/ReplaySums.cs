using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Audits;

/// <summary>What replays have declared, against the rejects that ledgers count and the segments that manifests list.</summary>
/// <param name="Rows">Rejected frames that became records, by window.</param>
/// <param name="Windows">What replays have made of whole windows, in their order.</param>
sealed record ReplaySums(
    IReadOnlyList<(string Key, ReplayRecord Record)> Records, SortedDictionary<string, long> Rows, IReadOnlyDictionary<string, List<(string Key, WindowReplay Record)>> Windows)
{
    public static async Task<ReplaySums> ReadAsync(IObjectStore store, StreamName stream, CancellationToken stop)
    {
        var records = new List<(string, ReplayRecord)>();
        var rows = new SortedDictionary<string, long>(StringComparer.Ordinal);
        await foreach (var item in store.ListAsync(LakeLayout.Replays(stream), stop))
        {
            if (await store.GetJsonAsync(item.Key, ContractsJson.Default.ReplayRecord, stop) is not { } record) continue;
            records.Add((item.Key, record));
            foreach (var segment in record.Segments) rows[segment.Window.Value] = rows.GetValueOrDefault(segment.Window.Value) + segment.Object.Rows;
        }
        var windows = new Dictionary<string, List<(string, WindowReplay)>>();
        await foreach (var item in store.ListAsync(LakeLayout.WindowReplays(stream), stop))
        {
            if (await store.GetJsonAsync(item.Key, ContractsJson.Default.WindowReplay, stop) is not { } record) continue;
            if (!windows.TryGetValue(record.Window.Value, out var replays)) windows.Add(record.Window.Value, replays = []);
            replays.Add((item.Key, record));
        }
        return new(records, rows, windows);
    }

    /// <summary>What gateways, and replays of rejects, have brought to the window, whatever was made of it since.</summary>
    public WindowManifest? Brought(string window, WindowManifest? manifest) =>
        manifest is null || InForce(window, manifest) is not { } replay ? manifest : manifest with { Segments = WindowReplay.Brought(manifest.Segments, replay.Record) };

    /// <summary>Records that were validated again became records or are counted as not taken.</summary>
    public IEnumerable<Break> OfWindow(string window, WindowManifest? manifest)
    {
        if (manifest is null || InForce(window, manifest) is not { } replay) yield break;
        var record = replay.Record;
        var read = record.Sources.Where(s => !record.Frames.Any(log => IsOf(s.Key, log))).Sum(s => s.Rows);
        var made = record.Segments.Where(s => !s.Source.StartsWith("frames/", StringComparison.Ordinal)).Sum(s => s.Object.Rows);
        foreach (var found in Break.Unless($"replay of window {window}", "records that were validated again = rows of what they became + records that are not taken", read, made + record.Rejected.Values.Sum(), replay.Key)) yield return found;
    }

    (string Key, WindowReplay Record)? InForce(string window, WindowManifest manifest) =>
        Windows.TryGetValue(window, out var replays) && replays.FindLastIndex(r => r.Record.IsIn(manifest)) is var at and >= 0 ? replays[at] : null;

    static bool IsOf(string key, string log) => key.AsSpan(key.LastIndexOf('/') + 1).StartsWith(log + "-", StringComparison.Ordinal);

    /// <summary>A record's lines are its rows, no line is declared twice, and no more rejects of a reason became records than there were.</summary>
    public IEnumerable<Break> OfRejects(IReadOnlyList<Ledger> ledgers)
    {
        foreach (var (key, record) in Records)
            foreach (var found in Break.Unless($"replay of {record.Source}", "rejects that became records = rows of its segments", record.Lines.Count, record.Segments.Sum(s => s.Object.Rows), key)) yield return found;
        foreach (var source in Records.GroupBy(r => r.Record.Source))
        {
            var lines = source.SelectMany(r => r.Record.Lines).ToList();
            foreach (var found in Break.Unless($"replays of {source.Key}", "rejects that became records = as many different ones", lines.Count, lines.Distinct().Count(), source.Last().Key)) yield return found;
        }
        if (ledgers.Count == 0) yield break;

        // A ledger that is older than a replay may know fewer rejects.
        var asOf = ledgers.Min(l => l.AsOf);
        foreach (var code in Records.Where(r => r.Record.At <= asOf).SelectMany(r => r.Record.Codes).GroupBy(c => c.Key))
        {
            var (replayed, rejected) = (code.Sum(c => c.Value), ledgers.Sum(l => l.Rejects.GetValueOrDefault(code.Key)));
            if (replayed > rejected) yield return new("replays", $"rejects of {code.Key} that became records are at most those that were rejected", rejected, replayed, Records[^1].Key);
        }
    }

    /// <summary>What a manifest lists of a declared segment is what was declared. One that it does not list yet is no fault: the next replay seals it.</summary>
    public IEnumerable<Break> OfManifest(string window, WindowManifest? manifest)
    {
        if (manifest is null) yield break;
        var listed = manifest.Segments.ToDictionary(s => s.Key);
        foreach (var (key, record) in Records)
            foreach (var segment in record.Segments.Where(s => s.Window.Value == window))
                if (listed.TryGetValue(segment.Object.Key, out var found) && found != segment.Object)
                    yield return new($"manifest of window {window}", "rows of a replayed segment, and its bytes and SHA-256, as declared", segment.Object.Rows, found.Rows, key);
    }
}
