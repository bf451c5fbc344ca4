using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Cli.Audits;

/// <param name="Recorded">Records that the ledgers count in the window.</param>
/// <param name="Stored">Rows that the newest revision's manifest lists, or that a replay has made it of; null when the window was never sealed.</param>
/// <param name="Missing">Segments that the manifest names and the store does not hold at their size.</param>
/// <param name="IsAhead">Whether the manifest was sealed after every ledger was written, so that it may list more.</param>
sealed record WindowAudit(string Window, long Recorded, long? Stored, int? Revision, int Segments, IReadOnlyList<string> Missing, bool IsAhead)
{
    /// <summary>Rejected frames that replays have declared records of the window; null when there is none.</summary>
    public long? Replayed { get; init; }

    /// <summary>Rows that a replay has made of the window, which readers see in the place of <see cref="Stored"/>; null when none has.</summary>
    public long? Remade { get; init; }

    public bool Holds => Missing.Count == 0 && (Stored is null || Stored <= Recorded + (Replayed ?? 0) || IsAhead);

    public bool IsOpen => Stored is null || Stored < Recorded + (Replayed ?? 0);
}

/// <summary>The ledgers of a stream added up, and what the lake holds against them.</summary>
sealed record Audit(
    StreamName Stream, int Gateways, DateTimeOffset? AsOf, long Connections, long BytesReceived, long BytesFramed, long BytesRejected, long BytesPartial, long Frames, long Records,
    IReadOnlyDictionary<string, long> Rejects, long Late, IReadOnlyList<WindowAudit> Windows, IReadOnlyList<RunAudit> Runs, IReadOnlyList<Break> Breaks)
{
    /// <summary>Rejected frames that replays have made records.</summary>
    public long? Replayed { get; init; }

    /// <summary>Objects of rejects; null when there is none.</summary>
    public RejectedAudit? Rejected { get; init; }

    public bool BytesBalance => BytesReceived == BytesFramed + BytesRejected + BytesPartial;

    public bool FramesBalance => Frames == Records + Rejects.Values.Sum();

    public bool RecordsBalance => Records == Windows.Sum(w => w.Recorded);

    /// <summary>False means that something is lost or doubled. Windows that are still open are no fault.</summary>
    public bool Balances => BytesBalance && FramesBalance && RecordsBalance && Windows.All(w => w.Holds) && Breaks.Count == 0;

    /// <summary>Walks from the sockets to the rows of tables.</summary>
    /// <param name="read">Whether to read segments and files of tables whole, and compare their contents with what was written.</param>
    public static async Task<Audit> ReadAsync(IObjectStore store, StreamName stream, CancellationToken stop, bool read = false)
    {
        var audit = await WalkAsync(store, stream, read, stop);
        // What looks broken may have been under way between two objects that were read: a gateway seals, a run publishes. Whatever is broken stays so.
        if (!audit.Balances) audit = await WalkAsync(store, stream, read, stop);
        return audit;
    }

    static async Task<Audit> WalkAsync(IObjectStore store, StreamName stream, bool read, CancellationToken stop)
    {
        // In this order, each names only what was there before it: a manifest that is read later lists at least what the ledger says it does, and no run has read more than is listed.
        var ledgers = new List<Ledger>();
        await foreach (var item in store.ListAsync(LakeLayout.Ledgers(stream), stop))
            if (await store.GetJsonAsync(item.Key, ContractsJson.Default.Ledger, stop) is { } ledger) ledgers.Add(ledger);
        var runs = await RunDocuments.ReadAsync(store, stream, stop);
        var manifests = await NewestManifestsAsync(store, stream, stop);

        // Declared before they are listed, and read after: what a manifest lists is declared.
        var replays = await ReplaySums.ReadAsync(store, stream, stop);
        var recorded = Sum(ledgers, l => l.Windows);
        DateTimeOffset? asOf = ledgers.Count == 0 ? null : ledgers.Max(l => l.AsOf);
        var windows = new List<WindowAudit>();
        var (rejected, lost) = await RejectedSums.ReadAsync(store, stream, ledgers, read, stop);
        var breaks = ledgers.SelectMany(LedgerSums.Of).Concat(lost).Concat(replays.OfRejects(ledgers)).ToList();
        // Segments that housekeeping took on purpose are neither missing nor read.
        var retired = await HousekeepingPass.RetiredAsync(store, stream, stop);
        var all = new SortedDictionary<string, WindowManifest>(StringComparer.Ordinal);
        foreach (var window in recorded.Keys.Union(manifests.Keys).Union(replays.Rows.Keys).Order(StringComparer.Ordinal))
        {
            var manifest = manifests.GetValueOrDefault(window);
            var present = await PresentAsync(store, manifest, retired.GetValueOrDefault(window)?.Revision ?? 0, stop);
            // The ledgers' sums are of what was brought; what a replay has made of it is summed up against that.
            var brought = replays.Brought(window, manifest);
            breaks.AddRange(SegmentSums.OfManifest(stream, window, brought, ledgers));
            breaks.AddRange(replays.OfManifest(window, brought));
            breaks.AddRange(replays.OfWindow(window, manifest));
            if (brought is not null) all[window] = brought;
            windows.Add(new(window, RecordedOf(window, recorded.GetValueOrDefault(window), brought, replays, ledgers), brought?.Rows, manifest?.Revision, manifest?.Segments.Count ?? 0, await MissingAsync(store, present, stop), manifest?.SealedAt > asOf)
            {
                Replayed = replays.Rows.TryGetValue(window, out var replayed) ? replayed : null,
                Remade = ReferenceEquals(brought, manifest) ? null : manifest?.Rows,
            });
            if (present is not null)
                await foreach (var found in SegmentSums.OfSegmentsAsync(store, present, read, stop)) breaks.Add(found);
        }
        breaks.AddRange(SegmentSums.OfOlder(stream, all, ledgers));
        await AddRunsAsync(store, stream, runs, manifests, read, breaks, stop);
        return new(
            stream, ledgers.Count, asOf, ledgers.Sum(l => l.Connections), ledgers.Sum(l => l.BytesReceived), ledgers.Sum(l => l.BytesFramed),
            ledgers.Sum(l => l.BytesRejected), ledgers.Sum(l => l.BytesPartial), ledgers.Sum(l => l.Frames), ledgers.Sum(l => l.Records), Sum(ledgers, l => l.Rejects), ledgers.Sum(l => l.Late), windows,
            [.. runs.Select(r => RunSums.Summary(r, stream, manifests.GetValueOrDefault(r.Record.Window.Value)))], breaks)
        {
            Replayed = replays.Rows.Count > 0 ? replays.Rows.Values.Sum() : null,
            Rejected = rejected is { Objects: 0, Taken: 0 } ? null : rejected,
        };
    }

    /// <summary>Of a window that a ledger has added up, what is listed and what waits stands for what was recorded; the sum is compared as a whole.</summary>
    static long RecordedOf(string window, long recorded, WindowManifest? brought, ReplaySums replays, IReadOnlyList<Ledger> ledgers) =>
        brought is null || !ledgers.Any(l => SegmentSums.IsOlder(l, window)) ? recorded
        : brought.Rows - replays.Rows.GetValueOrDefault(window) + ledgers.Sum(l => l.Windows.GetValueOrDefault(window) - (l.Listed?.GetValueOrDefault(window) ?? 0));

    static async Task AddRunsAsync(
        IObjectStore store, StreamName stream, IReadOnlyList<RunDocuments> runs, SortedDictionary<string, WindowManifest> manifests, bool read, List<Break> breaks, CancellationToken stop)
    {
        foreach (var run in runs)
        {
            breaks.AddRange(RunSums.Of(run, stream, manifests.GetValueOrDefault(run.Record.Window.Value)));
            await foreach (var found in RunSums.OfChunksAsync(store, run, stop)) breaks.Add(found);
        }
        foreach (var name in runs.SelectMany(r => r.Record.Published).Select(p => p.Table).Distinct().OrderBy(t => t.Value, StringComparer.Ordinal))
        {
            if (await DeltaTable.OpenAsync(store, name, stop) is not { } table)
            {
                breaks.Add(new($"table {name}", "versions of the table", runs.SelectMany(r => r.Record.Published).Where(p => p.Table == name).Max(p => p.Version) + 1, null, LakeLayout.TableLog(name)));
                continue;
            }
            foreach (var run in runs) breaks.AddRange(TableSums.OfWindow(table, run));
            await foreach (var found in TableSums.OfFilesAsync(store, table, read, stop)) breaks.Add(found);
        }
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

    /// <summary>What is left of a manifest whose segments were taken up to a revision; later revisions list them still.</summary>
    static async Task<WindowManifest?> PresentAsync(IObjectStore store, WindowManifest? manifest, int retired, CancellationToken stop)
    {
        if (manifest is null || retired == 0) return manifest;
        if (retired >= manifest.Revision) return null;
        var taken = await store.GetJsonAsync(LakeLayout.WindowManifest(manifest.Stream, manifest.Window, retired), ContractsJson.Default.WindowManifest, stop);
        return manifest with { Segments = [.. manifest.Segments.Except(taken?.Segments ?? [])] };
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
