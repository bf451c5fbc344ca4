namespace LeanPipe.Contracts;

/// <summary>Neighbouring tasks of a step in one object: what they share once, and of each what is its own. Written by the orchestrator before their first attempt, never changed.</summary>
/// <remarks>A step of ten thousand tasks is a hundred objects, and a step runner reads its own one.</remarks>
public sealed record TaskSheet
{
    const int MostTasks = 100;

    /// <summary>Near a megabyte: each task's step runner reads all of it.</summary>
    const int MostOwnObjects = 4000;

    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;

    /// <summary>The first of the tasks, without the objects of the inputs that <see cref="Tasks"/> name.</summary>
    public required TaskSpec Spec { get; init; }

    public required IReadOnlyList<TaskShare> Tasks { get; init; }

    /// <summary>Null when the task stands in another sheet.</summary>
    public TaskSpec? Find(TaskId task) => Tasks.FirstOrDefault(t => t.Task == task) is { } share ? share.Of(Spec) : null;

    /// <summary>The sheets of a step. Planned again, its tasks are cut in the same places.</summary>
    /// <param name="tasks">Of one step, in their order; they differ in their number, in objects of their inputs, and in whether checks are asked.</param>
    public static IEnumerable<TaskSheet> Cut(IReadOnlyList<TaskSpec> tasks)
    {
        if (tasks.Count == 0) yield break;
        var own = tasks[0].Inputs.Index().Where(i => tasks.Any(t => !ReferenceEquals(t.Inputs[i.Index].Objects, i.Item.Objects))).Select(i => i.Index).ToList();
        var checks = tasks.Select(t => t.Checks).FirstOrDefault(c => c.Count > 0) ?? [];
        for (var first = 0; first < tasks.Count;)
        {
            var (end, objects) = (first, 0);
            do objects += own.Sum(i => tasks[end].Inputs[i].Objects.Count);
            while (++end < tasks.Count && end - first < MostTasks && objects + own.Sum(i => tasks[end].Inputs[i].Objects.Count) <= MostOwnObjects);
            yield return new()
            {
                Version = tasks[first].Version,
                Spec = tasks[first] with { Checks = checks, Inputs = [.. tasks[first].Inputs.Select((input, i) => own.Contains(i) ? input with { Objects = [] } : input)] },
                Tasks = [.. tasks.Skip(first).Take(end - first).Select(t => new TaskShare(
                    t.Task, own.ToDictionary(i => t.Inputs[i].Name, i => t.Inputs[i].Objects), t.Checks.Count < checks.Count ? true : null))],
            };
            first = end;
        }
    }
}

/// <param name="Objects">By input; what the others read too is not named.</param>
/// <param name="Unchecked">True: the step that puts the parts of a bucket together asks its checks; null: they are asked.</param>
public sealed record TaskShare(TaskId Task, IReadOnlyDictionary<string, IReadOnlyList<ObjectRef>> Objects, bool? Unchecked = null)
{
    public TaskSpec Of(TaskSpec spec) => spec with
    {
        Task = Task,
        Inputs = Objects.Count == 0 ? spec.Inputs : [.. spec.Inputs.Select(i => Objects.TryGetValue(i.Name, out var own) ? i with { Objects = own } : i)],
        Checks = Unchecked is true ? [] : spec.Checks,
    };
}
