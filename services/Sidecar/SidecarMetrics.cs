using System.Diagnostics.Metrics;
using LeanPipe.Sidecar.State;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Sidecar;

/// <summary>What the sidecar measures; docs/specs/metrics.md lists it. Read from the state when somebody asks.</summary>
sealed class SidecarMetrics
{
    readonly StateStore _store;

    public SidecarMetrics(IMeterFactory meters, StateStore store, WorkflowEngine engine)
    {
        _store = store;
        var meter = meters.Create("LeanPipe.Sidecar");
        Gauge(meter, "workflows_running", "Workflows that have not ended.", () => store.Instances.Values.Count(i => !i.IsTerminal));
        Gauge(meter, "workflows_finished", "Workflows that have ended and are kept.", () => store.Instances.Values.Count(i => i.IsTerminal) + store.Archived.Count);
        Gauge(meter, "work_waiting", "Turns and activities of the app that no worker has taken yet.", () => engine.WaitingWork(null));
        Gauge(meter, "workers", "Workers of the app that are connected.", () => engine.ConnectedWorkers(null));
        Gauge(meter, "messages_waiting", "Published messages that the app has not taken.", () => store.Messages.Count);
        Gauge(meter, "message_bytes_waiting", "Bytes of these messages.", () => store.MessageBytes);
        Gauge(meter, "jobs", "Jobs that are scheduled.", () => store.Jobs.Count);
        Gauge(meter, "healthy", "1 while the journal can be written.", () => store.IsHealthy ? 1 : 0);
    }

    void Gauge(Meter meter, string name, string description, Func<long> observe) => meter.CreateObservableGauge(
        "leanpipe.sidecar." + name, () =>
        {
            lock (_store.Gate) return observe();
        },
        unit: null, description);
}
