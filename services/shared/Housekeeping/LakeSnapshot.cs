using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <summary>A run by its objects, as one list of the lake shows them.</summary>
sealed record RunObjects(string Run, IReadOnlyList<ListedObject> Objects)
{
    public ListedObject? Record => Objects.Where(o => o.Key == $"{LakeLayout.Runs}{Run}/run.json").Cast<ListedObject?>().FirstOrDefault();
}

/// <summary>What a pass looks at, and the names that it must not touch: read once, before anything is decided.</summary>
/// <remarks>
/// A run is unfinished when it has no record, or waits or runs by the orchestrator's own marks. Whatever such a run has written, and whatever its documents name, stays; so does what an
/// entry of the cache names, even one that this very pass deletes, for a run may have found the entry just before. Names are found by walking every text of the documents, and those of
/// the documents that are named, so that a document with new members still protects what it names.
/// </remarks>
sealed class LakeSnapshot
{
    readonly HashSet<string> named = [];
    readonly HashSet<string> unfinished = [];

    public required IObjectStore Store { get; init; }

    public required DateTimeOffset Now { get; init; }

    public IReadOnlyList<RunObjects> Runs { get; private set; } = [];

    public IReadOnlyList<ListedObject> Cache { get; private set; } = [];

    public bool IsUnfinished(string run) => unfinished.Contains(run);

    public bool IsNamed(string key) => named.Contains(key);

    public bool IsOlder(DateTimeOffset at, TimeSpan? kept) => kept is { } age && at <= Now - age;

    public static async Task<LakeSnapshot> ReadAsync(IObjectStore store, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var snapshot = new LakeSnapshot { Store = store, Now = now };
        // The cache before the runs: an entry that appears in between names a run that is listed, and is young.
        snapshot.Cache = await store.ListAsync("cache/", cancellationToken).ToListAsync(cancellationToken);
        await foreach (var mark in store.ListAsync("index/queue/", cancellationToken)) snapshot.unfinished.Add(RunOfMark(mark.Key));
        snapshot.Runs = await ListRunsAsync(store, cancellationToken);
        foreach (var run in snapshot.Runs.Where(r => r.Record is null)) snapshot.unfinished.Add(run.Run);

        var roots = snapshot.Cache.Select(o => o.Key).Concat(snapshot.Runs.Where(r => snapshot.IsUnfinished(r.Run)).SelectMany(r => r.Objects).Select(o => o.Key)).Where(NamesOf.IsDocument).ToList();
        await snapshot.FollowAsync(roots, cancellationToken);
        return snapshot;
    }

    async Task FollowAsync(List<string> documents, CancellationToken cancellationToken)
    {
        var read = new HashSet<string>();
        while (documents.Count > 0)
        {
            var found = new HashSet<string>();
            await Parallel.ForEachAsync(documents.Where(read.Add).ToList(), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken }, async (key, token) =>
            {
                if (await Store.GetAsync(key, token) is not { } bytes) return;
                var names = NamesOf.Document(bytes);
                lock (found) found.UnionWith(names);
            });
            named.UnionWith(found);
            documents = [.. found.Where(k => k.StartsWith(LakeLayout.Runs, StringComparison.Ordinal) && NamesOf.IsDocument(k) && !read.Contains(k))];
        }
    }

    static async Task<List<RunObjects>> ListRunsAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        var runs = new List<RunObjects>();
        List<ListedObject>? objects = null;
        await foreach (var item in store.ListAsync(LakeLayout.Runs, cancellationToken))
        {
            var run = item.Key.Split('/')[1];
            if (runs.Count == 0 || runs[^1].Run != run) runs.Add(new(run, objects = []));
            objects!.Add(item);
        }
        return runs;
    }

    /// <summary><c>index/queue/running/{run}.json</c>, <c>index/queue/waiting/{milliseconds}-{run}.json</c>.</summary>
    static string RunOfMark(string key)
    {
        var name = Path.GetFileNameWithoutExtension(key[(key.LastIndexOf('/') + 1)..]);
        return key.StartsWith(LakeLayout.QueueWaiting, StringComparison.Ordinal) && name.Length > 14 ? name[14..] : name;
    }
}
