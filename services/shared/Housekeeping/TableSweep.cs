using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Housekeeping;

/// <summary>Old versions of tables: their commits, and the files that no kept version names.</summary>
/// <remarks>
/// A file that a commit removed before the retention goes at once. One that no commit is known to have named may belong to a publish that is under way, and its time says nothing where copies
/// are links: it goes when an earlier pass, at least <see cref="SeenFor"/> ago, has seen it unnamed too.
/// </remarks>
sealed class TableSweep(LakeSnapshot lake, HousekeepingPolicy policy)
{
    public const string SeenKey = "housekeeping/unnamed.json";

    static readonly TimeSpan SeenFor = TimeSpan.FromDays(1);

    readonly Dictionary<string, DateTimeOffset> seen = [];

    /// <summary>To be written when the pass deletes, so that the next one knows.</summary>
    public UnnamedFiles Seen => new(new SortedDictionary<string, DateTimeOffset>(seen, StringComparer.Ordinal));

    public async Task<IReadOnlyList<Removal>> FindAsync(TableName table, CancellationToken cancellationToken)
    {
        if (policy.TableVersions is not { } kept) return [];
        var keepFrom = lake.Now - kept;
        var before = await lake.Documents.GetAsync(SeenKey, HousekeepingJson.Default.UnnamedFiles, cancellationToken);
        var removals = new List<Removal>();
        foreach (var item in await LogRetention.ExpiredAsync(lake.Store, table, keepFrom, cancellationToken))
            removals.Add(new("table_log", item.Key, item.Bytes, $"no version of the last {kept.TotalDays:0.##} days needs it"));
        foreach (var file in await TableVacuum.FindAsync(lake.Store, table, keepFrom, cancellationToken))
        {
            if (lake.IsNamed(file.Object.Key)) continue;
            if (file.RemovedAt is { } removedAt)
            {
                if (removedAt <= keepFrom) removals.Add(new("table_file", file.Object.Key, file.Object.Bytes, $"removed from the table on {removedAt:yyyy-MM-dd}, more than {kept.TotalDays:0.##} days ago"));
                continue;
            }
            var since = before?.Seen.GetValueOrDefault(file.Object.Key) is { Ticks: > 0 } at ? at : lake.Now;
            if (since <= lake.Now - SeenFor && file.Object.LastModified <= keepFrom)
                removals.Add(new("table_file", file.Object.Key, file.Object.Bytes, $"no version names it, seen since {since:yyyy-MM-dd}"));
            else
                seen[file.Object.Key] = since;
        }
        return removals;
    }
}
