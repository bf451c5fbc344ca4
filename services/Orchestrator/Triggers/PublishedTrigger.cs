using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>A published table starts the pipelines that wait for it, over the window of the run that published it.</summary>
/// <remarks>
/// Called when the run's record is written and before its last activity answers: a crash in between repeats the call, whose ids follow from the table's version, so that
/// one version starts one run of each pipeline. A version whose rows were not taken, for newer ones were there, starts nothing.
/// </remarks>
sealed class PublishedTrigger(PipelineFolder pipelines, RunStarter starter, ILogger<PublishedTrigger> log)
{
    public async Task FireAsync(RunId run, WindowId window, IReadOnlyList<PublishedTable> tables, CancellationToken cancellation)
    {
        if (tables.Count == 0) return;
        var waiting = pipelines.Read().Pipelines.Select(p => p.Definition).Where(p => p.TriggerPublished is not null).ToList();
        foreach (var table in tables.Where(t => t.Superseded is not true))
        {
            foreach (var pipeline in waiting.Where(p => p.TriggerPublished == table.Table))
            {
                var next = RunStarter.IdFor(pipeline.Name, window, $"v{table.Version}");
                if (await starter.StartAsync(next, new(pipeline.Name, window), cancellation)) log.TableTriggered(run.Value, table.Table.Value, table.Version, next.Value);
            }
        }
    }
}
