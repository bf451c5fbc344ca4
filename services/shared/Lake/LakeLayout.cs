using LeanPipe.Contracts;

namespace LeanPipe.Lake;

/// <summary>Every key of the lake, and beside each the one service that writes it.</summary>
public static class LakeLayout
{
    /// <summary>Gateway. <paramref name="segment"/> is unique within the window and follows from the log's range, so that a repeated upload has the same name.</summary>
    public static string Segment(StreamName stream, WindowId window, string segment) => $"raw/{stream}/{Partition(window)}/{segment}.ndjson";

    /// <summary>Gateway. Rejects lie by the time they were received, for most have no event time.</summary>
    public static string Rejected(StreamName stream, WindowId received, string segment) => $"rejected/{stream}/{Partition(received)}/{segment}.ndjson";

    /// <summary>Gateway, for streams that validate after writing: frames as they came, by the time they were received.</summary>
    public static string Frames(StreamName stream, WindowId received, string segment) => $"frames/{stream}/{Partition(received)}/{segment}.frames";

    /// <summary>Prefix of all rejects of a stream.</summary>
    public static string RejectedOf(StreamName stream) => $"rejected/{stream}/";

    /// <summary>A folder for each stream that was ever replayed.</summary>
    public const string ReplayedStreams = "replays/";

    /// <summary>Prefix of what was replayed of a stream.</summary>
    public static string Replays(StreamName stream) => $"{ReplayedStreams}{stream}/frames/";

    /// <summary>Prefix of what was replayed of one segment of rejects.</summary>
    public static string ReplaysOf(StreamName stream, string segment) => $"{Replays(stream)}{segment}/";

    /// <summary>Replay, once: which lines of a rejected segment became records. Numbers count from 1 for each segment; the first to write a number wins.</summary>
    public static string Replay(StreamName stream, string segment, int number) => $"{ReplaysOf(stream, segment)}{number:D6}.json";

    /// <summary>Prefix of what replays have made of whole windows of a stream.</summary>
    public static string WindowReplays(StreamName stream) => $"{ReplayedStreams}{stream}/windows/";

    /// <summary>Prefix of what replays have made of a whole window, in their order.</summary>
    public static string WindowReplaysOf(StreamName stream, WindowId window) => $"{WindowReplays(stream)}{window}/";

    /// <summary>Replay, once: what it has made of a window. Numbers count from 1; the first to write a number wins.</summary>
    public static string WindowReplay(StreamName stream, WindowId window, int number) => $"{WindowReplaysOf(stream, window)}{number:D6}.json";

    /// <summary>Replay: the name of a segment that the replay of a window with this number has made of another. A later replay never makes it again, so when none names it, it is nobody's.</summary>
    public static string RemadeSegment(string source, int number, string sha256) => $"{source}{RemadeMark}{number:D6}-{sha256[..16]}";

    /// <summary>Whether a key is of a segment that a replay with a number has made.</summary>
    public static bool IsRemade(string key)
    {
        var at = key.LastIndexOf(RemadeMark, StringComparison.Ordinal);
        return at > 0 && key.AsSpan(at + RemadeMark.Length) is { Length: > 6 } rest && rest[6] == '-' && !rest[..6].ContainsAnyExceptInRange('0', '9');
    }

    const string RemadeMark = "-replay-";

    /// <summary>Prefix of all frames of a stream.</summary>
    public static string FramesOf(StreamName stream) => $"frames/{stream}/";

    /// <summary>Prefix of the marks of a stream's events that are with the sidecar.</summary>
    public static string ReplaysTold(StreamName stream) => $"{ReplayedStreams}{stream}/told/";

    /// <summary>Replay, once: the event of a revision that a replay has sealed is with the sidecar.</summary>
    public static string ReplayTold(StreamName stream, WindowId window, int revision) => $"{ReplaysTold(stream)}{window}/{revision:D6}.json";

    /// <summary>Gateway, or replay when the revision is one of its own.</summary>
    public static string WindowManifest(StreamName stream, WindowId window, int revision) => $"{WindowRevisions(stream, window)}{revision:D6}.json";

    /// <summary>Prefix of a window's manifests; the last in order is the newest revision.</summary>
    public static string WindowRevisions(StreamName stream, WindowId window) => $"{Windows(stream)}{window}/";

    /// <summary>Prefix of all manifests of a stream.</summary>
    public static string Windows(StreamName stream) => $"windows/{stream}/";

    /// <summary>Gateway: its own ledger of a stream, replaced as it grows.</summary>
    public static string Ledger(StreamName stream, string gateway) => $"{Ledgers(stream)}{gateway}.json";

