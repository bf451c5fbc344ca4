using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>The end of a run: its tables, when every step is committed, and then its record.</summary>
/// <remarks>
/// Durable order: every table's commit (each idempotent on its own), then run.json. So a run that has a record of completion has published everything, and a
/// failed one has published nothing, or, when a later table could not be published (the lake failed, or a column changed its type), the tables that its record lists.
/// </remarks>
sealed class RunEnding(IObjectStore store, StepWriter steps, RunPlanning plans, RunProgress progress, TimeProvider time, ILogger<RunEnding> log)
{
    public async Task<PublishReply> PublishAsync(RunId run, StepName step, CancellationToken cancellation)
    {
        var plan = await steps.RequirePlanAsync(run, cancellation);
        var manifest = await steps.FindAsync(run, step, cancellation) ?? throw StepWriter.Missing(LakeLayout.StepManifest(run, step));
        var publish = plan.Steps.Single(s => s.Name == step).Publish!;
        var table = await LakeTables.PublishAsync(store, plan, publish, manifest, time, cancellation);
        log.TablePublished(run.Value, table.Table.Value, table.Version, table.Rows);
        progress.Report(new TableReplaced(run, table));
        return new(table);
    }

    public async Task<Reply> FinishAsync(Ending ending, CancellationToken cancellation)
    {
        var key = LakeLayout.RunRecord(ending.Run);
        var plan = await plans.FindAsync(ending.Run, cancellation);
        // An id that was already taken by another request: the record of that run is not this one's to replace.
        if (ending.Failure?.Code == RunPlanning.OtherRequest) return Told(ending);
        var existing = await store.GetJsonAsync(key, ContractsJson.Default.RunRecord, cancellation);
        if (existing is not { Status: RunStatus.Completed }) await store.PutJsonAsync(key, await RecordAsync(ending, plan, cancellation), ContractsJson.Default.RunRecord, cancellation);
        return Told(ending);
    }

    async Task<RunRecord> RecordAsync(Ending ending, RunPlan? plan, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        return new()
        {
            Run = ending.Run,
            Pipeline = ending.Request.Pipeline,
            Window = ending.Request.Window,
            Revision = plan?.Revision ?? ending.Request.Revision ?? 0,
            Status = ending.Failure is null ? RunStatus.Completed : RunStatus.Failed,
            StartedAt = plan?.PlannedAt ?? now,
            EndedAt = now,
            Steps = await StepsAsync(ending.Run, plan, cancellation),
            Published = ending.Published,
            Error = ending.Failure is { } failure ? new(failure.Step, failure.Task is { } task ? new TaskId(task) : null, failure.Code, failure.Message) : null,
        };
    }

    async Task<IReadOnlyList<StepRecord>> StepsAsync(RunId run, RunPlan? plan, CancellationToken cancellation)
    {
        var records = new List<StepRecord>();
        foreach (var step in plan?.Steps ?? [])
            if (await steps.FindAsync(run, step.Name, cancellation) is { } done)
                records.Add(new(step.Name, done.Tasks, done.RowsIn, done.RowsOut, done.Chunks.Sum(c => c.Object.Bytes), done.TaskMs / 1000.0));
        return records;
    }

    Reply Told(Ending ending)
    {
        if (ending.Failure is { } failure) log.RunFailed(ending.Run.Value, failure.ToString());
        else log.RunCompleted(ending.Run.Value);
        progress.Report(new RunEnded(ending.Run, ending.Failure is null ? RunStatus.Completed : RunStatus.Failed, ending.Failure?.ToString()));
        return new();
    }
}
