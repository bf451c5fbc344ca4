using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <param name="RemovedAt">When a commit removed it; null when the log does not tell, as of files that were never named.</param>
public sealed record UnnamedFile(ListedObject Object, DateTimeOffset? RemovedAt);

/// <summary>Files in a table's folder that no version within the retention names.</summary>
public static class TableVacuum
{
    /// <param name="keepFrom">The version that was the newest then, and all later ones, keep their files.</param>
    public static async Task<IReadOnlyList<UnnamedFile>> FindAsync(IObjectStore store, TableName table, DateTimeOffset keepFrom, CancellationToken cancellationToken)
    {
        // The files first: one that is made after this list is not in it, and one that is named after it was in the list of names below.
        var folder = LakeLayout.Table(table);
        var files = await store.ListAsync(folder, cancellationToken).Where(o => !o.Key.StartsWith(LakeLayout.TableLog(table), StringComparison.Ordinal)).ToListAsync(cancellationToken);
        var listing = await LogListing.ReadAsync(store, table, cancellationToken);
        if (listing.Latest is not { } latest) return [.. files.Select(f => new UnnamedFile(f, null))];
        var first = await LogTime.VersionAtAsync(store, listing, keepFrom, cancellationToken) ?? listing.Earliest;
        var oldest = (await DeltaTable.OpenAsync(store, table, cancellationToken, first))!;
        var named = oldest.Files.Select(f => f.Path).ToHashSet();
        var removed = oldest.State.Removed.ToDictionary(r => r.Key, r => r.Value.DeletionTimestamp);
        foreach (var action in (await DeltaLog.ReadAsync(store, table, first + 1, latest, cancellationToken)).SelectMany(c => c))
        {
            if (action.Add is { } add) named.Add(Uri.UnescapeDataString(add.Path));
        }
        return [.. from file in files
                   let path = file.Key[folder.Length..]
                   where !named.Contains(path)
                   select new UnnamedFile(file, removed.GetValueOrDefault(path) is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null)];
    }
}