    public static string Ledgers(StreamName stream) => $"ledger/{stream}/";

    public const string Runs = "runs/";

    /// <summary>Orchestrator, once per run.</summary>
    public static string RunPlan(RunId run) => $"{Runs}{run}/plan.json";

    /// <summary>Prefix of everything of a run.</summary>
    public static string Run(RunId run) => $"{Runs}{run}/";

    /// <summary>Orchestrator, when the run ends.</summary>
    public static string RunRecord(RunId run) => $"{Runs}{run}/run.json";

    /// <summary>Orchestrator: the run shall end. Deleted when it has.</summary>
    public static string RunCancel(RunId run) => $"{Runs}{run}/cancel.json";

    /// <summary>Housekeeping: this pass removes what the run left; a run that is asked for again waits meanwhile. Deleted when that is done.</summary>
    public static string RunSweep(RunId run, string pass) => $"{RunSweeps(run)}{pass}.json";

    /// <summary>Prefix of the passes that remove what a run left.</summary>
    public static string RunSweeps(RunId run) => $"{Runs}{run}/sweep-";

    /// <summary>Orchestrator, before a task takes an equal one's outcome: which ones, so that housekeeping leaves them. <paramref name="sha256"/> is of the content.</summary>
    public static string StepReuse(RunId run, StepName step, string sha256) => $"{Runs}{run}/{step}/reuse-{sha256[..16]}.json";

    /// <summary>Prefix of the index of runs, newest first.</summary>
    public const string RunIndex = "index/runs/";

    /// <summary>Orchestrator. The milliseconds count down, so that the newest run is the first key.</summary>
    public static string RunIndexEntry(RunId run, DateTimeOffset at) => $"{RunIndex}{9_999_999_999_999 - at.ToUnixTimeMilliseconds():D13}-{run}.json";

    /// <summary>Orchestrator: what a step needs, learnt from its tasks. Replaced.</summary>
    public static string StepLimits(PipelineName pipeline, StepName step) => $"{StepLimitsOf(pipeline)}{step}.json";

    /// <summary>Prefix of what the steps of a pipeline need.</summary>
    public static string StepLimitsOf(PipelineName pipeline) => $"index/limits/{pipeline}/";

    /// <summary>Orchestrator: the columns that a step yields, learnt from its tasks. Replaced.</summary>
    public static string StepShape(PipelineName pipeline, StepName step) => $"index/shapes/{pipeline}/{step}.json";

    /// <summary>Prefix of the runs that wait, in their order.</summary>
    public const string QueueWaiting = "index/queue/waiting/";

    /// <summary>Orchestrator, until the run may begin.</summary>
    public static string QueuedRun(RunId run, DateTimeOffset askedAt) => $"{QueueWaiting}{askedAt.ToUnixTimeMilliseconds():D13}-{run}.json";

    /// <summary>Prefix of the runs that count against the limits.</summary>
    public const string QueueRunning = "index/queue/running/";

    /// <summary>Orchestrator, from the run's admission to its end.</summary>
    public static string RunningRun(RunId run) => $"{QueueRunning}{run}.json";

    /// <summary>Orchestrator, before the step's manifest: one line per task.</summary>
    public static string TaskRecords(RunId run, StepName step) => $"{Runs}{run}/{step}/tasks.ndjson";

    /// <summary>Orchestrator: a file that the pipeline brings along, pinned for the run.</summary>
    public static string RunFile(RunId run, string sha256, string extension) => $"{Runs}{run}/files/{sha256}{extension}";

    /// <summary>Orchestrator: the commit of a step.</summary>
    public static string StepManifest(RunId run, StepName step) => $"{Runs}{run}/{step}/manifest.json";

    /// <summary>Prefix of the sheets of a step's tasks.</summary>
    public static string TaskSheets(RunId run, StepName step) => $"{Runs}{run}/{step}/tasks/";

    /// <summary>Orchestrator: so many tasks from one on.</summary>
    public static string TaskSheet(RunId run, StepName step, TaskId first, int count) => $"{TaskSheets(run, step)}{first}-{count}.json";

    /// <summary>A task that stands by itself and in no sheet: a rehearsal, a test, one that a person runs by hand. No orchestrator writes it.</summary>
    public static string LoneTask(RunId run, StepName step, TaskId task) => $"{Task(run, step, task)}task.json";

    /// <summary>Orchestrator: which attempt won.</summary>
    public static string TaskCommit(RunId run, StepName step, TaskId task) => $"{Task(run, step, task)}commit.json";

