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
        var (driving, shares) = step switch
        {
            { BucketsOf: { } name } => (name, Buckets(step, name, committed)),
            { BytesOf: { } name, BytesPerTask: { } bytes } => (name, Groups(inputs.Single(i => i.Name == name).Objects, bytes)),
            _ => (null, []),
        };
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

    /// <summary>Whole objects in their order; a group is closed before the object that would take it over the size, so a larger object is a group of its own.</summary>
    static List<IReadOnlyList<ObjectRef>> Groups(IReadOnlyList<ObjectRef> objects, long bytesPerTask)
    {
        var groups = new List<IReadOnlyList<ObjectRef>>();
        var group = new List<ObjectRef>();
        var bytes = 0L;
        foreach (var item in objects)
        {
            if (group.Count > 0 && bytes + item.Bytes > bytesPerTask)
            {
                groups.Add(group);
                (group, bytes) = ([], 0);
            }
            group.Add(item);
            bytes += item.Bytes;
        }
        if (group.Count > 0) groups.Add(group);
        return groups;
    }

    static List<IReadOnlyList<ObjectRef>> Buckets(PlannedStep step, string name, IReadOnlyDictionary<StepName, StepManifest> committed)
    {
        var source = step.Inputs.Single(i => i.Name == name).Step!.Value;
        var chunks = committed[source].Chunks;
        if (chunks.FirstOrDefault(c => c.Bucket is null) is { } stray)
            throw new LeanPipeException(
                "plan.unbucketed_chunk", $"Chunk '{stray.Object.Key}' of step '{source}' belongs to no bucket, but step '{step.Name}' reads buckets: start the run under a new id.");
        return [.. chunks.GroupBy(c => c.Bucket!.Value).OrderBy(g => g.Key).Select(g => (IReadOnlyList<ObjectRef>)[.. g.Select(c => c.Object)])];
    }

    static TaskInput Whole(PlannedInput input, IReadOnlyDictionary<StepName, StepManifest> committed)
    {
        if (input.Step is not { } step) return new(input.Name, input.Format, input.Columns, input.Objects);
        var manifest = committed[step];
        return new(
            input.Name, InputFormat.Parquet, [.. manifest.Columns.Select(c => new SegmentColumn(c.Name, c.Type, c.Type))], [.. manifest.Chunks.Select(c => c.Object)]);
    }
}
