using LeanPipe.Contracts;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Shipping;

/// <summary>When a lane is cut and when a window is sealed. Pure: state, documents and clock in, decisions out. Called under the state's lock.</summary>
/// <param name="started">Stands for the last byte of a stream that has no document any more.</param>
sealed class Cutting(GatewayOptions options, IReadOnlyDictionary<int, StreamIntake> intakes, ulong logId, DateTimeOffset started)
{
    /// <summary>One request puts a segment, so it has a bound of its own.</summary>
    const long LargestSegmentBytes = 512L * 1024 * 1024;

    /// <summary>What seems to have been so long after now was before somebody set the clock back; it counts as long ago, for the clock may need years to get there again. More than threads can be apart.</summary>
    static readonly TimeSpan SetBack = TimeSpan.FromMinutes(1);

    static readonly StreamSettings WithoutDocument = StreamSettings.Of(new() { Name = new("unknown"), Listen = "", Schema = new([]), EventTime = "" }, []);

    /// <remarks>
    /// Frames are cut once they are validated, and whenever something is cut that they became, before it: so what a manifest lists was made of frames that are in the lake, which a replay relies on.
    /// </remarks>
    /// <param name="everything">Cut what there is, for the gateway drains or the log is too large.</param>
    public List<CutEntry> DueCuts(GatewayState state, DateTimeOffset now, bool everything)
    {
        var (cuts, frames) = (new List<CutEntry>(), new List<CutEntry>());
        foreach (var lane in state.Active)
            if (!lane.Key.Frames) CutDue(state, lane, now, everything, long.MaxValue, cuts);
        var cut = cuts.Select(c => c.Lane.Stream).ToHashSet();
        foreach (var lane in state.Active)
            if (lane.Key.Frames) CutDue(state, lane, now, everything || cut.Contains(lane.Key.Stream), state.Streams[lane.Key.Stream].Unjudged.Oldest ?? long.MaxValue, frames);
        return [.. frames, .. cuts];
    }

    /// <param name="before">Lines from this position on stay.</param>
    void CutDue(GatewayState state, Lane lane, DateTimeOffset now, bool everything, long before, List<CutEntry> cuts)
    {
        if (!lane.Uncut.TryPeek(out var first) || first.Position >= before) return;
        var settings = state.Streams[lane.Key.Stream].Settings ?? WithoutDocument;
        var isWanted = intakes.TryGetValue(lane.Key.Stream, out var stream) && first.Position < stream.Stored.Wanted;
        var all = everything || isWanted || IsOver(settings.CutAfter, lane.UncutSince, now) || IsIdle(settings, lane, now) || SealReason(state, lane, now) is not null;
        var atBytes = Math.Min(settings.CutAtBytes, LargestSegmentBytes);
        if (all || lane.UncutBytes >= atBytes) Cut(state.Gateway ?? options.Id, lane, atBytes, all, before, cuts);
    }

    /// <summary>Why the window is to be sealed now; null when it is not.</summary>
    public string? SealReason(GatewayState state, Lane lane, DateTimeOffset now)
    {
        if (!lane.Key.HoldsRecords || !lane.HasUnlisted || state.Streams[lane.Key.Stream].Settings is not { } settings) return null;
        // Frames that are not validated yet may be of this window.
        if (state.Streams[lane.Key.Stream].Unjudged.Oldest is null && IsIdle(settings, lane, now)) return "idle";
        if (!state.Streams[lane.Key.Stream].IsPassed(lane.Key)) return null;
        if (lane is { Revision: 0, HasLate: false }) return "watermark";

        // Late records come in a trickle: wait until it pauses, so that a revision is worth its runs.
        var isQuiet = IsOver(options.LateSealAfter, lane.LastAppend, now) || IsOver(options.LateSealAtMost, lane.WaitingSince, now);
        return isQuiet ? lane.Revision > 0 || state.Streams[lane.Key.Stream].IsForgotten(lane.Key) ? "late" : "watermark" : null;
    }

    bool IsIdle(StreamSettings settings, Lane lane, DateTimeOffset now) =>
        IsOver(settings.SealWhenIdleFor, intakes.TryGetValue(lane.Key.Stream, out var stream) ? stream.LastActivity : started, now);

    static bool IsOver(TimeSpan wait, DateTimeOffset? since, DateTimeOffset now) => now - since >= wait || since - now > SetBack;

    void Cut(string gateway, Lane lane, long atBytes, bool all, long before, List<CutEntry> cuts)
    {
        long bytes = 0;
        long? first = null;
        long upTo = 0;
        foreach (var extent in lane.Uncut)
        {
            if (extent.Position >= before) break;
            first ??= extent.Position;
            bytes += extent.Bytes;
            upTo = extent.Position + 1;
            if (bytes < atBytes) continue;
            cuts.Add(new(lane.Key, upTo, SegmentName.Of(gateway, logId, first.Value)));
            (first, bytes) = (null, 0);
        }
        if (all && first is not null) cuts.Add(new(lane.Key, upTo, SegmentName.Of(gateway, logId, first.Value)));
    }
}
