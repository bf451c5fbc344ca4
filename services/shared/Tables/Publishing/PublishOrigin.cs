using System.Globalization;
using LeanPipe.Contracts;

namespace LeanPipe.Tables;

/// <summary>What a publish was made from. It decides which of two publishes is the newer one, whichever comes last.</summary>
/// <param name="ReadsWindow">The run read data of its window, so a later window is newer data. Otherwise the window is a name only, and the run that was planned later is newer.</param>
public sealed record PublishOrigin(PipelineName Pipeline, WindowId Window, int Revision, RunId Run, DateTimeOffset PlannedAt, bool ReadsWindow)
{
    const int MillisecondBits = 43;
    const string PlannedFormat = "yyyyMMddHHmmssfff";

    /// <summary>What says that it was planned so long after now was planned by a clock that was wrong: over the same data it counts as older, or nothing would take its place until that time comes.</summary>
    static readonly TimeSpan ClocksDiffer = TimeSpan.FromDays(1);

    public static PublishOrigin Of(RunPlan plan) => new(
        plan.Pipeline, plan.Window, plan.Revision, plan.Run, plan.PlannedAt,
        plan.Steps.SelectMany(s => s.Inputs).Any(i => i.Source.StartsWith("windows/", StringComparison.Ordinal)));

    /// <summary>One number that grows with the revision and, within one, with the time of planning: 20 bits of revision above 43 bits of milliseconds since the epoch.</summary>
    internal long Order => ((long)Revision << MillisecondBits) | PlannedMilliseconds;

    internal string WindowApp => $"leanpipe/{Pipeline}/{Window}";

    internal string RunApp => $"{WindowApp}/{Run}";

    internal long PlannedMilliseconds => PlannedAt.ToUnixTimeMilliseconds();

    /// <summary>Sorts as text like (window, revision, planned) over all windows of a pipeline; without window data, like the time of planning.</summary>
    internal string Rank => $"{(ReadsWindow ? Window.Start : DateTimeOffset.UnixEpoch):yyyyMMddHHmm}-{(ReadsWindow ? Revision : 0):D7}-{PlannedAt.UtcDateTime.ToString(PlannedFormat, CultureInfo.InvariantCulture)}";

    /// <summary>Whether an <see cref="Order"/> that was committed is of newer data than another one. Also of plain milliseconds, which are an order of revision 0.</summary>
    internal static bool IsNewer(long committed, long order, DateTimeOffset now) =>
        committed > order && (RevisionOf(committed) > RevisionOf(order) || (committed & ((1L << MillisecondBits) - 1)) <= (now + ClocksDiffer).ToUnixTimeMilliseconds());

    /// <summary>Whether a file of a <see cref="Rank"/> holds newer rows than this run; one of another writer does not.</summary>
    internal bool IsOlderThan(string? rank, DateTimeOffset now) => rank is not null && string.CompareOrdinal(rank, Rank) > 0 &&
        !(rank.Length == Rank.Length && rank.AsSpan(0, rank.Length - PlannedFormat.Length).SequenceEqual(Rank.AsSpan(0, rank.Length - PlannedFormat.Length)) &&
            string.CompareOrdinal(rank[^PlannedFormat.Length..], (now + ClocksDiffer).UtcDateTime.ToString(PlannedFormat, CultureInfo.InvariantCulture)) > 0);

    /// <summary>The revision within an <see cref="Order"/>.</summary>
    internal static int RevisionOf(long order) => (int)(order >> MillisecondBits);
}
