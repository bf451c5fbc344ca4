using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Audits;

/// <summary>A step of an audited run.</summary>
/// <param name="Duplicates">Rows that the step declares to have dropped as duplicates; null when it declares nothing.</param>
sealed record StepAudit(string Step, long RowsIn, long RowsOut, long? Duplicates = null);

/// <summary>The newest completed run of one pipeline over one window of the stream.</summary>
/// <param name="Behind">Whether it read an older revision than the newest one.</param>
sealed record RunAudit(string Run, string Pipeline, string Window, int Revision, bool Behind, long RowsRead, IReadOnlyList<StepAudit> Steps, IReadOnlyList<PublishedTable> Published)
{
    public long Duplicates => Steps.Sum(s => s.Duplicates ?? 0);
}

/// <summary>What was read for an audit of one run.</summary>
sealed record RunDocuments(RunPlan Plan, RunRecord Record, IReadOnlyDictionary<StepName, StepManifest> Manifests)
{
    /// <summary>The newest completed run per pipeline and window among those that read the stream.</summary>
    public static async Task<IReadOnlyList<RunDocuments>> ReadAsync(IObjectStore store, StreamName stream, CancellationToken stop)
    {
        var found = new Dictionary<(PipelineName, WindowId), RunDocuments>();
        await foreach (var (run, _) in RunIndex.ListAsync(store, stop))
        {
            if (await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, stop) is not { Status: RunStatus.Completed } record) continue;
            var slot = (record.Pipeline, record.Window);
            if (found.TryGetValue(slot, out var known) && known.Record.Revision >= record.Revision) continue;
            if (await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, stop) is not { } plan || !plan.Steps.SelectMany(s => s.Inputs).Any(i => Reads(i, stream))) continue;
            var manifests = new Dictionary<StepName, StepManifest>();
            foreach (var step in plan.Steps)
                if (await store.GetJsonAsync(LakeLayout.StepManifest(run, step.Name), ContractsJson.Default.StepManifest, stop) is { } manifest) manifests.Add(step.Name, manifest);
            found[slot] = new(plan, record, manifests);
        }
        return [.. found.Values.OrderBy(r => r.Record.Window).ThenBy(r => r.Record.Pipeline.Value, StringComparer.Ordinal)];
    }

    public static bool Reads(PlannedInput input, StreamName stream) => input.Source.StartsWith(LakeLayout.Windows(stream), StringComparison.Ordinal);
}

/// <summary>A run's inputs against the window's manifest, and each step against what it reads.</summary>
static class RunSums
{
    public static IEnumerable<Break> Of(RunDocuments run, StreamName stream, WindowManifest? newest)
    {
        var (plan, id) = (run.Plan, run.Record.Run);
        var key = LakeLayout.RunPlan(id);
        foreach (var input in plan.Steps.SelectMany(s => s.Inputs).Where(i => RunDocuments.Reads(i, stream)))
        {
            if (newest is null || input.Source != LakeLayout.WindowManifest(stream, newest.Window, newest.Revision)) continue;
            var place = $"plan of run {id}";
            foreach (var found in Break.Unless(place, "rows of the window's manifest = rows of the pinned segments", newest.Rows, input.Objects.Sum(o => o.Rows), key)) yield return found;
            foreach (var found in Break.Unless(place, "segments of the window's manifest that are pinned", newest.Segments.Count, newest.Segments.Intersect(input.Objects).Count(), key)) yield return found;
        }
        foreach (var step in plan.Steps)
            if (run.Manifests.TryGetValue(step.Name, out var manifest))
                foreach (var found in OfStep(run, step, manifest)) yield return found;
    }

    public static RunAudit Summary(RunDocuments run, StreamName stream, WindowManifest? newest)
    {
        var pinned = run.Plan.Steps.SelectMany(s => s.Inputs).Where(i => RunDocuments.Reads(i, stream)).ToList();
        var key = newest is null ? null : LakeLayout.WindowManifest(stream, newest.Window, newest.Revision);
        return new(
            run.Record.Run.Value, run.Record.Pipeline.Value, run.Record.Window.Value, run.Record.Revision, pinned.Any(i => key is not null && string.CompareOrdinal(i.Source, key) < 0),
            pinned.DistinctBy(i => i.Source).Sum(i => i.Objects.Sum(o => o.Rows)),
            [.. run.Plan.Steps.Where(s => run.Manifests.ContainsKey(s.Name)).Select(s => Of(s, run.Manifests[s.Name]))], run.Record.Published);
    }

    static StepAudit Of(PlannedStep step, StepManifest manifest) =>
        new(step.Name.Value, manifest.RowsIn, manifest.RowsOut, step.Dedupe is { Count: > 0 } ? manifest.RowsIn - manifest.RowsOut : null);

    static IEnumerable<Break> OfStep(RunDocuments run, PlannedStep step, StepManifest manifest)
    {
        var place = $"step {step.Name} of run {run.Record.Run}";
        var key = LakeLayout.StepManifest(run.Record.Run, step.Name);
        // With one input every row is read once; other inputs go to every task, and their rows are counted as often.
        if (step.Inputs is [var only] && RowsOf(only, run.Manifests) is { } rows)
            foreach (var found in Break.Unless(place, "rows of the step's input = rows read", rows, manifest.RowsIn, key)) yield return found;
        foreach (var found in Break.Unless(place, "rows written = the sum of the chunks", manifest.RowsOut, manifest.Chunks.Sum(c => c.Object.Rows), key)) yield return found;
        if (step.Dedupe is { Count: > 0 } && manifest.RowsOut > manifest.RowsIn) yield return new(place, "rows that stay without duplicates are at most the rows read", manifest.RowsIn, manifest.RowsOut, key);
        if (run.Record.Steps.FirstOrDefault(s => s.Step == step.Name) is { } record)
        {
            var ended = LakeLayout.RunRecord(run.Record.Run);
            foreach (var found in Break.Unless(place, "rows read, by the step's manifest = by the run's record", manifest.RowsIn, record.RowsIn, ended)) yield return found;
            foreach (var found in Break.Unless(place, "rows written, by the step's manifest = by the run's record", manifest.RowsOut, record.RowsOut, ended)) yield return found;
        }
        if (step.Publish is { } publish && run.Record.Published.FirstOrDefault(p => p.Table == publish.Table) is { Superseded: not true } published)
            foreach (var found in Break.Unless(place, "rows written = rows published", manifest.RowsOut, published.Rows, LakeLayout.RunRecord(run.Record.Run))) yield return found;
    }

    static long? RowsOf(PlannedInput input, IReadOnlyDictionary<StepName, StepManifest> manifests) =>
        input.Step is not { } step ? input.Objects.Sum(o => o.Rows) : manifests.TryGetValue(step, out var before) ? before.RowsOut : null;

    /// <summary>A step's chunks are all there, or were all cleaned up after the run.</summary>
    public static async IAsyncEnumerable<Break> OfChunksAsync(
        IObjectStore store, RunDocuments run, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var (step, manifest) in run.Manifests.OrderBy(m => m.Key.Value, StringComparer.Ordinal))
        {
            var sizes = new List<(ObjectRef Chunk, long? Found)>();
            foreach (var chunk in manifest.Chunks) sizes.Add((chunk.Object, await store.SizeAsync(chunk.Object.Key, stop)));
            if (sizes.All(s => s.Found is null)) continue;
            foreach (var (chunk, found) in sizes.Where(s => s.Found != s.Chunk.Bytes)) yield return new($"chunk of step {step} of run {run.Record.Run}", "bytes of the chunk", chunk.Bytes, found, chunk.Key);
        }
    }
}
