namespace LeanPipe.Orchestrator;

/// <summary>What happens between this service and a cluster. Warning: surprising, nothing lost. Error: a person must act.</summary>
static partial class KubernetesLog
{
    [LoggerMessage(3101, LogLevel.Debug, "Attempt {Attempt}: Job {Job}")]
    public static partial void JobCreated(this ILogger log, TaskAttempt attempt, string job);

    [LoggerMessage(3102, LogLevel.Information, "Attempt {Attempt}: Job {Job} of an earlier life goes on")]
    public static partial void JobAttached(this ILogger log, TaskAttempt attempt, string job);

    [LoggerMessage(3103, LogLevel.Warning, "Attempt {Attempt}: Job {Job} waits, {Reason}: {Text}")]
    public static partial void JobWaits(this ILogger log, TaskAttempt attempt, string job, string reason, string text);

    [LoggerMessage(3104, LogLevel.Debug, "Attempt {Attempt}: Job {Job} deleted")]
    public static partial void JobDeleted(this ILogger log, TaskAttempt attempt, string job);

    [LoggerMessage(3105, LogLevel.Warning, "Attempt {Attempt}: Job {Job} could not be deleted and ends by its deadline: {Reason}")]
    public static partial void JobNotDeleted(this ILogger log, TaskAttempt attempt, string job, string reason);

    [LoggerMessage(3106, LogLevel.Warning, "Attempt {Attempt}: the log of pod {Pod} could not be kept: {Reason}")]
    public static partial void LogNotKept(this ILogger log, TaskAttempt attempt, string pod, string reason);

    [LoggerMessage(3107, LogLevel.Warning, "Deployment {Deployment} cannot be read, so Jobs are owned by nobody and outlive an uninstall until their time to live is over: {Reason}")]
    public static partial void OwnerUnknown(this ILogger log, string deployment, string reason);

    [LoggerMessage(3108, LogLevel.Warning, "The API server did not take {Method} {Path}, which is made again: {Reason}")]
    public static partial void ApiCallRepeated(this ILogger log, string method, string path, string reason);

    [LoggerMessage(3109, LogLevel.Warning, "The watch of {Resource} was dropped and goes on: {Reason}")]
    public static partial void WatchDropped(this ILogger log, string resource, string reason);
}
