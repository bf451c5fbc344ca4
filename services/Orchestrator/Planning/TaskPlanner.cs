using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>A planned step and what it reads become its tasks. Pure and deterministic: a repeated activity writes the same tasks under the same keys.</summary>
/// <remarks>
/// Tasks are numbered from 0 without gaps. Over inputs without objects a step is one task with empty views: its <c>count(*)</c> is 0, its checks are asked, and it tells the columns.
/// A step that shares out its work need not run that one (<see cref="IsOverNothing"/>) when its columns are known.
/// </remarks>
static class TaskPlanner
{
    /// <param name="committed">The manifests of every step in <see cref="PlannedStep.Needs"/>.</param>
    /// <exception cref="LeanPipeException">A committed step does not hold what the plan expects.</exception>
    public static IReadOnlyList<TaskSpec> Plan(RunPlan plan, PlannedStep step, IReadOnlyDictionary<StepName, StepManifest> committed, TaskLimits limits)
    {
        var inputs = step.Inputs.Select(i => Whole(i, committed)).ToList();
        if (step.BucketsOf is not null)
        {
            var shares = BucketShares.Of(step, committed);
            return shares.Count == 0 ? [Task(0, inputs)] : [.. shares.Select((share, n) => share.Parts > 1 ? Task(n, share.Of(inputs)) with { Checks = [], Split = step.BucketsOf } : Task(n, share.Of(inputs)))];
        }
        var driving = step.BytesOf ?? step.SplitOf;
        var groups = driving is null ? [] : Groups(inputs.Single(i => i.Name == driving).Objects, step);
        if (groups.Count == 0) return [Task(0, inputs)];
        return [.. groups.Select((share, n) => Task(n, [.. inputs.Select(i => i.Name == driving ? i with { Objects = share } : i)]))];

        TaskSpec Task(int index, IReadOnlyList<TaskInput> taskInputs) => new()
        {
            Run = plan.Run,
            Pipeline = plan.Pipeline,
            Window = plan.Window,
            Step = step.Name,
            Task = new(index),
            Inputs = taskInputs,
            Sql = step.Sql,
            Params = plan.Params,
            Output = step.Output,
            Load = step.Load,
            Checks = step.Checks,
            Split = IsSplitAnywhere(step) ? step.BytesOf ?? step.SplitOf : null,
            Limits = limits with { Timeout = step.Timeout ?? limits.Timeout, MemoryBytes = Math.Max(step.MemoryBytes ?? 0, limits.MemoryBytes) },
            MaxAttempts = step.MaxAttempts,
            Cache = step.Cache,
        };
    }

    /// <summary>Nothing of the input that the step shares out is there, so that no task has a share; and there is no check to ask.</summary>
    public static bool IsOverNothing(PlannedStep step, IReadOnlyList<TaskSpec> tasks) =>
        (step.BytesOf ?? step.SplitOf ?? step.BucketsOf) is { } shared && step.Checks.Count == 0 && tasks is [var only]
        && only.Inputs.Where(i => i.Name == shared || step.BucketsAlso?.Contains(i.Name) is true).All(i => i.Objects.Count == 0);

    /// <summary>The document gives no meaning to where its input is cut: not for one task over everything, for windows or buckets, and not where duplicates are looked for in each part.</summary>
    static bool IsSplitAnywhere(PlannedStep step) => step.Dedupe is null && (step.BytesPerTask ?? step.RowsPerTask ?? step.FilesPerTask) is not null;

    /// <summary>The tasks of a step that merges: one for each bucket that was shared out, over the chunks of its shares.</summary>
    /// <param name="shares">Of the step that is merged, in the order of its tasks.</param>
    /// <param name="outcomes">Of the same tasks.</param>
    public static IReadOnlyList<TaskSpec> PlanMerge(RunPlan plan, PlannedStep step, IReadOnlyList<BucketShare> shares, IReadOnlyList<TaskOutcome> outcomes, TaskLimits limits)
    {
        var columns = outcomes.Count == 0 ? [] : outcomes[0].Columns.Select(c => new OutputColumn(c.Name, c.Type)).ToList();
        var tasks = new List<TaskSpec>();
        foreach (var bucket in shares.Index().Where(s => s.Item.Parts > 1).GroupBy(s => s.Item.Bucket))
        {
            var parts = new StepManifest
            {
                Run = plan.Run,
                Step = step.MergeOf!.Value,
                Columns = columns,
                Chunks = [.. bucket.SelectMany(s => outcomes[s.Index].Chunks)],
                Tasks = 0,
                RowsIn = 0,
                RowsOut = 0,
                TaskMs = 0,
                CommittedAt = plan.PlannedAt,
            };
            tasks.AddRange(Plan(plan, step, new Dictionary<StepName, StepManifest> { [parts.Step] = parts }, limits).Select(t => t with { Task = new(tasks.Count) }));
        }
        return tasks;
    }

    static List<IReadOnlyList<ObjectRef>> Groups(IReadOnlyList<ObjectRef> objects, PlannedStep step) =>
        step.InputBytes is { } most && IsSplitAnywhere(step) ? [.. Asked(objects, step).SelectMany(g => Groups(g, most, o => o.Bytes))] : Asked(objects, step);

    static List<IReadOnlyList<ObjectRef>> Asked(IReadOnlyList<ObjectRef> objects, PlannedStep step) => step switch
    {
        { BytesPerTask: { } bytes } => Groups(objects, bytes, o => o.Bytes),
        { RowsPerTask: { } rows } => Groups(objects, rows, o => o.Rows),
        { FilesPerTask: { } files } => Groups(objects, files, _ => 1),
        _ => Windows(objects, step.Inputs.Single(i => i.Name == step.SplitOf).Windows ?? [objects.Count]),
    };

    /// <summary>Whole objects in their order; a group is closed before the object that would take it over the size, so a larger object is a group of its own.</summary>
    internal static List<IReadOnlyList<ObjectRef>> Groups(IReadOnlyList<ObjectRef> objects, long perTask, Func<ObjectRef, long> size)
    {
        var groups = new List<IReadOnlyList<ObjectRef>>();
        var group = new List<ObjectRef>();
        var sum = 0L;
        foreach (var item in objects)
        {
            if (group.Count > 0 && sum + size(item) > perTask)
            {
                groups.Add(group);
                (group, sum) = ([], 0);
            }
            group.Add(item);
            sum += size(item);
        }
        if (group.Count > 0) groups.Add(group);
        return groups;
    }

    /// <summary>A window without segments gets no task.</summary>
    static List<IReadOnlyList<ObjectRef>> Windows(IReadOnlyList<ObjectRef> objects, IReadOnlyList<int> counts)
    {
        var groups = new List<IReadOnlyList<ObjectRef>>();
        var first = 0;
        foreach (var count in counts)
        {
            if (count > 0) groups.Add([.. objects.Skip(first).Take(count)]);
            first += count;
        }
        return groups;
    }

    static TaskInput Whole(PlannedInput input, IReadOnlyDictionary<StepName, StepManifest> committed)
    {
        if (input.Step is not { } step) return new(input.Name, input.Format, input.Columns, input.Objects);
        var manifest = committed[step];
        return new(
            input.Name, InputFormat.Parquet, [.. manifest.Columns.Select(c => new SegmentColumn(c.Name, c.Type, c.Type))], [.. manifest.Chunks.Select(c => c.Object)]);
    }
}
