using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Orchestrator;

public sealed record OrchestratorOptions
{
    public required LakeOptions Lake { get; init; }

    /// <summary>The folder with <c>pipelines/*/pipeline.yaml</c>. It is read whenever a run is planned, so an edited file counts for the next run.</summary>
    public required string Config { get; init; }

    /// <summary>The step runner's program, or its .dll, which is run by <c>dotnet</c>. Default: beside this program.</summary>
    public string StepRunner { get; init; } = DefaultStepRunner();

    /// <summary>Tasks run as Jobs of this cluster. Null: as child processes of this service.</summary>
    public KubernetesOptions? Kubernetes { get; init; }

    /// <summary>Small tasks go to step runners that are kept running. Null: every task is started.</summary>
    public WarmOptions? Warm { get; init; }

    /// <summary>A folder for the tasks' inputs, spill and chunks, used by this service alone and emptied when it starts. Null shares the system's temporary folder.</summary>
    public string? Scratch { get; init; }

    /// <summary>So many tasks run at a time for this service, whatever the runs they belong to.</summary>
    public int MaxConcurrentTasks { get; init; } = Environment.ProcessorCount;

    /// <summary>So many runs are under way at a time; further ones wait in their order. Sixteen leave the sidecar's worker room for planning beside the tasks of all of them.</summary>
    public int MaxConcurrentRuns { get; init; } = 16;

    /// <summary>What each task may use. Null shares the machine out: its cores, and 80 % of its memory, over <see cref="MaxConcurrentTasks"/>.</summary>
    public TaskLimits? TaskLimits { get; init; }

    /// <summary>A task that runs out of memory is tried again with twice as much, up to this. Null is 80 % of this machine's; set it when tasks run elsewhere.</summary>
    public long? MaxTaskMemoryBytes { get; init; }

    /// <summary>DuckDB's memory where this service itself writes files of tables anew: for merges by key and for compactions, one at a time, whatever runs ask for them. What does not fit is spilled.</summary>
    public long TableMemoryBytes { get; init; } = 256L << 20;

    /// <summary>Files and spill of such a rewrite, in <see cref="Scratch"/>. A merge that needs more is refused; a compaction makes smaller files.</summary>
    public long TableScratchBytes { get; init; } = 10L << 30;

    /// <summary>An attempt that crashed or failed for a passing reason is followed by another, up to so many. SQL errors and failed checks are not repeated.</summary>
    public int MaxTaskAttempts { get; init; } = 3;

    /// <summary>An attempt that ended together with this service says nothing about the task, unless it happens again and again.</summary>
    public int MaxLostAttempts { get; init; } = 20;

    /// <summary>Before the second attempt of a task; doubled before each further one, up to <see cref="LongestRetryDelay"/>.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Twenty attempts then come within an hour and a half, which outlasts most outages; without it the last pause alone would be three days.</summary>
    public TimeSpan LongestRetryDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <param name="attempts">So many there were, one or more.</param>
    internal TimeSpan PauseAfter(int attempts) => TimeSpan.FromTicks((long)Math.Min(RetryDelay.Ticks * Math.Pow(2, attempts - 1), LongestRetryDelay.Ticks));

    internal long EffectiveMaxTaskMemoryBytes => MaxTaskMemoryBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 10 * 8;

    internal TableWork TableWork => new() { Scratch = Scratch, MemoryBytes = TableMemoryBytes, ScratchBytes = TableScratchBytes };

    /// <summary>
    /// Two more than run at a time, so that a place that becomes free is taken at once. At most 40, half of what the local sidecar hands to a worker: the other half is for
    /// planning and committing, and for other runs.
    /// </summary>
    internal int TasksAtOncePerStep => Math.Min(MaxConcurrentTasks + 2, 40);

    internal TaskLimits EffectiveLimits => TaskLimits ?? new()
    {
        Threads = Math.Max(1, Environment.ProcessorCount / MaxConcurrentTasks),
        // A task gains little above 8 GiB, and the page cache more; below 256 MiB DuckDB cannot sort.
        MemoryBytes = Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 10 * 8 / MaxConcurrentTasks, 256L << 20, 8L << 30),
    };

    /// <exception cref="LeanPipeException"><c>orchestrator.bad_options</c>, with every broken rule.</exception>
    internal OrchestratorOptions Validated()
    {
        var errors = new List<string>();
        if (!Directory.Exists(Config)) errors.Add($"The configuration folder '{Config}' does not exist: make it, or name another.");
        if (Kubernetes is null && !File.Exists(StepRunner)) errors.Add($"The step runner '{StepRunner}' does not exist: give the path of its program or .dll.");
        if (MaxConcurrentTasks < 1) errors.Add($"The number of concurrent tasks is {MaxConcurrentTasks}: expected 1 or more.");
        if (MaxConcurrentRuns < 1) errors.Add($"The number of concurrent runs is {MaxConcurrentRuns}: expected 1 or more.");
        if (MaxTaskMemoryBytes < 1) errors.Add($"The most memory of a task is {MaxTaskMemoryBytes} bytes: expected 1 or more.");
        if (TableMemoryBytes < LeastTableMemory) errors.Add($"The memory to write tables anew is {TableMemoryBytes} bytes: expected {LeastTableMemory} or more.");
        if (TableScratchBytes < LeastTableScratch) errors.Add($"The scratch to write tables anew is {TableScratchBytes} bytes: expected {LeastTableScratch} or more.");
        if (MaxTaskAttempts < 1) errors.Add($"The number of attempts of a task is {MaxTaskAttempts}: expected 1 or more.");
        if (MaxLostAttempts < 1) errors.Add($"The number of lost attempts of a task is {MaxLostAttempts}: expected 1 or more.");
        if (RetryDelay < TimeSpan.Zero) errors.Add($"The delay before a second attempt is {RetryDelay}: expected zero or more.");
        if (LongestRetryDelay < RetryDelay) errors.Add($"The longest delay before an attempt is {LongestRetryDelay}: expected {RetryDelay}, the first one, or more.");
        return errors.Count == 0 ? this : throw new LeanPipeException("orchestrator.bad_options", string.Join(' ', errors));
    }

    // Below these DuckDB opens no session, or has no room to write a row group and to spill another.
    const long LeastTableMemory = 32L << 20;
    const long LeastTableScratch = 64L << 20;

    static string DefaultStepRunner()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "steprunner");
        return File.Exists(program) ? program : Path.Combine(AppContext.BaseDirectory, "steprunner.dll");
    }
}
