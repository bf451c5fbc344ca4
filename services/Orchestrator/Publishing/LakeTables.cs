using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Orchestrator;

/// <summary>Tables at both ends of a run: pinned as inputs, and published to.</summary>
static class LakeTables
{
    /// <summary>The newest version, or the one that is named; null when there is no such table or version.</summary>
    public static async Task<PinnedTable?> PinAsync(IObjectStore store, TableInput input, CancellationToken cancellation) =>
        await (input.AsOf is { } instant
            ? DeltaTable.OpenAtAsync(store, input.Table, instant, cancellation)
            : DeltaTable.OpenAsync(store, input.Table, cancellation, input.Version)) is { } found
            ? new(found.Version, [.. found.Columns.Select(c => new SegmentColumn(c.Name, c.Type, c.Type))], found.Objects)
            : null;

    /// <summary>What a run has published to a table; null when its log does not tell of it.</summary>
    public static async Task<PublishedTable?> FindAsync(IObjectStore store, RunPlan plan, PublishDefinition publish, StepManifest manifest, CancellationToken cancellation)
    {
        try
        {
            return await DeltaTable.OpenAsync(store, publish.Table, cancellation) is { } table && table.CommittedBy(plan) is { } committed
                ? new(publish.Table, committed.CommittedIn, manifest.Chunks.Sum(c => c.Object.Rows))
                : null;
        }
        catch (LeanPipeException e) when (!e.IsTransient)
        {
            // A table that cannot be read is most likely why the run has failed.
            return null;
        }
    }

    public static Task<PublishedTable> PublishAsync(
        IObjectStore store, RunPlan plan, PublishDefinition publish, StepManifest manifest, TableWork work, TimeProvider time, CancellationToken cancellation) => TablePublisher.PublishAsync(
            store, publish, PublishOrigin.Of(plan), manifest.Columns, manifest.Chunks, time, cancellation, work);
}