    /// <summary>Step runner: everything of one attempt lies below it, beside <see cref="AttemptStarted"/>.</summary>
    public static string Attempt(RunId run, StepName step, TaskId task, int attempt) => $"{Task(run, step, task)}{attempt}/";

    /// <summary>Orchestrator, before it launches the attempt: takes its number, so that no two launches share a prefix.</summary>
    public static string AttemptStarted(RunId run, StepName step, TaskId task, int attempt) => $"{Attempt(run, step, task, attempt)}started.json";

    /// <summary>Prefix of everything of a task, its attempts among it.</summary>
    public static string Task(RunId run, StepName step, TaskId task) => $"{Runs}{run}/{step}/{task}/";

    /// <summary>Orchestrator, when an attempt in a container has failed: the end of what it wrote, whose pod does not stay.</summary>
    public static string AttemptLog(RunId run, StepName step, TaskId task, int attempt) => $"{Attempt(run, step, task, attempt)}log.txt";

    /// <summary>Step runner: the last object of an attempt.</summary>
    public static string Outcome(RunId run, StepName step, TaskId task, int attempt) => $"{Attempt(run, step, task, attempt)}outcome.json";

    /// <summary>Step runner: the rows that a check found.</summary>
    public static string CheckRows(RunId run, StepName step, TaskId task, int attempt, string check) => $"{Attempt(run, step, task, attempt)}check-{check}.ndjson";

    /// <summary>Orchestrator: data files and log of a table.</summary>
    public static string Table(TableName table) => $"{Tables}{table}/";

    /// <summary>Orchestrator: the log of a table, one object per version.</summary>
    public static string TableLog(TableName table) => $"{Table(table)}_delta_log/";

    /// <summary>Orchestrator: one version of a table, 20 digits.</summary>
    public static string TableCommit(TableName table, long version) => $"{TableLog(table)}{version:D20}.json";

    /// <summary>Orchestrator: the state of a table at one version.</summary>
    public static string TableCheckpoint(TableName table, long version) => $"{TableLog(table)}{version:D20}.checkpoint.parquet";

    /// <summary>Orchestrator: which checkpoint is the newest, for readers that look there first.</summary>
    public static string TableLastCheckpoint(TableName table) => $"{TableLog(table)}_last_checkpoint";

    /// <summary>Within a table, the prefix of all files that one pipeline published for one window.</summary>
    public static string TableWindow(PipelineName pipeline, WindowId window) => $"window={window}/{pipeline}/";

    /// <summary>Within a table. The name follows from the run and the chunk, so that a repeated publish finds its own files.</summary>
    public static string TableFile(PipelineName pipeline, WindowId window, RunId run, int index, string sha256) =>
        $"{TableWindow(pipeline, window)}{run}-{index:D5}-{sha256[..16]}.parquet";

    /// <summary>Within a table: rows that were added to those of other runs rather than in some window's place.</summary>
    public static string AddedTableFile(PipelineName pipeline, WindowId window, RunId run, int index, string sha256) =>
        $"{AddedTableFolder(pipeline, window)}{run}-{index:D5}-{sha256[..16]}.parquet";

    public static string AddedTableFolder(PipelineName pipeline, WindowId window) => $"added/{pipeline}/{window}/";

    public const string Tables = "tables/";

    /// <summary>Orchestrator. <paramref name="key"/> is the SHA-256 over what a task's result depends on.</summary>
    public static string CacheEntry(string key) => $"cache/{key}.json";

    /// <summary>Whoever probes the store; removed right after.</summary>
    public static string Probe(string id) => $"cache/probe-{id}-";

    /// <summary>Orchestrator, on stores that fail the probe of conditional puts: who commits.</summary>
    public const string CommitterLease = "index/committer.json";

    public const string CatalogJson = "catalog/tables.json";

    public const string CatalogViews = "catalog/views.sql";

    /// <summary>Every prefix of the first level; nothing else belongs into a lake.</summary>
    public static readonly IReadOnlyList<string> Prefixes = ["raw/", "rejected/", "frames/", ReplayedStreams, "windows/", "ledger/", Runs, "index/", "cache/", Tables, "catalog/", "housekeeping/"];

    static string Partition(WindowId window)
    {
        var day = $"date={window.Start:yyyy-MM-dd}";
        return window.Value.Length switch { 10 => day, 13 => $"{day}/hour={window.Start:HH}", _ => $"{day}/hour={window.Start:HH}/minute={window.Start:mm}" };
    }
}
