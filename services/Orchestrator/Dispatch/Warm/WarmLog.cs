using System.Net;

namespace LeanPipe.Orchestrator;

/// <summary>What happens between this service and step runners that are kept running. Warning: surprising, nothing lost.</summary>
static partial class WarmLog
{
    [LoggerMessage(3201, LogLevel.Debug, "Attempt {Attempt}: taken by the warm step runner at {Pod}")]
    public static partial void WarmTaken(this ILogger log, TaskAttempt attempt, IPEndPoint pod);

    [LoggerMessage(3202, LogLevel.Debug, "The warm step runner at {Pod} is passed over: {Reason}")]
    public static partial void WarmPassedOver(this ILogger log, IPEndPoint pod, string reason);

    [LoggerMessage(3203, LogLevel.Warning, "The warm step runner at {Pod} refuses, so the task gets a container of its own: {Reason}")]
    public static partial void WarmRefused(this ILogger log, IPEndPoint pod, string reason);

    [LoggerMessage(3204, LogLevel.Warning, "Attempt {Attempt}: the warm step runner at {Pod} was gone before it ended: {Reason}")]
    public static partial void WarmLost(this ILogger log, TaskAttempt attempt, IPEndPoint pod, string reason);

    [LoggerMessage(3205, LogLevel.Debug, "No warm step runner is known under {Host}: {Reason}")]
    public static partial void WarmUnknown(this ILogger log, string host, string reason);
}
