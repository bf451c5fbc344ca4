using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>How many runs are under way at a time, overall and per pipeline. Who finds no place waits in the order of asking.</summary>
/// <remarks>
/// Durable order of an admission: the mark of running, then the waiting entry goes, then the run is told. A crash in between leaves a run that runs without having been
/// told, which asks again by itself after a while; never one place taken twice by the same run. Of a run whose instance ended without saying so
/// (<see cref="LostRuns"/>) the record comes first, then its mark goes, both within the turn: a run that is started again asks for its place after that. One orchestrator of a lake keeps the queue: two would each admit up to the limits.
/// </remarks>
sealed class RunQueue(IObjectStore store, IRunInstances instances, OrchestratorOptions options, TimeProvider time, ILogger<RunQueue> log) : IDisposable
{
    readonly SemaphoreSlim _turn = new(1);
    readonly Dictionary<RunId, QueuedRun> _running = [];
    readonly SortedDictionary<string, QueuedRun> _waiting = new(StringComparer.Ordinal);
    bool _loaded;

    /// <returns>Null: the run may begin, or has begun. Else its place in the queue, from 1.</returns>
    public async Task<int?> AdmitAsync(RunId run, RunRequest request, int? maxRuns, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            await LoadAsync(cancellation);
            if (_running.ContainsKey(run)) return null;
            var (key, asked) = _waiting.FirstOrDefault(w => w.Value.Run == run);
            asked = (asked ?? new(run, request.Pipeline, request.Window, time.GetUtcNow())) with { MaxRuns = maxRuns, Request = request };
            key ??= LakeLayout.QueuedRun(run, asked.AskedAt);
            if (HasPlace(key, asked))
            {
                await BeginAsync(key, asked, cancellation);
                return null;
            }
            if (!_waiting.ContainsKey(key))
            {
                await store.PutJsonAsync(key, asked, ContractsJson.Default.QueuedRun, cancellation);
                await RunIndex.AddAsync(store, new(run, request.Pipeline, request.Window, asked.AskedAt), cancellation);
                log.RunQueued(run.Value, _waiting.Count + 1, _running.Count);
            }
            _waiting[key] = asked;
            return _waiting.Keys.TakeWhile(k => k != key).Count() + 1;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The run is over, or does not want to begin any more.</summary>
    public async Task LeaveAsync(RunId run, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            await LoadAsync(cancellation);
            await RemoveAsync(run, cancellation);
            await PromoteAsync(null, cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends the runs, under way or waiting, whose instances are not active any more, and gives their places to who waits first.</summary>
    /// <param name="asking">It is active.</param>
    /// <param name="end">Makes the end durable. After it the run's mark goes.</param>
    /// <returns>How many there were.</returns>
    public async Task<int> GiveUpAsync(RunId? asking, Func<QueuedRun, CancellationToken, Task> end, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            await LoadAsync(cancellation);
            var ended = 0;
            foreach (var run in _running.Values.Concat(_waiting.Values).Where(r => r.Run != asking).ToList())
            {
                if (await instances.IsActiveAsync(run.Run, cancellation)) continue;
                await end(run, cancellation);
                await RemoveAsync(run.Run, cancellation);
                ended++;
            }
            if (ended > 0) await PromoteAsync(asking, cancellation);
            return ended;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>Whether there is a place when all that wait before it have taken theirs. It passes only those that wait for their own pipeline's limit.</summary>
    bool HasPlace(string key, QueuedRun run)
    {
        var taken = _running.Values.CountBy(r => r.Pipeline).ToDictionary();
        var total = _running.Count;
        foreach (var before in _waiting.TakeWhile(w => string.CompareOrdinal(w.Key, key) < 0).Select(w => w.Value).Where(Fits))
        {
            taken[before.Pipeline] = taken.GetValueOrDefault(before.Pipeline) + 1;
            total++;
        }
        return Fits(run);

        bool Fits(QueuedRun one) => total < options.MaxConcurrentRuns && taken.GetValueOrDefault(one.Pipeline) < (one.MaxRuns ?? int.MaxValue);
    }

    async Task PromoteAsync(RunId? asking, CancellationToken cancellation)
    {
        foreach (var (key, next) in _waiting.ToList())
        {
            if (!HasPlace(key, next)) continue;
            // One that was terminated while it waited; whoever ends it promotes the next.
            if (next.Run != asking && !await instances.IsActiveAsync(next.Run, cancellation)) continue;
            await BeginAsync(key, next, cancellation);
            if (next.Run != asking) await WakeAsync(next.Run, cancellation);
        }
    }

    async Task BeginAsync(string key, QueuedRun run, CancellationToken cancellation)
    {
        await store.PutJsonAsync(LakeLayout.RunningRun(run.Run), run, ContractsJson.Default.QueuedRun, cancellation);
        _running[run.Run] = run;
        if (_waiting.Remove(key)) await store.DeleteAsync(key, cancellation);
    }

    async Task RemoveAsync(RunId run, CancellationToken cancellation)
    {
        foreach (var key in _waiting.Where(w => w.Value.Run == run).Select(w => w.Key).ToList())
        {
            await store.DeleteAsync(key, cancellation);
            _waiting.Remove(key);
        }
        await store.DeleteAsync(LakeLayout.RunningRun(run), cancellation);
        _running.Remove(run);
    }

    async Task WakeAsync(RunId run, CancellationToken cancellation)
    {
        try
        {
            await instances.WakeAsync(run, cancellation);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.WakeFailed(run.Value, e.Message);
        }
    }

    async Task LoadAsync(CancellationToken cancellation)
    {
        if (_loaded) return;
        await foreach (var item in store.ListAsync(LakeLayout.QueueRunning, cancellation))
            if (await ReadAsync(item.Key, cancellation) is { } run) _running[run.Run] = run;
        await foreach (var item in store.ListAsync(LakeLayout.QueueWaiting, cancellation))
            if (await ReadAsync(item.Key, cancellation) is { } run && !_running.ContainsKey(run.Run)) _waiting[item.Key] = run;
        _loaded = true;
    }

    /// <returns>Null also when the mark is damaged. One that waits goes then, for its run makes another when it asks again; one that runs stays until the run has ended.</returns>
    async Task<QueuedRun?> ReadAsync(string key, CancellationToken cancellation)
    {
        try
        {
            return await store.GetJsonAsync(key, ContractsJson.Default.QueuedRun, cancellation);
        }
        catch (LakeException e) when (e.Code == "lake.corrupt")
        {
            log.MarkUnreadable(e.Message);
            if (key.StartsWith(LakeLayout.QueueWaiting, StringComparison.Ordinal)) await store.DeleteAsync(key, cancellation);
            return null;
        }
    }
}
