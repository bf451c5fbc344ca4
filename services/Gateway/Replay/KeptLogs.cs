using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>What a log's part of a window is made of again.</summary>
enum PartSource
{
    /// <summary>The records themselves: their frames were not kept, or not of all, or the ledger does not tell the window by itself any more.</summary>
    Records,

    /// <summary>The frames as they came, rejected ones among them.</summary>
    Frames,

    /// <summary>Nothing now: records are on their way, which the gateway is about to list.</summary>
    Unsettled,
}

/// <summary>The gateways' logs that have kept frames, by what their ledgers say.</summary>
/// <remarks>
/// What makes it exact: a gateway cuts the frames of everything that it cuts, and stores them before it seals; its ledger says up to which position its frames were stored when its figures were taken. So when all records of
/// a window are listed by then, the frames before that position hold every one of them, and none that is listed later.
/// </remarks>
sealed partial class KeptLogs
{
    readonly Dictionary<string, Ledger> _ledgers = new(StringComparer.Ordinal);

    public static async Task<KeptLogs> ReadAsync(IObjectStore store, StreamName stream, CancellationToken stop)
    {
        var logs = new KeptLogs();
        await foreach (var item in store.ListAsync(LakeLayout.Ledgers(stream), stop))
            if (await store.GetJsonAsync(item.Key, ContractsJson.Default.Ledger, stop) is { StoredFrames: { } stored } ledger) logs._ledgers[$"{ledger.Gateway}-{stored.Log}"] = ledger;
        return logs;
    }

    public IReadOnlyCollection<string> Names => _ledgers.Keys;

    /// <summary>The log of a segment, <c>{gateway}-{log}</c>, and the position in it of the segment's first line; null for a segment that no gateway has made, nor a replay of one.</summary>
    public static (string Log, long Position)? OriginOf(string key)
    {
        var name = key[(key.LastIndexOf('/') + 1)..];
        return SegmentName().Match(name) is { Success: true } match ? (match.Groups[1].Value, long.Parse(match.Groups[2].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)) : null;
    }

    /// <summary>Whether the ledger speaks of a segment of frames.</summary>
    public bool Knows(string key) => OriginOf(key) is { } origin && _ledgers.TryGetValue(origin.Log, out var ledger) && origin.Position < ledger.StoredFrames!.UpTo;

    /// <param name="listed">Rows of the log that the window's manifest lists, read after the ledgers.</param>
    public PartSource SourceOf(string log, WindowId window, long listed)
    {
        if (!_ledgers.TryGetValue(log, out var ledger)) return PartSource.Records;
        if (window.Start < ledger.OlderWindows?.Before) return PartSource.Records;
        var records = ledger.Windows.GetValueOrDefault(window.Value);
        if ((ledger.Kept?.GetValueOrDefault(window.Value) ?? 0) < records) return PartSource.Records;
        return ledger.Listed?.GetValueOrDefault(window.Value) == records && listed <= records ? PartSource.Frames : PartSource.Unsettled;
    }

    [GeneratedRegex(@"^(.+-[0-9a-f]{16})-([0-9]{20})[.-]", RegexOptions.CultureInvariant)]
    private static partial Regex SegmentName();
}
