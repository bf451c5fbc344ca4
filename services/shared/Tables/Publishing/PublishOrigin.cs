using LeanPipe.Contracts;

namespace LeanPipe.Tables;

/// <summary>What a publish was made from. It decides which of two publishes is the newer one, whichever comes last.</summary>
/// <param name="ReadsWindow">The run read data of its window, so a later window is newer data. Otherwise the window is a name only, and the run that was planned later is newer.</param>
public sealed record PublishOrigin(PipelineName Pipeline, WindowId Window, int Revision, RunId Run, DateTimeOffset PlannedAt, bool ReadsWindow)
{
    const int MillisecondBits = 43;

    public static PublishOrigin Of(RunPlan plan) => new(
        plan.Pipeline, plan.Window, plan.Revision, plan.Run, plan.PlannedAt,
        plan.Steps.SelectMany(s => s.Inputs).Any(i => i.Source.StartsWith("windows/", StringComparison.Ordinal)));

    /// <summary>One number that grows with the revision and, within one, with the time of planning: 20 bits of revision above 43 bits of milliseconds since the epoch.</summary>
    internal long Order => ((long)Revision << MillisecondBits) | PlannedMilliseconds;

    internal string WindowApp => $"leanpipe/{Pipeline}/{Window}";

    internal string RunApp => $"{WindowApp}/{Run}";

    internal long PlannedMilliseconds => PlannedAt.ToUnixTimeMilliseconds();

    /// <summary>Sorts as text like (window, revision, planned) over all windows of a pipeline; without window data, like the time of planning.</summary>
    internal string Rank => $"{(ReadsWindow ? Window.Start : DateTimeOffset.UnixEpoch):yyyyMMddHHmm}-{(ReadsWindow ? Revision : 0):D7}-{PlannedAt.UtcDateTime:yyyyMMddHHmmssfff}";

    /// <summary>The revision within an <see cref="Order"/>.</summary>
    internal static int RevisionOf(long order) => (int)(order >> MillisecondBits);
}
