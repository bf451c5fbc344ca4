using LeanPipe.DaprWire;

namespace LeanPipe.Sidecar;

/// <summary>Every event that the sidecar logs. Ids 1–19 life, 20–39 workflows, 40–59 pub/sub, 60–79 jobs, 80–99 bindings.</summary>
static partial class SidecarLog
{
    [LoggerMessage(1, LogLevel.Information, "Sidecar of app '{AppId}' ready: http port {HttpPort}, grpc port {GrpcPort}, state in {StateDirectory}: {Instances} workflow instances, {Messages} undelivered messages")]
    public static partial void Ready(this ILogger log, string appId, int httpPort, int grpcPort, string stateDirectory, int instances, int messages);

    [LoggerMessage(2, LogLevel.Warning, "The journal's last write was interrupted: {Bytes} bytes were cut. Nothing that was acknowledged is lost")]
    public static partial void TornTailCut(this ILogger log, long bytes);

    [LoggerMessage(3, LogLevel.Error, "The journal can no longer be written: the sidecar ends, and goes on from its journal when it is started again")]
    public static partial void JournalFailed(this ILogger log, Exception cause);

    [LoggerMessage(4, LogLevel.Critical, "A change failed half-way: the sidecar ends, and goes on from its journal when it is started again")]
    public static partial void StateAbandoned(this ILogger log, Exception cause);

    [LoggerMessage(5, LogLevel.Information, "App '{AppId}': grpc port {GrpcPort}")]
    public static partial void AppReady(this ILogger log, string appId, int grpcPort);

    [LoggerMessage(20, LogLevel.Information, "Worker connected; {Workers} in all")]
    public static partial void WorkerConnected(this ILogger log, int workers);

    [LoggerMessage(21, LogLevel.Information, "Worker disconnected; {Workers} left, its {Items} unanswered items are offered again")]
    public static partial void WorkerDisconnected(this ILogger log, int workers, int items);

    [LoggerMessage(22, LogLevel.Warning, "Workflow instance '{InstanceId}' is stalled ({Reason}): a turn cannot be taken. It goes on with a worker, or a limit, that can take it")]
    public static partial void Stalled(this ILogger log, string instanceId, StalledReason reason);

    [LoggerMessage(23, LogLevel.Error, "The history of workflow instance '{InstanceId}' makes a work item of {Bytes} bytes; messages end at {LimitBytes}. Pass references instead of data, or raise the limit and restart")]
    public static partial void HistoryTooLarge(this ILogger log, string instanceId, int bytes, int limitBytes);

    [LoggerMessage(24, LogLevel.Error, "{Timers} timers were due but could not be recorded; they fire after the next start")]
    public static partial void TimersNotFired(this ILogger log, int timers, Exception cause);

    [LoggerMessage(25, LogLevel.Error, "Call {Path} failed")]
    public static partial void CallFailed(this ILogger log, string path, Exception cause);

    [LoggerMessage(26, LogLevel.Debug, "Workflow instance '{InstanceId}' ended as {Status} {Age} ago and was forgotten")]
    public static partial void RetentionOver(this ILogger log, string instanceId, OrchestrationStatus status, TimeSpan age);

    [LoggerMessage(27, LogLevel.Error, "Finished workflow instances could not be written to the archive; they stay in memory and in the journal until the sidecar is started again")]
    public static partial void NotArchived(this ILogger log, Exception cause);

    [LoggerMessage(28, LogLevel.Warning, "Work waits for the app '{AppId}', which has no port on this sidecar. It goes on when the app is among its apps; a workflow that must not wait so long needs a timer")]
    public static partial void AppUnknown(this ILogger log, string appId);

    [LoggerMessage(29, LogLevel.Error, "A worker's answer for workflow instance '{InstanceId}' has {Bytes} bytes; messages end at {LimitBytes}. It counts as failed: return references instead of data")]
    public static partial void AnswerTooLarge(this ILogger log, string instanceId, long bytes, int limitBytes);

    [LoggerMessage(40, LogLevel.Information, "The app on port {Port} subscribes to {Topics}")]
    public static partial void Subscribed(this ILogger log, int port, string topics);

    [LoggerMessage(41, LogLevel.Information, "Waiting for the app on port {Port} to answer GET /dapr/subscribe")]
    public static partial void WaitingForApp(this ILogger log, int port);

    [LoggerMessage(42, LogLevel.Warning, "Message {MessageId} of topic '{Topic}' was dropped: {Reason}")]
    public static partial void Dropped(this ILogger log, long messageId, string topic, string reason);

    [LoggerMessage(43, LogLevel.Warning, "Message {MessageId} of topic '{Topic}' was not taken (attempt {Attempt}): {Reason}. Tried again in {Pause}")]
    public static partial void NotTaken(this ILogger log, long messageId, string topic, int attempt, string reason, TimeSpan pause);

    [LoggerMessage(44, LogLevel.Warning, "The routing rule '{Match}' of topic '{Topic}' is not one that this sidecar understands; it never matches. Understood: event.<field> == \"text\", !=, joined by &&")]
    public static partial void RuleNotUnderstood(this ILogger log, string match, string topic);

    [LoggerMessage(45, LogLevel.Warning, "Message {MessageId} of topic '{Topic}' was answered, but this could not be recorded; it is delivered once more after the next start")]
    public static partial void NotRemoved(this ILogger log, long messageId, string topic, Exception cause);

    [LoggerMessage(60, LogLevel.Warning, "Job '{Job}' was not taken (attempt {Attempt}): {Reason}. Tried again in {Pause}")]
    public static partial void JobNotTaken(this ILogger log, string job, int attempt, string reason, TimeSpan pause);

    [LoggerMessage(61, LogLevel.Error, "Job '{Job}' was not done this time, after {Attempts} attempts: {Reason}")]
    public static partial void JobFailed(this ILogger log, string job, int attempts, string reason);

    [LoggerMessage(62, LogLevel.Error, "Job '{Job}' was triggered, but this could not be recorded; it is triggered once more after the next start")]
    public static partial void JobNotRecorded(this ILogger log, string job, Exception cause);

    [LoggerMessage(80, LogLevel.Information, "The app on port {Port} takes the binding '{Binding}' at {Path}")]
    public static partial void BindingTaken(this ILogger log, int port, string binding, string path);

    [LoggerMessage(81, LogLevel.Warning, "The app on port {Port} does not take the binding '{Binding}': it answered OPTIONS {Path} with neither 2xx nor 405. Its ticks are lost until the app moves to another port or the sidecar is started again")]
    public static partial void BindingNotTaken(this ILogger log, int port, string binding, string path);

    [LoggerMessage(82, LogLevel.Warning, "A tick of the binding '{Binding}' is lost: {Reason}")]
    public static partial void TickLost(this ILogger log, string binding, string reason);
}
