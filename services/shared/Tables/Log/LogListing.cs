using System.Collections.Immutable;
using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <param name="Files">The names of its parts in order; one, for those that are written here.</param>
sealed record LogCheckpoint(long Version, IReadOnlyList<string> Files);

/// <summary>What a table's <c>_delta_log/</c> holds, by name: commits in order and whole checkpoints in order. Other objects are not ours to judge.</summary>
/// <remarks>Source: Delta Transaction Log Protocol, "Delta Log Entries" and "Checkpoints" (classic naming, in one file or in parts).</remarks>
sealed record LogListing(TableName Table, ImmutableSortedDictionary<long, DateTimeOffset> Commits, IReadOnlyList<LogCheckpoint> Checkpoints)
{
    /// <summary>A list of a growing folder may miss a commit and show the next one; a gap that is still there when the list is read again is one.</summary>
    const int ListsUntilGap = 3;

    public long? Latest => Commits.IsEmpty ? Checkpoints.Count == 0 ? null : Checkpoints[^1].Version : Math.Max(Commits.Keys.Last(), Checkpoints.Count == 0 ? 0 : Checkpoints[^1].Version);

    /// <summary>The newest checkpoint that helps to read a version; null reads from version 0.</summary>
    public LogCheckpoint? CheckpointFor(long version) => Checkpoints.LastOrDefault(c => c.Version <= version);

    /// <summary>The first version that cannot be read because its commit is not there; null when <paramref name="version"/> can be put together.</summary>
    public long? FirstMissing(long version)
    {
        for (var needed = CheckpointFor(version) is { } checkpoint ? checkpoint.Version + 1 : 0; needed <= version; needed++)
            if (!Commits.ContainsKey(needed)) return needed;
        return null;
    }

    /// <summary>The versions that can be put together, in order; in one walk, whatever the log's length.</summary>
    public IEnumerable<long> Readable
    {
        get
        {
            var checkpoints = Checkpoints.Select(c => c.Version).ToHashSet();
            var last = -1L;
            foreach (var version in Commits.Keys.Union(checkpoints).Order())
                if (checkpoints.Contains(version) || version == last + 1) yield return last = version;
        }
    }

    /// <summary>The oldest version that can be read.</summary>
    public long Earliest => Readable.First();

    /// <exception cref="LakeException"><c>lake.corrupt_log</c>: the newest version cannot be put together.</exception>
    public static async Task<LogListing> ReadAsync(IObjectStore store, TableName table, CancellationToken cancellationToken)
    {
        for (var lists = 1; ; lists++)
        {
            var listing = await ListAsync(store, table, cancellationToken);
            if (listing.Latest is not { } latest || listing.FirstMissing(latest) is not { } missing) return listing;
            if (lists == ListsUntilGap)
                throw DeltaLog.Corrupt(table, $"version {missing} is missing although version {latest} is there", "Versions must be contiguous from 0 or from a checkpoint; restore the missing object.");
        }
    }

    /// <summary>The version in the name of a commit or of (a part of) a checkpoint; null for other names.</summary>
    public static long? VersionOf(string name) =>
        name.Length >= 25 && name[20] == '.' && long.TryParse(name.AsSpan(0, 20), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;

    static async Task<LogListing> ListAsync(IObjectStore store, TableName table, CancellationToken cancellationToken)
    {
        var commits = ImmutableSortedDictionary.CreateBuilder<long, DateTimeOffset>();
        var parts = new SortedDictionary<long, List<(string Name, int Of)>>();
        var prefix = LakeLayout.TableLog(table);
        await foreach (var item in store.ListAsync(prefix, cancellationToken))
        {
            var name = item.Key[prefix.Length..];
            if (VersionOf(name) is not { } version) continue;
            switch (name[20..].Split('.', StringSplitOptions.RemoveEmptyEntries))
            {
                case ["json"]: commits[version] = item.LastModified; break;
                case ["checkpoint", "parquet"]: Part(version, name, 1); break;
                case ["checkpoint", _, var of, "parquet"] when int.TryParse(of, NumberStyles.None, CultureInfo.InvariantCulture, out var count): Part(version, name, count); break;
            }
        }
        var checkpoints = from found in parts
                          let whole = found.Value.GroupBy(p => p.Of).FirstOrDefault(g => g.Count() == g.Key)
                          where whole is not null
                          select new LogCheckpoint(found.Key, [.. whole.Select(p => p.Name)]);
        return new(table, commits.ToImmutable(), [.. checkpoints]);

        void Part(long version, string name, int of)
        {
            if (!parts.TryGetValue(version, out var known)) parts[version] = known = [];
            known.Add((name, of));
        }
    }
}
