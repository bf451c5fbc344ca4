using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>Purges finished instances when their time is over. Lives under the store's gate.</summary>
sealed class Retention(StateStore store, RetentionOptions options, TimerQueue<DueTimer> timers, TimeProvider time, ILogger log)
{
    public void Arm(string instanceId)
    {
        if (store.EndOf(instanceId) is var (status, endedAt) && For(status) is { } kept)
            timers.Arm(new DueTimer(instanceId, Created: null), Later(endedAt, kept));
    }

    /// <summary>The instance alone: its children have times of their own.</summary>
    public void PurgeIfOver(Work work, string instanceId)
    {
        if (store.EndOf(instanceId) is not var (status, endedAt) || For(status) is not { } kept || Later(endedAt, kept) > time.GetUtcNow())
            return;
        work.Apply(new InstanceChange { InstanceId = instanceId, Purge = true });
        log.RetentionOver(InstanceKey.IdOf(instanceId), status, time.GetUtcNow() - endedAt);
    }

    static DateTimeOffset Later(DateTimeOffset from, TimeSpan by) => by < DateTimeOffset.MaxValue - from ? from + by : DateTimeOffset.MaxValue;

    TimeSpan? For(OrchestrationStatus status) => status switch
    {
        OrchestrationStatus.Completed => options.Completed,
        OrchestrationStatus.Terminated => options.Terminated,
        _ => options.Failed,
    };
}
