using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>The API's answers about runs, from the lake alone.</summary>
sealed class RunReader(IObjectStore store)
{
    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<RunLine>> ListAsync(int limit, CancellationToken cancellation) =>
        [.. (await LakeRuns.ListAsync(store, limit, cancellation)).Select(r => new RunLine(r.Run, r.Pipeline, r.Window, r.Revision, r.State, r.StartedAt, r.Record?.EndedAt, r.Record?.Error, r.Position))];

    /// <returns>Null when the lake knows no such run.</returns>
    public async Task<RunView?> FindAsync(RunId id, CancellationToken cancellation)
    {
        if (await LakeRuns.FindAsync(store, id, cancellation) is not { } run) return null;
        var counts = await CountAsync(id, cancellation);
        var committed = run.Plan is { } plan ? (await LakeRuns.CommittedAsync(store, plan, cancellation)).ToDictionary(m => m.Step) : [];
        var steps = from step in run.Plan?.Steps ?? []
                    let count = counts.GetValueOrDefault(step.Name.Value) ?? new()
                    let done = committed.GetValueOrDefault(step.Name)
                    select new StepView(
                        step.Name, done is not null ? StepState.Committed : count.Tasks > 0 ? StepState.Running : StepState.Waiting, step.Needs, count.Tasks > 0 ? count.Tasks : null, count.Commits, count.Attempts,
                        done is null ? null : StepRecord.Of(done));
        return new(id, run.State, [.. steps], run.Plan, run.Record, run.Position);
    }

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
                case [_, "tasks", _]: count.Tasks += TaskSheetKey.Of(item.Key)?.Count ?? 0; break;
                case [_, _, "commit.json"]: count.Commits++; break;
                case [_, _, var attempt, "started.json"] when int.TryParse(attempt, NumberStyles.None, CultureInfo.InvariantCulture, out _): count.Attempts++; break;
            }
        }
        return steps;
    }

    sealed class Counts
    {
        public int Tasks;
        public int Commits;
        public int Attempts;
    }
}
