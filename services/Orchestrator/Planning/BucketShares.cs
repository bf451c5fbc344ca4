using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>What one task of a shuffle reads: a bucket, or one of several shares of a heavy one.</summary>
/// <param name="Parts">Into so many the bucket was shared out; 1: it is whole.</param>
/// <param name="Objects">By input; an input that is not there is read whole.</param>
sealed record BucketShare(int Bucket, int Parts, IReadOnlyDictionary<string, IReadOnlyList<ObjectRef>> Objects)
{
    public IReadOnlyList<TaskInput> Of(IReadOnlyList<TaskInput> inputs) => [.. inputs.Select(i => Objects.TryGetValue(i.Name, out var own) ? i with { Objects = own } : i)];
}

/// <summary>The buckets that have rows on any side, in their order; heavy ones shared out by the chunks of the first side, the other sides whole in every share.</summary>
static class BucketShares
{
    public static IReadOnlyList<BucketShare> Of(PlannedStep step, IReadOnlyDictionary<StepName, StepManifest> committed)
    {
        string[] names = [step.BucketsOf!, .. step.BucketsAlso ?? []];
        var sides = names.ToDictionary(name => name, name => BucketsOf(step, name, committed));
        var driving = sides[step.BucketsOf!];
        var mean = driving.Count == 0 ? 0 : driving.Sum(b => Bytes(b)) / driving.Count;
        var shares = new List<BucketShare>();
        foreach (var bucket in sides.Values.SelectMany(s => s.Select(b => b.Key)).Distinct().Order())
        {
            var whole = names.ToDictionary(name => name, name => (IReadOnlyList<ObjectRef>)[.. sides[name][bucket]]);
            var heavy = step.SplitAbove is { } above && Bytes(driving[bucket]) is var bytes && bytes > above && bytes > 2 * mean;
            var groups = heavy ? TaskPlanner.Groups(whole[step.BucketsOf!], Math.Max(Math.Min(mean, step.InputBytes ?? mean), 1), o => o.Bytes) : [whole[step.BucketsOf!]];
            foreach (var group in groups) shares.Add(new(bucket, groups.Count, new Dictionary<string, IReadOnlyList<ObjectRef>>(whole) { [step.BucketsOf!] = group }));
        }
        return shares;
    }

    static long Bytes(IEnumerable<ObjectRef> objects) => objects.Sum(o => o.Bytes);

    static ILookup<int, ObjectRef> BucketsOf(PlannedStep step, string name, IReadOnlyDictionary<StepName, StepManifest> committed)
    {
        var source = step.Inputs.Single(i => i.Name == name).Step!.Value;
        var chunks = committed[source].Chunks;
        if (chunks.FirstOrDefault(c => c.Bucket is null) is { } stray)
            throw new LeanPipeException(
                "plan.unbucketed_chunk", $"Chunk '{stray.Object.Key}' of step '{source}' belongs to no bucket, but step '{step.Name}' reads buckets: start the run under a new id.");
        return chunks.ToLookup(c => c.Bucket!.Value, c => c.Object);
    }
}
