namespace LeanPipe.Contracts;

/// <summary>A task that ran out of memory reads the input that its step shares out a slice at a time. Whoever counts slices and whoever reads them cut in the same places.</summary>
public static class TaskSlices
{
    /// <summary>So many there can be: slices are of whole objects. 1 for a task whose rows are not what its slices yield together.</summary>
    public static int Most(TaskSpec spec) => Math.Max(1, Split(spec)?.Objects.Count ?? 1);

    /// <summary>The task over each slice. Neighbouring objects stay together, and slices are of about the same size.</summary>
    public static IReadOnlyList<TaskSpec> Of(TaskSpec spec, int slices)
    {
        if (slices <= 1 || Split(spec) is not { Objects.Count: > 1 } split) return [spec];
        return [.. Groups(split.Objects, slices).Select(own => spec with { Inputs = [.. spec.Inputs.Select(i => i.Name == split.Name ? i with { Objects = own } : i)] })];
    }

    /// <summary>Of the input that is sliced, what the largest slice reads.</summary>
    public static long LargestBytes(TaskSpec spec, int slices) => Split(spec) is { Objects.Count: > 0 } split ? Groups(split.Objects, slices).Max(g => g.Sum(o => o.Bytes)) : 0;

    static TaskInput? Split(TaskSpec spec) => spec.Split is { } name ? spec.Inputs.FirstOrDefault(i => i.Name == name) : null;

    static IEnumerable<IReadOnlyList<ObjectRef>> Groups(IReadOnlyList<ObjectRef> objects, int slices)
    {
        if (slices >= objects.Count) return objects.Select(o => (IReadOnlyList<ObjectRef>)[o]);
        // By where an object's middle lies; without any bytes by its place.
        var total = objects.Sum(o => (decimal)Math.Max(o.Bytes, 1));
        var before = 0m;
        return objects.GroupBy(o =>
        {
            var (size, middle) = (Math.Max(o.Bytes, 1), before + (Math.Max(o.Bytes, 1) / 2m));
            before += size;
            return Math.Min(slices - 1, (int)(middle * slices / total));
        }).Select(g => (IReadOnlyList<ObjectRef>)[.. g]).ToList();
    }
}
