using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <summary>Intermediates of runs that ended long ago, attempts that lost, entries of the cache, leftovers of probes.</summary>
/// <remarks>In the order of deletion the documents that name others come first, so that a pass that is cut short leaves objects that nothing names, never names of objects that are gone.</remarks>
static class RunSweep
{
    static readonly TimeSpan ProbesAreOver = TimeSpan.FromDays(1);

    /// <summary>What stays of a run for good: how it was planned, how it ended, what its tasks cost.</summary>
    static readonly string[] Kept = ["plan.json", "run.json", "tasks.ndjson", "cancel.json"];

    // The first names the second, and so on.
    static readonly string[] Order = ["manifest.json", "commit.json", "outcome.json", Sheet];

    /// <summary>Of a step's tasks, whatever its own name says.</summary>
    const string Sheet = "tasks";

    /// <summary>Left by a pass that was cut short; it holds off a retry until the rest is gone.</summary>
    const string Last = "sweep-";

    public static async Task<IReadOnlyList<Removal>> FindAsync(LakeSnapshot lake, HousekeepingPolicy policy, CancellationToken cancellationToken)
    {
        var removals = new List<Removal>();
        foreach (var entry in lake.Cache)
        {
            if (entry.Key.StartsWith("cache/probe-", StringComparison.Ordinal))
            {
                if (lake.IsOlder(entry.LastModified, ProbesAreOver)) removals.Add(new("cache", entry.Key, entry.Bytes, "left by a probe of the store that was cut short"));
            }
            else if (lake.IsOlder(entry.LastModified, policy.Cache))
            {
                removals.Add(new("cache", entry.Key, entry.Bytes, $"a result of {entry.LastModified:yyyy-MM-dd}, older than {policy.Cache!.Value.TotalDays:0.##} days"));
            }
        }
        foreach (var run in lake.Runs)
        {
            if (lake.IsUnfinished(run.Run) || run.Record is not { } ended) continue;
            var (isOld, isSwept) = (lake.IsOlder(ended.LastModified, policy.Runs), run.Objects.Any(o => o.Key.StartsWith(LakeLayout.RunSweeps(new(run.Run)), StringComparison.Ordinal)));
            // How a run ended is the last that is known of it: nothing goes while that cannot be read.
            if ((isOld || isSwept) && await lake.Documents.GetAsync(ended.Key, ContractsJson.Default.RunRecord, cancellationToken) is null) continue;
            if (isOld)
                removals.AddRange(Intermediates(lake, run, $"the run ended on {ended.LastModified:yyyy-MM-dd}, more than {policy.Runs!.Value.TotalDays:0.##} days ago"));
            else if (isSwept)
                removals.AddRange(Intermediates(lake, run, "a pass that was cut short had begun to remove what the run left"));
            else if (lake.IsOlder(ended.LastModified, policy.Attempts))
                removals.AddRange(await LostAttemptsAsync(lake, run, cancellationToken));
        }
        return removals;
    }

    static IEnumerable<Removal> Intermediates(LakeSnapshot lake, RunObjects run, string why) =>
        from item in run.Objects
        let name = item.Key[(item.Key.LastIndexOf('/') + 1)..]
        where !Kept.Contains(name) && !lake.IsNamed(item.Key)
        orderby name.StartsWith(Last, StringComparison.Ordinal) ? Order.Length + 1 : Array.IndexOf(Order, TaskSheetKey.Of(item.Key) is null ? name : Sheet) is var place and >= 0 ? place : Order.Length, item.Key
        select new Removal("run", item.Key, item.Bytes, why);

    /// <summary>Tasks with more attempts than one, of a run that completed: all but the one that its commit names.</summary>
    static async Task<IReadOnlyList<Removal>> LostAttemptsAsync(LakeSnapshot lake, RunObjects run, CancellationToken cancellationToken)
    {
        var tasks = run.Objects.Select(o => (Object: o, Parts: o.Key.Split('/'))).Where(o => o.Parts.Length == 6 && int.TryParse(o.Parts[4], out _)).GroupBy(o => string.Join('/', o.Parts[..4]));
        var removals = new List<Removal>();
        RunRecord? record = null;
        foreach (var task in tasks)
        {
            if (await CommittedAsync(lake, task.Key, cancellationToken) is not { } commit || task.All(o => o.Parts[4] == $"{commit.Attempt}")) continue;
            record ??= await lake.Documents.GetAsync($"{LakeLayout.Runs}{run.Run}/run.json", ContractsJson.Default.RunRecord, cancellationToken);
            // A run that failed may be tried again, and looks at all of its attempts then.
            if (record is not { Status: RunStatus.Completed }) return [];
            removals.AddRange(from item in task
                              where item.Parts[4] != $"{commit.Attempt}" && !lake.IsNamed(item.Object.Key) && item.Object.Key != commit.Outcome
                              orderby item.Parts[5] == "outcome.json" ? 0 : 1, item.Object.Key
                              select new Removal("attempt", item.Object.Key, item.Object.Bytes, $"attempt {item.Parts[4]} of its task lost to attempt {commit.Attempt}"));
        }
        return removals;
    }

    static async Task<TaskCommit?> CommittedAsync(LakeSnapshot lake, string task, CancellationToken cancellationToken) =>
        await lake.Documents.GetAsync($"{task}/commit.json", ContractsJson.Default.TaskCommit, cancellationToken);
}
