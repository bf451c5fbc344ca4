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

    public static Task<PublishedTable> PublishAsync(
        IObjectStore store, RunPlan plan, PublishDefinition publish, StepManifest manifest, TimeProvider time, CancellationToken cancellation) => TablePublisher.PublishAsync(
            store, publish, PublishOrigin.Of(plan), manifest.Columns, manifest.Chunks, time, cancellation);
}
