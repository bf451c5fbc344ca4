using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Audits;

/// <param name="Recorded">Records that the ledgers count in the window.</param>
/// <param name="Stored">Rows of the newest revision's manifest; null when the window was never sealed.</param>
/// <param name="Missing">Segments that the manifest names and the store does not hold at their size.</param>
sealed record WindowAudit(string Window, long Recorded, long? Stored, int? Revision, int Segments, IReadOnlyList<string> Missing)
{
    public bool Holds => Missing.Count == 0 && (Stored is null || Stored <= Recorded);

    public bool IsOpen => Stored is null || Stored < Recorded;
}

/// <summary>The ledgers of a stream added up, and what the lake holds against them.</summary>
sealed record Audit(
    StreamName Stream, int Gateways, DateTimeOffset? AsOf, long Connections, long BytesReceived, long BytesFramed, long BytesRejected, long BytesPartial, long Frames, long Records,
    IReadOnlyDictionary<string, long> Rejects, long Late, IReadOnlyList<WindowAudit> Windows)
{
    public bool BytesBalance => BytesReceived == BytesFramed + BytesRejected + BytesPartial;

    public bool FramesBalance => Frames == Records + Rejects.Values.Sum();

    public bool RecordsBalance => Records == Windows.Sum(w => w.Recorded);

    /// <summary>False means that something is lost or doubled. Windows that are still open are no fault.</summary>
    public bool Balances => BytesBalance && FramesBalance && RecordsBalance && Windows.All(w => w.Holds);

    public static async Task<Audit> ReadAsync(IObjectStore store, StreamName stream, CancellationToken stop)
    {
        // Manifests first: a ledger that is read later counts at least what they hold.
        var manifests = await NewestManifestsAsync(store, stream, stop);
        var ledgers = new List<Ledger>();
        await foreach (var item in store.ListAsync(LakeLayout.Ledgers(stream), stop))
            if (await store.GetJsonAsync(item.Key, ContractsJson.Default.Ledger, stop) is { } ledger) ledgers.Add(ledger);

        var recorded = Sum(ledgers, l => l.Windows);
        var windows = new List<WindowAudit>();
        foreach (var window in recorded.Keys.Union(manifests.Keys).Order(StringComparer.Ordinal))
        {
            var manifest = manifests.GetValueOrDefault(window);
            windows.Add(new(window, recorded.GetValueOrDefault(window), manifest?.Rows, manifest?.Revision, manifest?.Segments.Count ?? 0, await MissingAsync(store, manifest, stop)));
        }
        return new(
            stream, ledgers.Count, ledgers.Count == 0 ? null : ledgers.Max(l => l.AsOf), ledgers.Sum(l => l.Connections), ledgers.Sum(l => l.BytesReceived), ledgers.Sum(l => l.BytesFramed),
            ledgers.Sum(l => l.BytesRejected), ledgers.Sum(l => l.BytesPartial), ledgers.Sum(l => l.Frames), ledgers.Sum(l => l.Records), Sum(ledgers, l => l.Rejects), ledgers.Sum(l => l.Late), windows);
    }

    public static async Task<SortedDictionary<string, WindowManifest>> NewestManifestsAsync(IObjectStore store, StreamName stream, CancellationToken stop)
    {
        var newest = new SortedDictionary<string, string>(StringComparer.Ordinal);
        // Keys come in order, so the last of a window is its newest revision.
        await foreach (var item in store.ListAsync(LakeLayout.Windows(stream), stop)) newest[item.Key.Split('/')[2]] = item.Key;
        var manifests = new SortedDictionary<string, WindowManifest>(StringComparer.Ordinal);
        foreach (var (window, key) in newest)
            if (await store.GetJsonAsync(key, ContractsJson.Default.WindowManifest, stop) is { } manifest) manifests[window] = manifest;
        return manifests;
    }

    static async Task<IReadOnlyList<string>> MissingAsync(IObjectStore store, WindowManifest? manifest, CancellationToken stop)
    {
        var missing = new List<string>();
        foreach (var segment in manifest?.Segments ?? [])
            if (await store.SizeAsync(segment.Key, stop) != segment.Bytes) missing.Add(segment.Key);
        return missing;
    }

    static SortedDictionary<string, long> Sum(IEnumerable<Ledger> ledgers, Func<Ledger, IReadOnlyDictionary<string, long>> counts)
    {
        var sum = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (key, count) in ledgers.SelectMany(counts)) sum[key] = sum.GetValueOrDefault(key) + count;
        return sum;
    }
}
