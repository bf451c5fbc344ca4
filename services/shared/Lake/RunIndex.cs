using LeanPipe.Contracts;

namespace LeanPipe.Lake;

/// <summary>The runs of a lake in the order of time. A run may stand there more than once (it waited, or it could not be planned and was asked for again); its newest entry counts.</summary>
/// <remarks>An entry is written after the plan, or after the record of a run that has none: a crash in between is made up for by the repeated activity.</remarks>
public static class RunIndex
{
    public static ValueTask<bool> AddAsync(IObjectStore store, RunIndexEntry entry, CancellationToken cancellation) =>
        store.PutJsonIfAbsentAsync(LakeLayout.RunIndexEntry(entry.Run, entry.At), entry, ContractsJson.Default.RunIndexEntry, cancellation);

    /// <summary>Newest first, each once, with the key of its entry. Reads keys only.</summary>
    public static async IAsyncEnumerable<(RunId Run, string Key)> ListAsync(IObjectStore store, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var seen = new HashSet<RunId>();
        await foreach (var item in store.ListAsync(LakeLayout.RunIndex, cancellation))
            if (RunOf(item.Key) is { } run && seen.Add(run)) yield return (run, item.Key);
    }

    /// <summary>The runs that wait and those that have a place, by their marks' keys alone.</summary>
    public static async Task<RunMarks> MarksAsync(IObjectStore store, CancellationToken cancellation)
    {
        var waiting = new List<RunId>();
        await foreach (var item in store.ListAsync(LakeLayout.QueueWaiting, cancellation))
            if (RunOf(item.Key) is { } run) waiting.Add(run);
        var running = new HashSet<RunId>();
        await foreach (var item in store.ListAsync(LakeLayout.QueueRunning, cancellation))
            if (item.Key[LakeLayout.QueueRunning.Length..^".json".Length] is var name && RunId.IsValid(name)) running.Add(new(name));
        return new(waiting, running);
    }

    /// <summary><c>…/{13 digits}-{run}.json</c></summary>
    static RunId? RunOf(string key)
    {
        var name = key[(key.LastIndexOf('/') + 1)..];
        return name.Length > 19 && name.EndsWith(".json", StringComparison.Ordinal) && RunId.IsValid(name[14..^5]) ? new(name[14..^5]) : null;
    }
}

/// <param name="Waiting">First come first.</param>
/// <param name="Running">A run that has ended without saying so stays until somebody waits for its place.</param>
public sealed record RunMarks(IReadOnlyList<RunId> Waiting, IReadOnlySet<RunId> Running)
{
    /// <summary>The place in the queue, from 1; null when the run does not wait.</summary>
    public int? PositionOf(RunId run)
    {
        for (var n = 0; n < Waiting.Count; n++)
            if (Waiting[n] == run) return n + 1;
        return null;
    }
}
