using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <summary>A run by its objects, as one list of the lake shows them.</summary>
sealed record RunObjects(string Run, IReadOnlyList<ListedObject> Objects)
{
    public ListedObject? Record => Objects.Where(o => o.Key == $"{LakeLayout.Runs}{Run}/run.json").Cast<ListedObject?>().FirstOrDefault();
}

/// <summary>What a pass looks at, and the names that it must not touch: read once, before anything is decided.</summary>
/// <remarks>
/// <para>A run is unfinished when it has no record, or waits or runs by the orchestrator's own marks. Whatever such a run has written, and whatever its documents name, stays. So does what an
/// entry of the cache names, even one that this very pass deletes; and what a run that has ended and keeps its intermediates borrows from other runs, for it may be tried again. Names are found
/// by walking every text of the documents, and those of the documents that are named, so that a document with new members still protects what it names; one that cannot be read protects everything (<see cref="PassDocuments"/>).</para>
/// <para>The order is what makes it safe beside runs that reuse results. A run writes what it is about to take (<see cref="LakeLayout.StepReuse"/>), reads the entry of the cache once more, and takes
/// the result only when the entry still names it. A pass reads the entries first and lists the runs afterwards. So when an entry is gone, and its result is no longer named by it, then either the
/// list shows what the run wrote, or the run looks again after the entry went and finds it gone.</para>
/// </remarks>
sealed class LakeSnapshot
{
    readonly HashSet<string> named = [];
    readonly HashSet<string> read = [];
    readonly HashSet<string> unfinished = [];

    public required IObjectStore Store
    {
        get;
        init
        {
            field = value;
            Documents = new(value);
        }
    }

    public PassDocuments Documents { get; private init; } = null!;

    public required DateTimeOffset Now { get; init; }

    public IReadOnlyList<RunObjects> Runs { get; private set; } = [];

    public IReadOnlyList<ListedObject> Cache { get; private set; } = [];

    public bool IsUnfinished(string run) => unfinished.Contains(run);

    /// <summary>While a document that keeps what it names cannot be read, that may be anything.</summary>
    public bool IsNamed(string key) => Documents.HidesNames || named.Contains(key);

    public bool IsOlder(DateTimeOffset at, TimeSpan? kept) => kept is { } age && at <= Now - age;

    /// <param name="runs">So long the intermediates of ended runs are kept; null keeps them for ever.</param>
    public static async Task<LakeSnapshot> ReadAsync(IObjectStore store, TimeSpan? runs, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var snapshot = new LakeSnapshot { Store = store, Now = now };
        snapshot.Cache = await store.ListAsync("cache/", cancellationToken).ToListAsync(cancellationToken);
        var documents = await snapshot.ReadAsync([.. snapshot.Cache.Select(o => o.Key).Where(NamesOf.IsDocument)], cancellationToken);
        snapshot.unfinished.UnionWith(await MarkedAsync(store, cancellationToken));
        snapshot.Runs = await ListRunsAsync(store, cancellationToken);
        foreach (var run in snapshot.Runs.Where(r => r.Record is null)) snapshot.unfinished.Add(run.Run);

        documents.AddRange(snapshot.Runs.Where(r => snapshot.IsUnfinished(r.Run)).SelectMany(r => r.Objects).Select(o => o.Key).Where(NamesOf.IsDocument));
        foreach (var run in snapshot.Runs.Where(r => !snapshot.IsUnfinished(r.Run) && !snapshot.IsOlder(r.Record!.Value.LastModified, runs)))
            documents.AddRange(await snapshot.BorrowedAsync(run, cancellationToken));
        while (documents.Count > 0) documents = await snapshot.ReadAsync(documents, cancellationToken);
        return snapshot;
    }

    /// <summary>The runs that wait or run by the orchestrator's marks, as they are now.</summary>
    public static async Task<IReadOnlySet<string>> MarkedAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        // In the order in which a run goes through them, so that one which moves on meanwhile is seen here or there.
        var marked = new HashSet<string>();
        foreach (var prefix in (string[])[LakeLayout.QueueWaiting, LakeLayout.QueueRunning])
            await foreach (var mark in store.ListAsync(prefix, cancellationToken)) marked.Add(RunOfMark(mark.Key));
        return marked;
    }

    /// <summary>The documents of an ended run that name results of others: the commits of a step that took some, and of one that was not committed.</summary>
    async Task<IEnumerable<string>> BorrowedAsync(RunObjects run, CancellationToken cancellationToken)
    {
        var documents = new List<string>();
        foreach (var step in run.Objects.GroupBy(o => o.Key.Split('/')[2]))
        {
            var keys = step.Select(o => o.Key).ToList();
            if (keys.Find(k => k.EndsWith("/manifest.json", StringComparison.Ordinal)) is { } manifest)
            {
                var others = (await Documents.NamesAsync(manifest, cancellationToken)).Where(n => n.StartsWith(LakeLayout.Runs, StringComparison.Ordinal) && !n.StartsWith($"{LakeLayout.Runs}{run.Run}/", StringComparison.Ordinal)).ToList();
                if (others.Count == 0) continue;
                named.UnionWith(others);
            }
            documents.AddRange(keys.Where(k => k.EndsWith("/commit.json", StringComparison.Ordinal)));
        }
        return documents;
    }

    /// <summary>Takes what documents name.</summary>
    /// <returns>The documents among it that are still to be read.</returns>
    async Task<List<string>> ReadAsync(List<string> documents, CancellationToken cancellationToken)
    {
        var found = new HashSet<string>();
        await Parallel.ForEachAsync(documents.Where(read.Add).ToList(), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken }, async (key, token) =>
        {
            var names = await Documents.NamesAsync(key, token);
            lock (found) found.UnionWith(names);
        });
        named.UnionWith(found);
        return [.. found.Where(k => k.StartsWith(LakeLayout.Runs, StringComparison.Ordinal) && NamesOf.IsDocument(k) && !read.Contains(k))];
    }

    static async Task<List<RunObjects>> ListRunsAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        var runs = new List<RunObjects>();
        List<ListedObject>? objects = null;
        await foreach (var item in store.ListAsync(LakeLayout.Runs, cancellationToken))
        {
            var run = item.Key.Split('/')[1];
            // Not one of ours, and not ours to judge.
            if (!RunId.IsValid(run)) continue;
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
