using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Housekeeping;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>One pass of housekeeping: a workflow, so that a pass that is cut short by a restart is begun again.</summary>
sealed class HousekeepingWorkflow : Workflow<string, string>
{
    public const string Name = "housekeeping";

    public override Task<string> RunAsync(WorkflowContext context, string input) => context.CallAsync<string>(HousekeepingActivity.Name, input);
}

/// <summary>Tidies the lake by the configuration as it is now. Passes come one at a time.</summary>
sealed class HousekeepingActivity(IObjectStore store, OrchestratorOptions options, PipelineFolder pipelines, LostRuns lost, TimeProvider time, ILogger<HousekeepingActivity> log) : WorkflowActivity<string, string>
{
    public const string Name = "housekeeping";

    static readonly SemaphoreSlim OneAtATime = new(1);

    public override async Task<string> RunAsync(WorkflowActivityContext context, string input)
    {
        await OneAtATime.WaitAsync();
        try
        {
            return await TidyAsync();
        }
        catch (LeanPipeException e) when (!e.IsTransient)
        {
            log.HousekeepingFailed(e.Code, e.Message);
            return e.Message;
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    async Task<string> TidyAsync()
    {
        // What a terminated run has left goes by its retention like that of any other.
        await lost.EndAsync(null, CancellationToken.None);
        var file = Path.Combine(options.Config, HousekeepingDocument.FileName);
        var policy = File.Exists(file) ? HousekeepingDocument.Load(file).Require() : new();
        var known = pipelines.Read();
        // A document that cannot be read may be of a pipeline that still has to read raw segments: they stay.
        var readers = known.Errors.Count > 0 ? null : known.Pipelines.Select(p => p.Definition).ToList();
        var cold = policy.ColdStorage is { } root ? ObjectStores.Open(options.Lake with { Root = root }) : null;
        using (cold as IDisposable)
        {
            var report = await HousekeepingPass.RunAsync(store, policy, readers, cold, new() { Work = options.TableWork }, time, CancellationToken.None);
            foreach (var problem in report.Problems) log.HousekeepingProblem(report.Pass, problem);
            log.HousekeepingDone(report.Pass, report.Removals.Count, report.Removals.Sum(r => r.Bytes), report.Compactions.Count);
            return $"{report.Pass}: {report.Removals.Count} objects removed, {report.Compactions.Count} tables compacted";
        }
    }
}
