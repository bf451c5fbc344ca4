using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>What a run would do, before anything runs.</summary>
/// <param name="Errors">Why it cannot be planned; then there are no steps.</param>
/// <param name="Digest">As <see cref="RunPlan.Digest"/>.</param>
public sealed record PlannedRun(PipelineName Pipeline, WindowId Window, int Revision, string? Digest, IReadOnlyList<StepPreview> Steps, IReadOnlyList<string> Errors);

/// <param name="Tasks">Null: known only when the steps that it reads are committed.</param>
/// <param name="Reused">So many of them would take the result of an equal task.</param>
/// <param name="Why">Why so many tasks.</param>
public sealed record StepPreview(StepName Step, int? Tasks, int Reused, string Why, IReadOnlyList<InputPreview> Inputs, string? Publishes, IReadOnlyList<TaskPreview> TaskList);

/// <param name="Objects">Null: the chunks of a step that would have to run first.</param>
public sealed record InputPreview(string Name, string Source, int? Objects, long? Rows, long? Bytes, bool Split);

public sealed record TaskPreview(TaskId Task, int Objects, long Rows, long Bytes, bool Reused);

/// <summary>Plans without writing. A step whose inputs would all be reused is planned on through, for its chunks are known already.</summary>
public static class PlanPreview
{
    /// <param name="config">The folder with <c>pipelines/</c>.</param>
    /// <exception cref="LeanPipeException"><c>plan.unknown_pipeline</c></exception>
    public static async Task<PlannedRun> OfAsync(IObjectStore store, string config, RunRequest request, TaskLimits? limits, CancellationToken cancellation)
    {
        var (plan, errors) = await PlanAsync(store, config, request, cancellation);
        var run = new RunId("preview");
        if (plan is null) return new(request.Pipeline, request.Window, 0, null, [], errors);
        var (cache, shapes) = (new TaskCache(store), new StepShapes(store));
        var known = new Dictionary<StepName, StepManifest>();
        var steps = new List<StepPreview>();
        foreach (var step in plan.Steps)
        {
            var unknown = step.Needs.Where(n => !known.ContainsKey(n)).ToList();
            if (unknown.Count > 0)
            {
                steps.Add(new(step.Name, null, 0, $"known when {string.Join(" and ", unknown)} {(unknown.Count == 1 ? "is" : "are")} committed: {Why(step, null)}", Inputs(step, known), Published(step), []));
                continue;
            }
            if (step.MergeOf is { } merged)
            {
                var heavy = BucketShares.Of(plan.Steps.Single(s => s.Name == merged), known).Where(s => s.Parts > 1).GroupBy(s => s.Bucket).ToList();
                steps.Add(new(step.Name, heavy.Count, 0, heavy.Count == 0 ? "no bucket is heavy: nothing to merge" : $"a merge for each heavy bucket: {string.Join(", ", heavy.Select(b => $"{b.Key} in {b.Count()} parts"))}", Inputs(step, known), Published(step), []));
                if (heavy.Count == 0) known[step.Name] = known[merged] with { Step = step.Name };
                continue;
            }
            var tasks = TaskPlanner.Plan(plan, step, known, limits ?? new());
            if (TaskPlanner.IsOverNothing(step, tasks) && await shapes.FindAsync(tasks[0], cancellation) is { } columns)
            {
                known[step.Name] = StepMerge.Merge(run, step.Name, [], TimeProvider.System.GetUtcNow(), none: columns);
                steps.Add(new(step.Name, 0, 0, "there is nothing to read: nothing runs", Inputs(step, known), Published(step), []));
                continue;
            }
            var outcomes = new List<TaskOutcome>();
            var previews = new List<TaskPreview>();
            foreach (var task in tasks)
            {
                var outcome = await cache.FindAsync(task, cancellation) is { } key ? await store.GetJsonAsync(key, ContractsJson.Default.TaskOutcome, cancellation) : null;
                if (outcome is not null) outcomes.Add(outcome);
                var objects = task.Inputs.SelectMany(i => i.Objects).ToList();
                previews.Add(new(task.Task, objects.Count, objects.Sum(o => o.Rows), objects.Sum(o => o.Bytes), outcome is not null));
            }
            if (outcomes.Count == tasks.Count) known[step.Name] = StepMerge.Merge(run, step.Name, outcomes, TimeProvider.System.GetUtcNow());
            steps.Add(new(step.Name, tasks.Count, outcomes.Count, Why(step, tasks.Count) + Remembered(step), Inputs(step, known), Published(step), previews));
        }
        return new(plan.Pipeline, plan.Window, plan.Revision, plan.Digest, steps, []);
    }

    /// <summary>Revision, digest and errors, without the steps, for which every task would have to be looked at.</summary>
    /// <exception cref="LeanPipeException"><c>plan.unknown_pipeline</c></exception>
    public static async Task<PlannedRun> OutlineAsync(IObjectStore store, string config, RunRequest request, CancellationToken cancellation)
    {
        var (plan, errors) = await PlanAsync(store, config, request, cancellation);
        return plan is null ? new(request.Pipeline, request.Window, 0, null, [], errors) : new(plan.Pipeline, plan.Window, plan.Revision, plan.Digest, [], []);
    }

    static async Task<Planning> PlanAsync(IObjectStore store, string config, RunRequest request, CancellationToken cancellation)
    {
        var pipeline = new PipelineFolder(config).Require(request.Pipeline);
        var (sources, _) = await new SourceReader(store, TimeProvider.System).ReadAsync(new("preview"), request, pipeline.Definition, pipeline.Folder, cancellation);
        return RunPlanner.Plan(sources);
    }

    static List<InputPreview> Inputs(PlannedStep step, Dictionary<StepName, StepManifest> known) => step.Inputs.Select(input =>
    {
        var objects = input.Step is not { } from ? input.Objects : known.GetValueOrDefault(from)?.Chunks.Select(c => c.Object).ToList();
        return new InputPreview(input.Name, input.Source, objects?.Count, objects?.Sum(o => o.Rows), objects?.Sum(o => o.Bytes), input.Name == (step.BytesOf ?? step.SplitOf ?? step.BucketsOf) || step.BucketsAlso?.Contains(input.Name) is true);
    }).ToList();

    static string? Published(PlannedStep step) => step.Publish is { } publish ? $"{publish.Table} ({System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(publish.Mode.ToString())})" : null;

    static string Remembered(PlannedStep step) => step.InputBytes is { } bytes ? $"; no more than {bytes} bytes, for more was too much for its memory" : "";

    static string Why(PlannedStep step, int? tasks) => step switch
    {
        { MergeOf: { } parts } => $"a merge for each bucket of {parts} that was shared out",
        { BucketsOf: { } input, SplitAbove: { } above } => $"one task per bucket of '{string.Join("' and '", [input, .. step.BucketsAlso ?? []])}' that has rows, several for one above {above:N0} bytes and twice the mean",
        { BucketsOf: { } input } => $"one task per bucket of '{string.Join("' and '", [input, .. step.BucketsAlso ?? []])}' that has rows",
        { SplitOf: { } input, RowsPerTask: { } rows } => $"whole objects of '{input}', about {rows:N0} rows to a task",
        { SplitOf: { } input, FilesPerTask: { } files } => $"{files} objects of '{input}' to a task",
        { SplitOf: { } input } => $"one task per window of '{input}'",
        { BytesOf: { } input, BytesPerTask: { } bytes } => $"whole objects of '{input}', about {bytes:N0} bytes to a task",
        _ => tasks is null or 1 ? "one task reads everything" : "",
    };
}
