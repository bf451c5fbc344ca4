using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Makes a run's plan, once.</summary>
/// <remarks>
/// The order of the durable writes is the guarantee: the pipeline's files, then plan.json, then its entry in the index of runs, all put if absent. A crash between them leaves files that the next
/// attempt writes again under the same names; once plan.json is there, nothing about the inputs changes any more, whatever is edited or sealed later.
/// </remarks>
sealed class RunPlanning(IObjectStore store, PipelineFolder pipelines, SourceReader reader, RunQueue queue, RunProgress progress, ILogger<RunPlanning> log)
{
    public const string OtherRequest = "plan.other_request";

    /// <summary>Plans the run when it has its place among the runs; else the answer is its position in the queue.</summary>
    /// <exception cref="LeanPipeException">The run cannot be planned as asked; with all that is wrong.</exception>
    public async Task<PlanReply> AdmitAsync(RunId run, RunRequest request, CancellationToken cancellation)
    {
        await store.ThrowIfCancelledAsync(run, cancellation);
        // An unknown pipeline is told by the planning, which needs no place to fail.
        var maxRuns = pipelines.Read().Pipelines.FirstOrDefault(p => p.Definition.Name == request.Pipeline)?.Definition.MaxRuns;
        var position = await queue.AdmitAsync(run, request, maxRuns, cancellation);
        if (position is not null) return new([], Position: position);
        // After the run's mark is made, for housekeeping looks for that one after it has made its own.
        await foreach (var sweep in store.ListAsync(LakeLayout.RunSweeps(run), cancellation))
        {
            throw new LeanPipeException(
                "run.being_swept", $"Housekeeping is removing what run '{run}' left ('{sweep.Key}'). Start it again when that is done; if the pass was cut short, 'leanpipe housekeeping' ends it.", isTransient: true);
        }
        return await PlanAsync(run, request, cancellation);
    }

    /// <exception cref="LeanPipeException">The run cannot be planned as asked; with all that is wrong.</exception>
    public async Task<PlanReply> PlanAsync(RunId run, RunRequest request, CancellationToken cancellation)
    {
        var plan = await FindAsync(run, cancellation) ?? await MakeAsync(run, request, cancellation);
        RequireSame(plan, request);
        await RunIndex.AddAsync(store, new(run, plan.Pipeline, plan.Window, plan.PlannedAt), cancellation);
        progress.Report(new RunPlanned(run, plan.Pipeline, plan.Window, [.. plan.Steps.Select(s => s.Name)]));
        var index = plan.Steps.Select((step, n) => (step.Name, n)).ToDictionary();
        return new([.. plan.Steps.Select(s => new StepNode(s.Name, [.. s.Needs.Select(n => index[n])], s.Publish is not null))], Timeout: plan.Timeout);
    }

    public ValueTask<RunPlan?> FindAsync(RunId run, CancellationToken cancellation) =>
        store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, cancellation);

    async Task<RunPlan> MakeAsync(RunId run, RunRequest request, CancellationToken cancellation)
    {
        var pipeline = pipelines.Require(request.Pipeline);
        var (sources, files) = await reader.ReadAsync(run, request, pipeline.Definition, pipeline.Folder, cancellation);
        var (plan, errors) = RunPlanner.Plan(sources);
        if (plan is null) throw new LeanPipeException("plan.invalid", string.Join('\n', errors));
        foreach (var (path, content) in files) await store.PutIfAbsentAsync(sources.Files[path].Key, content, cancellation);
        if (await store.PutJsonIfAbsentAsync(LakeLayout.RunPlan(run), plan, ContractsJson.Default.RunPlan, cancellation))
        {
            log.RunPlanned(run.Value, plan.Pipeline.Value, plan.Window.Value, plan.Revision, plan.Steps.Count);
            return plan;
        }
        return await FindAsync(run, cancellation) ?? throw LostPlan(run);
    }

    static void RequireSame(RunPlan plan, RunRequest request)
    {
        if (plan.Request.IsSameAs(request)) return;
        throw new LeanPipeException(
            OtherRequest, $"Run '{plan.Run}' was planned for {Text(plan.Request)}, now it is asked for {Text(request)}: take another run id for another request.");
    }

    static string Text(RunRequest request) => JsonSerializer.Serialize(
        request with { Params = request.Params is { Count: > 0 } given ? new SortedDictionary<string, string>(given.ToDictionary(), StringComparer.Ordinal) : null },
        ContractsJson.Default.RunRequest);

    static LakeException LostPlan(RunId run) => new(
        "lake.read_after_write", $"The store said that '{LakeLayout.RunPlan(run)}' exists and then did not return it: the store is not consistent.", isTransient: true);
}
