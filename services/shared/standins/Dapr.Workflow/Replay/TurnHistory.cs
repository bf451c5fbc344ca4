using LeanPipe.DaprWire;

namespace Dapr.Workflow.Replay;

/// <summary>What a turn is about, read from its events before any code runs.</summary>
/// <param name="Name">Empty when there is no start event, or it has no name.</param>
/// <param name="AppId">The app that the workflow runs in; null when the sidecar does not say, and then no task can be routed to another app.</param>
/// <param name="Clock">The time at which the workflow begins, UTC.</param>
sealed record TurnHistory(
    string InstanceId,
    string? ExecutionId,
    string Name,
    string? Input,
    string? AppId,
    DateTime Clock,
    IReadOnlySet<string> Patches,
    IReadOnlyList<HistoryEvent> Past,
    IReadOnlyList<HistoryEvent> New)
{
    public static TurnHistory Of(WorkflowRequest request)
    {
        HistoryEvent? start = null;
        var patches = new HashSet<string>(StringComparer.Ordinal);
        foreach (var e in request.PastEvents.Concat(request.NewEvents))
        {
            // The newest start counts: a history may carry the one it continues.
            start = e.ExecutionStarted is null ? start : e;
            patches.UnionWith(e.WorkflowStarted?.Version?.Patches ?? []);
        }

        var first = request.PastEvents.Concat(request.NewEvents.Where(e => e.WorkflowStarted is not null)).Concat(request.NewEvents).FirstOrDefault();
        var executionId = string.IsNullOrWhiteSpace(request.ExecutionId)
            ? start?.ExecutionStarted.WorkflowInstance?.ExecutionId
            : request.ExecutionId;
        return new TurnHistory(
            request.InstanceId,
            executionId,
            start?.ExecutionStarted.Name ?? string.Empty,
            start?.ExecutionStarted.Input,
            AppIdOf(start?.Router),
            first?.Timestamp?.ToDateTime() ?? DateTime.UnixEpoch,
            patches,
            request.PastEvents,
            request.NewEvents);
    }

    public HistoryEvent? Last => New.Count > 0 ? New[^1] : Past.Count > 0 ? Past[^1] : null;

    static string? AppIdOf(TaskRouter? router)
    {
        var appId = string.IsNullOrEmpty(router?.TargetAppID) ? router?.SourceAppID : router.TargetAppID;
        return string.IsNullOrEmpty(appId) ? null : appId;
    }
}
