namespace LeanPipe.Orchestrator;

static partial class HousekeepingLog
{
    [LoggerMessage(3050, LogLevel.Information, "Housekeeping is scheduled: {Schedule}")]
    public static partial void HousekeepingScheduled(this ILogger log, string schedule);

    [LoggerMessage(3051, LogLevel.Warning, "Housekeeping is not scheduled, which is tried again: {Reason}")]
    public static partial void HousekeepingNotScheduled(this ILogger log, string reason);

    [LoggerMessage(3052, LogLevel.Information, "Housekeeping {Pass}: {Objects} objects with {Bytes} bytes removed, {Tables} tables compacted")]
    public static partial void HousekeepingDone(this ILogger log, string pass, int objects, long bytes, int tables);

    [LoggerMessage(3053, LogLevel.Warning, "Housekeeping {Pass}: {Problem}")]
    public static partial void HousekeepingProblem(this ILogger log, string pass, string problem);

    [LoggerMessage(3054, LogLevel.Error, "Housekeeping stopped ({Code}): {Message}")]
    public static partial void HousekeepingFailed(this ILogger log, string code, string message);
}
