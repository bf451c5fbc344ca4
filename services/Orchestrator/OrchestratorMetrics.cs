using System.Diagnostics.Metrics;

namespace LeanPipe.Orchestrator;

/// <summary>What the orchestrator measures; docs/specs/metrics.md lists it. Read when somebody asks.</summary>
sealed class OrchestratorMetrics
{
    public OrchestratorMetrics(IMeterFactory meters, TaskRunner tasks, OrchestratorOptions options)
    {
        var meter = meters.Create("LeanPipe.Orchestrator");
        meter.CreateObservableGauge("leanpipe.orchestrator.tasks_running", () => tasks.Load.Running, unit: null, description: "Tasks that run now.");
        meter.CreateObservableGauge("leanpipe.orchestrator.tasks_waiting", () => tasks.Load.Waiting, unit: null, description: "Tasks that wait for a slot, or for their next attempt.");
        meter.CreateObservableGauge("leanpipe.orchestrator.tasks_max", () => options.MaxConcurrentTasks, unit: null, description: "So many tasks run at a time.");
    }
}
