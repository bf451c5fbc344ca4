using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>The end of a run: its tables, when every step is committed, and then its record.</summary>
/// <remarks>
/// Durable order: every table's commit (each idempotent on its own), then run.json, then a request to cancel goes. So a run that has a record of completion has published everything, and a
/// failed one has published nothing, or, when a later table could not be published (the lake failed, or a column changed its type), the tables that its record lists.
/// </remarks>
sealed class RunEnding(IObjectStore store, StepWriter steps, RunPlanning plans, OrchestratorOptions options, RunProgress progress, TimeProvider time, ILogger<RunEnding> log)
{
    public async Task<PublishReply> PublishAsync(RunId run, StepName step, CancellationToken cancellation)
    {
        await store.ThrowIfCancelledAsync(run, cancellation);
        var plan = await steps.RequirePlanAsync(run, cancellation);
        // Of a run that is started again long after its end, a table's log may not tell any more that its rows were added.
        if (await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, cancellation) is { } ended && ended.Published.FirstOrDefault(p => p.Table == plan.Steps.Single(s => s.Name == step).Publish!.Table) is { } before) return new(before);
        var manifest = await steps.FindAsync(run, step, cancellation) ?? throw StepWriter.Missing(LakeLayout.StepManifest(run, step));
        var publish = plan.Steps.Single(s => s.Name == step).Publish!;
        var table = await LakeTables.PublishAsync(store, plan, publish, manifest, options.TableWork, time, cancellation);
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
        if (existing is not { Status: RunStatus.Completed })
        {
            var record = await RecordAsync(ending, plan, existing, cancellation);
            await store.PutJsonAsync(key, record, ContractsJson.Default.RunRecord, cancellation);
            if (plan is null) await RunIndex.AddAsync(store, new(ending.Run, ending.Request.Pipeline, ending.Request.Window, record.StartedAt), cancellation);
        }
        else
        {
            // It was started again: housekeeping counts from its new end.
            await store.PutJsonAsync(key, existing, ContractsJson.Default.RunRecord, cancellation);
        }
        await store.DeleteAsync(LakeLayout.RunCancel(ending.Run), cancellation);
        return Told(ending);
    }

    async Task<RunRecord> RecordAsync(Ending ending, RunPlan? plan, RunRecord? before, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        return new()
        {
            Run = ending.Run,
            Pipeline = ending.Request.Pipeline,
            Window = ending.Request.Window,
            Revision = plan?.Revision ?? ending.Request.Revision ?? 0,
            Status = StatusOf(ending),
            StartedAt = plan?.PlannedAt ?? now,
            EndedAt = now,
            Steps = await StepsAsync(ending.Run, plan, cancellation),
            Published = await PublishedAsync(ending, plan, before, cancellation),
            Request = ending.Request,
            Checks = await ChecksAsync(ending, plan, cancellation),
            Error = ending.Failure is { } failure ? new(failure.Step, failure.Task is { } task ? new TaskId(task) : null, failure.Code, failure.Message) : null,
        };
    }

    async Task<IReadOnlyList<StepRecord>> StepsAsync(RunId run, RunPlan? plan, CancellationToken cancellation)
    {
        var records = new List<StepRecord>();
        foreach (var step in plan?.Steps ?? [])
            if (await steps.FindAsync(run, step.Name, cancellation) is { } done)
                records.Add(StepRecord.Of(done));
        return records;
    }

    /// <summary>Every table that holds the run's rows: also what it published before it was started again, and what was committed just before the run was ended or its publish failed.</summary>
    async Task<IReadOnlyList<PublishedTable>> PublishedAsync(Ending ending, RunPlan? plan, RunRecord? before, CancellationToken cancellation)
    {
        var published = ending.Published.ToList();
        published.AddRange((before?.Published ?? []).Where(b => published.All(p => p.Table != b.Table)));
        if (ending.Failure is null) return published;
        foreach (var step in (plan?.Steps ?? []).Where(s => s.Publish is { } publish && published.All(p => p.Table != publish.Table)))
            if (await steps.FindAsync(ending.Run, step.Name, cancellation) is { } manifest && await LakeTables.FindAsync(store, plan!, step.Publish!, manifest, cancellation) is { } found) published.Add(found);
        return published;
    }

    static RunStatus StatusOf(Ending ending) => ending.Failure switch
    {
        null => RunStatus.Completed,
        { Code: RunCancellation.Cancelled or LostRuns.Terminated } => RunStatus.Cancelled,
        _ => RunStatus.Failed,
    };

    /// <summary>Warnings of the committed steps, and, when a check failed the run, the checks of that task.</summary>
    async Task<IReadOnlyList<CheckRecord>?> ChecksAsync(Ending ending, RunPlan? plan, CancellationToken cancellation)
    {
        var checks = new List<CheckRecord>();
        foreach (var step in plan?.Steps ?? [])
            if (await steps.FindAsync(ending.Run, step.Name, cancellation) is { Warnings: { } warnings }) checks.AddRange(warnings);
        if (ending.Failure is { Step: { } failed, Task: { } task })
        {
            var attempts = await new AttemptLog(store, ending.Run, failed, new(task)).ReadAsync(cancellation);
            if (attempts.LastOrDefault(a => a.Outcome is not null).Outcome is { Error: not null } outcome) checks.AddRange(StepMerge.NotPassed(outcome));
        }
        return checks.Count > 0 ? checks : null;
    }

    Reply Told(Ending ending)
    {
        if (ending.Failure is { } failure) log.RunFailed(ending.Run.Value, failure.ToString());
        else log.RunCompleted(ending.Run.Value);
        progress.Report(new RunEnded(ending.Run, StatusOf(ending), ending.Failure?.ToString()));
        return new();
    }
}
