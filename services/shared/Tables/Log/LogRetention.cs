using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>Which objects of a log are of no use to any version that shall stay readable.</summary>
public static class LogRetention
{
    /// <summary>
    /// The commits and checkpoints before the newest checkpoint that the version of <paramref name="keepFrom"/> can be read from; none when there is no such checkpoint.
    /// In the order in which they may be deleted: oldest first, so that whatever is left when a clean-up is cut short is a suffix of the log.
    /// </summary>
    public static async Task<IReadOnlyList<ListedObject>> ExpiredAsync(IObjectStore store, TableName table, DateTimeOffset keepFrom, CancellationToken cancellationToken)
    {
        var listing = await LogListing.ReadAsync(store, table, cancellationToken);
        if (await LogTime.VersionAtAsync(store, listing, keepFrom, cancellationToken) is not { } oldest || listing.CheckpointFor(oldest) is not { } start) return [];
        var expired = new List<ListedObject>();
        var prefix = LakeLayout.TableLog(table);
        await foreach (var item in store.ListAsync(prefix, cancellationToken))
            if (LogListing.VersionOf(item.Key[prefix.Length..]) < start.Version) expired.Add(item);
        return expired;
    }
}
