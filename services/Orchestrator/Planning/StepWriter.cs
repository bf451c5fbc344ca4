using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Writes a step's tasks before they run, and its manifest after.</summary>
/// <remarks>
/// Durable order per step: the sheets of its tasks, what the cache has for them, commit.json of those that take it, [attempts and commit.json of every task], tasks.ndjson, manifest.json; all put if absent, all following from what is
/// committed already. A crash anywhere leaves a prefix of that order, and the repeated activity fills up the rest with the same content. Readers of a step
/// see nothing before its manifest, and then everything.
/// </remarks>
sealed class StepWriter(IObjectStore store, RunPlanning plans, TaskCache cache, StepShapes shapes, OrchestratorOptions options, RunProgress progress, TimeProvider time, ILogger<StepWriter> log)
{
    // Puts and gets of small objects wait for the network, not for this machine.
    const int Parallel = 16;

    /// <summary>A task's name has five digits.</summary>
    const int MostTasks = 100_000;

    /// <summary>
    /// So many tasks are looked up in the cache when a step is planned. Of a wider step it is a sample: when none of it ran before, most likely none did, and the others are
    /// looked up one by one, each before its launch.
    /// </summary>
    public const int LookedUpAtOnce = 100;

    public async Task<StepReply> PlanAsync(RunId run, StepName step, CancellationToken cancellation)
    {
        if (await FindAsync(run, step, cancellation) is { } manifest) return new(manifest.Tasks, Committed: true);
        await store.ThrowIfCancelledAsync(run, cancellation);
        var plan = await RequirePlanAsync(run, cancellation);
        var planned = plan.Steps.Single(s => s.Name == step);
        var needs = new Dictionary<StepName, StepManifest>();
        foreach (var need in planned.Needs) needs[need] = await FindAsync(run, need, cancellation) ?? throw Missing(LakeLayout.StepManifest(run, need));
        var tasks = planned.MergeOf is { } merged ? await PlanMergeAsync(plan, planned, merged, cancellation) : TaskPlanner.Plan(plan, planned, needs, options.EffectiveLimits);
        if (tasks.Count > MostTasks)
            throw new LeanPipeException("plan.too_many_tasks", $"Step '{step}' would have {tasks.Count} tasks, more than {MostTasks}: share its input out in larger parts.");
        if (TaskPlanner.IsOverNothing(planned, tasks) && await shapes.FindAsync(tasks[0], cancellation) is { } columns)
        {
            progress.Report(new StepStarted(run, step, 0));
            await CommitAsync(run, step, [], columns, cancellation);
            return new(0, Committed: true);
        }
        await System.Threading.Tasks.Parallel.ForEachAsync(TaskSheet.Cut(tasks), new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellation }, async (sheet, token) =>
            await store.PutJsonIfAbsentAsync(LakeLayout.TaskSheet(run, step, sheet.Tasks[0].Task, sheet.Tasks.Count), sheet, ContractsJson.Default.TaskSheet, token));
        progress.Report(new StepStarted(run, step, tasks.Count));
        var left = await ReuseAsync(run, step, tasks, cancellation);
        if (left.Count == 0)
        {
            await CommitAsync(run, step, tasks.Count, cancellation);
            return new(tasks.Count, Committed: true);
        }
        await RetiredWindows.RequireAsync(store, planned, left, cancellation);
        return new(tasks.Count, Committed: false, AtOnce: options.TasksAtOncePerStep);
    }

    public async Task<Reply> CommitAsync(RunId run, StepName step, int tasks, CancellationToken cancellation)
    {
        if (await FindAsync(run, step, cancellation) is null)
        {
            var outcomes = new (int Attempt, TaskOutcome Outcome)[tasks];
            await System.Threading.Tasks.Parallel.ForAsync(0, tasks, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellation }, async (n, token) =>
                outcomes[n] = await CommittedAsync(run, step, new(n), token));
            var plan = await RequirePlanAsync(run, cancellation);
            var planned = plan.Steps.Single(s => s.Name == step);
            IReadOnlyList<OutputColumn>? columns = null;
            if (planned.MergeOf is { } merged)
            {
                outcomes = [.. await WholeBucketsAsync(plan, merged, cancellation), .. outcomes];
                if (outcomes.Length == 0) columns = (await FindAsync(run, merged, cancellation))?.Columns;
            }
            await CommitAsync(run, step, outcomes, columns ?? [], cancellation);
            if ((planned.BytesOf ?? planned.SplitOf ?? planned.BucketsOf) is not null && outcomes.Length > 0 && await TaskSheets.FindAsync(store, run, step, new(0), cancellation) is { } first)
                await shapes.LearnAsync(first, outcomes[0].Outcome.Columns, cancellation);
        }
        return new();
    }

    /// <param name="columns">Of a step without tasks.</param>
    async Task CommitAsync(RunId run, StepName step, (int Attempt, TaskOutcome Outcome)[] outcomes, IReadOnlyList<OutputColumn> columns, CancellationToken cancellation)
    {
        var manifest = StepMerge.Merge(
            run, step, [.. outcomes.Select(o => o.Outcome)], time.GetUtcNow(), outcomes.Index().Where(o => o.Item.Attempt == 0).Select(o => o.Index).ToHashSet(), columns);
        await store.PutAsync(LakeLayout.TaskRecords(run, step), StepMerge.Records(run, outcomes), cancellation);
        await store.PutJsonIfAbsentAsync(LakeLayout.StepManifest(run, step), manifest, ContractsJson.Default.StepManifest, cancellation);
        log.StepCommitted(run.Value, step.Value, manifest.Tasks, manifest.RowsIn, manifest.RowsOut);
        foreach (var w in manifest.Warnings ?? []) log.CheckWarned(run.Value, step.Value, w.Task.Value, w.Name, w.Found, w.Expected);
        progress.Report(new StepCommitted(run, step, manifest.Tasks, manifest.RowsIn, manifest.RowsOut));
    }

    async Task<IReadOnlyList<TaskSpec>> PlanMergeAsync(RunPlan plan, PlannedStep step, StepName merged, CancellationToken cancellation)
    {
        var (shares, outcomes) = await SharesAsync(plan, merged, cancellation);
        var tasks = TaskPlanner.PlanMerge(plan, step, shares, [.. outcomes.Select(o => o.Outcome)], options.EffectiveLimits);
        foreach (var bucket in shares.Where(s => s.Parts > 1).GroupBy(s => s.Bucket)) log.BucketSharedOut(plan.Run.Value, step.Name.Value, bucket.Key, bucket.Count());
        return tasks;
    }

    /// <summary>The outcomes of buckets that were not shared out: they are the merging step's as they are, and cost it nothing.</summary>
    async Task<IEnumerable<(int Attempt, TaskOutcome Outcome)>> WholeBucketsAsync(RunPlan plan, StepName merged, CancellationToken cancellation)
    {
        var (shares, outcomes) = await SharesAsync(plan, merged, cancellation);
        return outcomes.Where((_, n) => shares.Count <= n || shares[n].Parts == 1).Select(o => (0, o.Outcome));
    }

    /// <summary>Which bucket each task of a step read follows from what it read; planned again it is the same.</summary>
    async Task<(IReadOnlyList<BucketShare> Shares, IReadOnlyList<(int Attempt, TaskOutcome Outcome)> Outcomes)> SharesAsync(RunPlan plan, StepName step, CancellationToken cancellation)
    {
        var planned = plan.Steps.Single(s => s.Name == step);
        var needs = new Dictionary<StepName, StepManifest>();
        foreach (var need in planned.Needs) needs[need] = await FindAsync(plan.Run, need, cancellation) ?? throw Missing(LakeLayout.StepManifest(plan.Run, need));
        var shares = BucketShares.Of(planned, needs);
        // Over nothing it is one task, or none.
        var outcomes = new (int, TaskOutcome)[shares.Count > 0 ? shares.Count : (await FindAsync(plan.Run, step, cancellation) ?? throw Missing(LakeLayout.StepManifest(plan.Run, step))).Tasks];
        await System.Threading.Tasks.Parallel.ForAsync(0, outcomes.Length, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellation }, async (n, token) =>
            outcomes[n] = await CommittedAsync(plan.Run, step, new(n), token));
        return (shares, outcomes);
    }

    /// <summary>Commits every task whose equal has run before. Asked once per step, so that a step of which nothing changed calls no activity per task.</summary>
    /// <returns>The tasks that are not committed.</returns>
    async Task<IReadOnlyList<TaskSpec>> ReuseAsync(RunId run, StepName step, IReadOnlyList<TaskSpec> tasks, CancellationToken cancellation)
    {
        var (found, left) = (new string?[tasks.Count], new TaskSpec?[tasks.Count]);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellation };
        if (tasks.Count > LookedUpAtOnce)
        {
            var any = false;
            await System.Threading.Tasks.Parallel.ForAsync(0, LookedUpAtOnce, parallel, async (n, token) => any |= await cache.FindAsync(tasks[(int)((long)n * tasks.Count / LookedUpAtOnce)], token) is not null);
            if (!any) return tasks;
        }
        await System.Threading.Tasks.Parallel.ForAsync(0, tasks.Count, parallel, async (n, token) => found[n] = await cache.FindAsync(tasks[n], token));
        // A run's own results, as a repeated activity finds them, are safe while it runs.
        if (found.OfType<string>().Where(o => !o.StartsWith(LakeLayout.Run(run), StringComparison.Ordinal)).Distinct().ToList() is { Count: > 0 } outcomes) await cache.MarkAsync(run, step, outcomes, cancellation);
        await System.Threading.Tasks.Parallel.ForAsync(0, tasks.Count, parallel, async (n, token) =>
        {
            if (found[n] is { } outcome && await cache.IsStillThereAsync(tasks[n], outcome, token))
                await store.PutJsonIfAbsentAsync(LakeLayout.TaskCommit(run, step, tasks[n].Task), new TaskCommit(0, outcome), ContractsJson.Default.TaskCommit, token);
            else left[n] = tasks[n];
        });
        return [.. left.OfType<TaskSpec>()];
    }

    public ValueTask<StepManifest?> FindAsync(RunId run, StepName step, CancellationToken cancellation) =>
        store.GetJsonAsync(LakeLayout.StepManifest(run, step), ContractsJson.Default.StepManifest, cancellation);

    public async ValueTask<RunPlan> RequirePlanAsync(RunId run, CancellationToken cancellation) =>
        await plans.FindAsync(run, cancellation) ?? throw Missing(LakeLayout.RunPlan(run));

    async ValueTask<(int Attempt, TaskOutcome Outcome)> CommittedAsync(RunId run, StepName step, TaskId task, CancellationToken cancellation)
    {
        var key = LakeLayout.TaskCommit(run, step, task);
        var commit = await store.GetJsonAsync(key, ContractsJson.Default.TaskCommit, cancellation) ?? throw Missing(key);
        return (commit.Attempt, await store.GetJsonAsync(commit.Outcome, ContractsJson.Default.TaskOutcome, cancellation) ?? throw Missing(commit.Outcome));
    }

    internal static LakeException Missing(string key) => new(
        "lake.missing", $"'{key}' is gone, though the run went past writing it: somebody removed it. Start the run under a new id.");
}
