using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Runs as the lake tells them: it is right after any restart, and about runs of any orchestrator of this lake.</summary>
sealed class RunReader(IObjectStore store)
{
    // Small reads that wait for the store, not for this machine.
    const int ReadsAtOnce = 32;

    /// <summary>Newest first. Reads as many entries of the index as are asked for, and one or two small objects of each of these runs.</summary>
    public async Task<IReadOnlyList<RunLine>> ListAsync(int limit, CancellationToken cancellation)
    {
        var runs = new List<(RunId Run, string Key)>();
        await foreach (var run in RunIndex.ListAsync(store, cancellation))
        {
            runs.Add(run);
            if (runs.Count == limit) break;
        }
        var marks = await RunIndex.MarksAsync(store, cancellation);
        var lines = new RunLine?[runs.Count];
        await Parallel.ForAsync(
            0, runs.Count, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellation },
            async (n, token) => lines[n] = await LineAsync(runs[n], marks, token));
        return [.. lines.OfType<RunLine>()];
    }

    /// <returns>Null when the lake knows no such run.</returns>
    public async Task<RunView?> FindAsync(RunId run, CancellationToken cancellation)
    {
        var (plan, record) = await ReadAsync(run, cancellation);
        if (plan is null && record is null) return null;
        var counts = await CountAsync(run, cancellation);
        var steps = new List<StepView>();
        foreach (var step in plan?.Steps ?? [])
        {
            var count = counts.GetValueOrDefault(step.Name.Value) ?? new();
            var done = count.HasManifest ? await store.GetJsonAsync(LakeLayout.StepManifest(run, step.Name), ContractsJson.Default.StepManifest, cancellation) : null;
            steps.Add(new(
                step.Name, done is not null ? StepState.Committed : count.Tasks > 0 ? StepState.Running : StepState.Waiting, step.Needs,
                count.Tasks > 0 ? count.Tasks : null, count.Commits, count.Attempts,
                done is null ? null : StepRecord.Of(done)));
        }
        return new(run, record is null ? RunState.Running : StateOf(record), steps, plan, record);
    }

    async Task<RunLine?> LineAsync((RunId Run, string Key) entry, RunMarks marks, CancellationToken cancellation)
    {
        var (run, key) = entry;
        if (marks.PositionOf(run) is { } place && await store.GetJsonAsync(key, ContractsJson.Default.RunIndexEntry, cancellation) is { } queued)
            return new(run, queued.Pipeline, queued.Window, 0, RunState.Queued, queued.At, null, null, place);
        if (!marks.Running.Contains(run) && await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, cancellation) is { } record)
            return new(record.Run, record.Pipeline, record.Window, record.Revision, StateOf(record), record.StartedAt, record.EndedAt, record.Error);
        return await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, cancellation) is { } plan
            ? new(plan.Run, plan.Pipeline, plan.Window, plan.Revision, RunState.Running, plan.PlannedAt, null, null)
            : null;
    }

    async Task<(RunPlan? Plan, RunRecord? Record)> ReadAsync(RunId run, CancellationToken cancellation) => (
        await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, cancellation),
        await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, cancellation));

    async Task<Dictionary<string, Counts>> CountAsync(RunId run, CancellationToken cancellation)
    {
        var steps = new Dictionary<string, Counts>();
        await foreach (var item in store.ListAsync(LakeLayout.Run(run), cancellation))
        {
            var parts = item.Key.Split('/')[2..];
            if (parts.Length < 2) continue;
            if (!steps.TryGetValue(parts[0], out var count)) steps[parts[0]] = count = new();
            switch (parts)
            {
                case [_, "manifest.json"]: count.HasManifest = true; break;
                case [_, "tasks", _]: count.Tasks += TaskSheetKey.Of(item.Key)?.Count ?? 0; break;
                case [_, _, "commit.json"]: count.Commits++; break;
                case [_, _, var attempt, "started.json"] when int.TryParse(attempt, NumberStyles.None, CultureInfo.InvariantCulture, out _): count.Attempts++; break;
            }
        }
        return steps;
    }

    static RunState StateOf(RunRecord record) => record.Status switch
    {
        RunStatus.Completed => RunState.Completed,
        RunStatus.Cancelled => RunState.Cancelled,
        _ => RunState.Failed,
    };

    sealed class Counts
    {
        public bool HasManifest;
        public int Tasks;
        public int Commits;
        public int Attempts;
    }
}
