using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>Which version was the newest one at an instant.</summary>
static class LogTime
{
    /// <summary>By the commits' own timestamps, which never go back: a few reads, whatever the log's length. Null when all that is left is younger.</summary>
    public static async Task<long?> VersionAtAsync(IObjectStore store, LogListing listing, DateTimeOffset instant, CancellationToken cancellationToken)
    {
        // A commit before a gap belongs to a clean-up that is under way.
        var versions = listing.Readable.Where(listing.Commits.ContainsKey).ToList();
        var (low, high) = (0, versions.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            var actions = await DeltaLog.ReadAsync(store, listing.Table, versions[middle], cancellationToken);
            if ((DeltaLog.CommittedAt(actions) ?? listing.Commits[versions[middle]]) <= instant) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? null : versions[low - 1];
    }
}
