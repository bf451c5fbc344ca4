namespace LeanPipe.Orchestrator;

/// <summary>Every event that this service logs. Warning: surprising, nothing lost. Error: a person must act.</summary>
static partial class OrchestratorLog
{
    [LoggerMessage(3001, LogLevel.Information, "Run {Run}: planned, {Steps} steps over window {Window} revision {Revision} of pipeline {Pipeline}")]
    public static partial void RunPlanned(this ILogger log, string run, string pipeline, string window, int revision, int steps);

    [LoggerMessage(3002, LogLevel.Debug, "Attempt {Attempt}: process {Process}")]
    public static partial void AttemptLaunched(this ILogger log, TaskAttempt attempt, int process);

    [LoggerMessage(3003, LogLevel.Warning, "Attempt {Attempt}: {Code}, exit code {ExitCode}, worth another attempt: {Transient}")]
    public static partial void AttemptFailed(this ILogger log, TaskAttempt attempt, string code, int exitCode, bool transient);

    [LoggerMessage(3004, LogLevel.Debug, "A step runner had ended before it could be killed: {Message}")]
    public static partial void KillCameLate(this ILogger log, string message);

    [LoggerMessage(3005, LogLevel.Information, "Run {Run}: step {Step} committed, {Tasks} tasks, {RowsIn} rows in, {RowsOut} rows out")]
    public static partial void StepCommitted(this ILogger log, string run, string step, int tasks, long rowsIn, long rowsOut);

    [LoggerMessage(3006, LogLevel.Information, "Run {Run}: table {Table} is at version {Version}, {Rows} rows")]
    public static partial void TablePublished(this ILogger log, string run, string table, long version, long rows);

    [LoggerMessage(3007, LogLevel.Information, "Run {Run}: completed")]
    public static partial void RunCompleted(this ILogger log, string run);

    [LoggerMessage(3008, LogLevel.Error, "Run {Run}: failed: {Failure}")]
    public static partial void RunFailed(this ILogger log, string run, string failure);

    [LoggerMessage(3010, LogLevel.Information, "Window {Window} revision {Revision} of stream {Stream} started run {Run}")]
    public static partial void RunTriggered(this ILogger log, string stream, string window, int revision, string run);

    [LoggerMessage(3011, LogLevel.Warning, "An event on {Topic} is not one of ours and is dropped: {Reason}")]
    public static partial void EventDropped(this ILogger log, string topic, string reason);

    [LoggerMessage(3012, LogLevel.Warning, "Window {Window} revision {Revision} of stream {Stream} is announced, but '{Manifest}' is not in the lake yet: the event is asked for again")]
    public static partial void ManifestNotThere(this ILogger log, string stream, string window, int revision, string manifest);

    [LoggerMessage(3013, LogLevel.Warning, "Some pipeline documents cannot be read, so the event is asked for again: {Errors}")]
    public static partial void DocumentsUnreadable(this ILogger log, string errors);

    [LoggerMessage(3014, LogLevel.Information, "Run {Run}: waits at place {Position} of the queue, {Running} runs are under way")]
    public static partial void RunQueued(this ILogger log, string run, int position, int running);

    [LoggerMessage(3015, LogLevel.Warning, "Run {Run}: has its place now but could not be told, and will ask again by itself: {Reason}")]
    public static partial void WakeFailed(this ILogger log, string run, string reason);

    [LoggerMessage(3016, LogLevel.Information, "Run {Run}: is to end ({Code}); its tasks are being stopped")]
    public static partial void RunCancelRequested(this ILogger log, string run, string code);

    [LoggerMessage(3017, LogLevel.Information, "Attempt {Attempt}: {Phase} {Percent} %, {Seconds} s")]
    public static partial void AttemptProgress(this ILogger log, TaskAttempt attempt, string phase, int percent, long seconds);

    [LoggerMessage(3018, LogLevel.Warning, "Run {Run}: check {Check} of step {Step}, task {Task}, found {Found}, expected {Expected}; it only warns")]
    public static partial void CheckWarned(this ILogger log, string run, string step, string task, string check, long? found, long expected);

    [LoggerMessage(3019, LogLevel.Information, "Run {Run} published table {Table} version {Version}, which started run {Next}")]
    public static partial void TableTriggered(this ILogger log, string run, string table, long version, string next);

    [LoggerMessage(3020, LogLevel.Information, "The schedule of pipeline {Pipeline} started run {Run}")]
    public static partial void ScheduleTriggered(this ILogger log, string pipeline, string run);

    [LoggerMessage(3021, LogLevel.Warning, "A schedule could not be given to the sidecar and is tried again: {Reason}")]
    public static partial void JobsNotRegistered(this ILogger log, string reason);

    [LoggerMessage(3022, LogLevel.Information, "Run {Run}: bucket {Bucket} of step {Step} was heavy and was shared out over {Parts} tasks")]
    public static partial void BucketSharedOut(this ILogger log, string run, string step, int bucket, int parts);

    [LoggerMessage(3025, LogLevel.Warning, "Window {Window} revision {Revision} of stream {Stream} was announced, and '{Manifest}' is not in the lake after ten minutes: the event is dropped. Should the window come back, 'leanpipe backfill' runs it")]
    public static partial void ManifestGone(this ILogger log, string stream, string window, int revision, string manifest);

    [LoggerMessage(3026, LogLevel.Warning, "A mark of a run that waits or runs cannot be read and is left out; the run asks for its place again by itself: {Reason}")]
    public static partial void MarkUnreadable(this ILogger log, string reason);

    [LoggerMessage(3024, LogLevel.Warning, "Whether runs were terminated from outside cannot be told now, and is asked again: {Reason}")]
    public static partial void LostRunsNotLookedFor(this ILogger log, string reason);

    [LoggerMessage(3023, LogLevel.Information, "Pipeline {Pipeline}: a task of step {Step} got along with {MebiBytes} MiB for {Input}, and its tasks begin with that from now on")]
    public static partial void LimitsRemembered(this ILogger log, string pipeline, string step, long mebiBytes, string input);
}
