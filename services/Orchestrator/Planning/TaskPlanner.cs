using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>A planned step and what it reads become its tasks. Pure and deterministic: a repeated activity writes the same tasks under the same keys.</summary>
/// <remarks>
/// Tasks are numbered from 0 without gaps. A step always has a task: over inputs without objects it is one task with empty views, so that a step over nothing
/// still has columns, its <c>count(*)</c> is 0, and its checks are asked.
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
            var buckets = Buckets(step, committed);
            return buckets.Count == 0 ? [Task(0, inputs)] : [.. buckets.Select((share, n) => Task(n, [.. inputs.Select(i => share.TryGetValue(i.Name, out var own) ? i with { Objects = own } : i)]))];
        }
        var driving = step.BytesOf ?? step.SplitOf;
        var shares = driving is null ? [] : Groups(inputs.Single(i => i.Name == driving).Objects, step);
        if (shares.Count == 0) return [Task(0, inputs)];
        return [.. shares.Select((share, n) => Task(n, [.. inputs.Select(i => i.Name == driving ? i with { Objects = share } : i)]))];

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
            Checks = step.Checks,
            Limits = step.Timeout is { } timeout ? limits with { Timeout = timeout } : limits,
            MaxAttempts = step.MaxAttempts,
            Cache = step.Cache,
        };
    }

    static List<IReadOnlyList<ObjectRef>> Groups(IReadOnlyList<ObjectRef> objects, PlannedStep step) => step switch
    {
        { BytesPerTask: { } bytes } => Groups(objects, bytes, o => o.Bytes),
        { RowsPerTask: { } rows } => Groups(objects, rows, o => o.Rows),
        { FilesPerTask: { } files } => Groups(objects, files, _ => 1),
        _ => Windows(objects, step.Inputs.Single(i => i.Name == step.SplitOf).Windows ?? [objects.Count]),
    };

    /// <summary>Whole objects in their order; a group is closed before the object that would take it over the size, so a larger object is a group of its own.</summary>
    static List<IReadOnlyList<ObjectRef>> Groups(IReadOnlyList<ObjectRef> objects, long perTask, Func<ObjectRef, long> size)
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

    /// <summary>Per bucket of which any side has rows: each side's objects of that bucket, perhaps none.</summary>
    static List<IReadOnlyDictionary<string, IReadOnlyList<ObjectRef>>> Buckets(PlannedStep step, IReadOnlyDictionary<StepName, StepManifest> committed)
    {
        string[] names = [step.BucketsOf!, .. step.BucketsAlso ?? []];
        var sides = names.ToDictionary(name => name, name => BucketsOf(step, name, committed));
        return [.. sides.Values.SelectMany(s => s.Select(bucket => bucket.Key)).Distinct().Order()
            .Select(bucket => (IReadOnlyDictionary<string, IReadOnlyList<ObjectRef>>)names.ToDictionary(name => name, name => (IReadOnlyList<ObjectRef>)[.. sides[name][bucket]]))];
    }

    static ILookup<int, ObjectRef> BucketsOf(PlannedStep step, string name, IReadOnlyDictionary<StepName, StepManifest> committed)
    {
        var source = step.Inputs.Single(i => i.Name == name).Step!.Value;
        var chunks = committed[source].Chunks;
        if (chunks.FirstOrDefault(c => c.Bucket is null) is { } stray)
            throw new LeanPipeException(
                "plan.unbucketed_chunk", $"Chunk '{stray.Object.Key}' of step '{source}' belongs to no bucket, but step '{step.Name}' reads buckets: start the run under a new id.");
        return chunks.ToLookup(c => c.Bucket!.Value, c => c.Object);
    }

    static TaskInput Whole(PlannedInput input, IReadOnlyDictionary<StepName, StepManifest> committed)
    {
        if (input.Step is not { } step) return new(input.Name, input.Format, input.Columns, input.Objects);
        var manifest = committed[step];
        return new(
            input.Name, InputFormat.Parquet, [.. manifest.Columns.Select(c => new SegmentColumn(c.Name, c.Type, c.Type))], [.. manifest.Chunks.Select(c => c.Object)]);
    }
}
