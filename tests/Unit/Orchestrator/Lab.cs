using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Unit.Orchestrator;

/// <summary>A folder lake with a window in it, a pipeline folder, and the activities over both; step runners are scripted.</summary>
sealed class Lab : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-orch-");

    public Lab()
    {
        Store = ObjectStores.Open(new() { Root = Path.Combine(_folder.FullName, "lake") });
        var pipeline = Directory.CreateDirectory(Path.Combine(Config, "pipelines", "telemetry-hourly")).FullName;
        File.WriteAllText(Path.Combine(pipeline, "pipeline.yaml"), """
            pipeline: telemetry-hourly
            trigger: { sealed: telemetry }
            steps:
              compact:
                inputs: { raw: { stream: telemetry } }
                fan_out: { bytes: 100B }
                sql: compact.sql
              by_sensor:
                inputs: { t: compact, units: { file: units.csv } }
                fan_out: { hash: t.sensor_id, buckets: 2 }
                sql: by_sensor.sql
              hourly:
                inputs: { parts: by_sensor }
                sql: hourly.sql
                publish: { table: temperatures_hourly }
            """);
        foreach (var sql in (string[])["compact", "by_sensor", "hourly"]) File.WriteAllText(Path.Combine(pipeline, $"{sql}.sql"), "SELECT 1");
        File.WriteAllText(Path.Combine(pipeline, "units.csv"), "a,b\n1,2\n");
    }

    public string Config => _folder.FullName;

    public IObjectStore Store { get; }

    public async Task SealAsync(int revision = 1, IReadOnlyList<ObjectRef>? segments = null) => await Store.PutJsonAsync(
        LakeLayout.WindowManifest(Samples.Telemetry, Samples.Window, revision), Samples.Manifest with { Revision = revision, Segments = segments ?? Samples.Manifest.Segments },
        ContractsJson.Default.WindowManifest, default);

    /// <summary>A new life of the service over the same lake.</summary>
    public Life Begin(IObjectStore? store = null, ScriptedLauncher? launcher = null, int maxRuns = 16) => new(store ?? Store, Config, launcher ?? new(Store), maxRuns);

    public async Task<IReadOnlyList<string>> KeysAsync(string prefix = "")
    {
        var keys = new List<string>();
        await foreach (var item in Store.ListAsync(prefix, default)) keys.Add(item.Key);
        return keys;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

/// <summary>The activities' parts, made as the service makes them.</summary>
sealed class Life
{
    public const int MaxConcurrentTasks = 2;

    public Life(IObjectStore store, string config, ILauncher launcher, int maxRuns = 16)
    {
        var options = new OrchestratorOptions { Lake = new() { Root = "." }, Config = config, RetryDelay = TimeSpan.Zero, MaxLostAttempts = 2, MaxConcurrentRuns = maxRuns, TaskLimits = new() { MemoryBytes = 100 }, MaxTaskMemoryBytes = 350, MaxConcurrentTasks = MaxConcurrentTasks };
        Queue = new(store, Instances, options, TimeProvider.System, NullLogger<RunQueue>.Instance);
        Planning = new(store, new(config), new(store, TimeProvider.System), Queue, Progress, NullLogger<RunPlanning>.Instance);
        Cache = new(store);
        Steps = new(store, Planning, Cache, new(store), options, Progress, TimeProvider.System, NullLogger<StepWriter>.Instance);
        Tasks = new(store, launcher, new(store), Cache, new(store, options, TimeProvider.System, NullLogger<MemoryLadder>.Instance), options, Progress, new Lifetime(), TimeProvider.System, NullLogger<TaskRunner>.Instance);
        Cancellation = new(store, Tasks, Instances, TimeProvider.System, NullLogger<RunCancellation>.Instance);
        Ending = new(store, Steps, Planning, options, Progress, TimeProvider.System, NullLogger<RunEnding>.Instance);
        Lost = new(Queue, Planning, Ending, Cancellation, TimeProvider.System, NullLogger<LostRuns>.Instance);
    }

    public RunProgress Progress { get; } = new();

    public ScriptedInstances Instances { get; } = new();

    public TaskCache Cache { get; }

    public RunQueue Queue { get; }

    public RunCancellation Cancellation { get; }

    public RunPlanning Planning { get; }

    public StepWriter Steps { get; }

    public TaskRunner Tasks { get; }

    public RunEnding Ending { get; }

    public LostRuns Lost { get; }

    sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication()
        {
        }
    }
}

/// <summary>Workflow instances: every run is active unless the test says that it ended.</summary>
sealed class ScriptedInstances : IRunInstances
{
    public HashSet<RunId> Ended { get; } = [];

    public List<RunId> Woken { get; } = [];

    public Task WakeAsync(RunId run, CancellationToken cancellation)
    {
        Woken.Add(run);
        return Task.CompletedTask;
    }

    public Task<bool> IsActiveAsync(RunId run, CancellationToken cancellation) => Task.FromResult(!Ended.Contains(run));
}

/// <summary>A step runner that writes what the script says into the attempt's prefix, and counts.</summary>
sealed class ScriptedLauncher(IObjectStore store) : ILauncher
{
    public List<TaskAttempt> Launched { get; } = [];

    /// <summary>Only results of the released engine are reused.</summary>
    public string Engine { get; set; } = "scripted";

    public Func<TaskAttempt, Task<LaunchEnd>>? Script { get; set; }

    /// <summary>Of the attempt that was launched last.</summary>
    public CancellationToken Cancel { get; private set; }

    public Task<LaunchEnd> RunAsync(TaskAttempt attempt, Action<string> output, CancellationToken cancel)
    {
        Cancel = cancel;
        lock (Launched) Launched.Add(attempt);
        return Script?.Invoke(attempt) ?? SucceedAsync(attempt);
    }

    public Task<LaunchEnd?> AttachAsync(TaskAttempt attempt) => Task.FromResult<LaunchEnd?>(null);

    public async Task<LaunchEnd> SucceedAsync(TaskAttempt a)
    {
        var spec = (await TaskSheets.FindAsync(store, a.Run, a.Step, a.Task, default)).ShouldNotBeNull();
        // One chunk per bucket, its content the inputs' names: the result tells which inputs it was made of.
        var chunks = new List<Chunk>();
        foreach (var bucket in spec.Output.Hash is { } hash ? Enumerable.Range(0, hash.Buckets).Select(b => (int?)b) : [null])
        {
            var content = System.Text.Encoding.UTF8.GetBytes($"{string.Join(',', spec.Inputs.SelectMany(i => i.Objects).Select(o => o.Key))}#{bucket}");
            var key = $"{LakeLayout.Attempt(a.Run, a.Step, a.Task, a.Attempt)}part-{bucket ?? 0:D5}.parquet";
            await store.PutAsync(key, content, default);
            chunks.Add(new(new(key, content.Length, 1, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content))), bucket));
        }
        await PutAsync(a, Outcome(a) with { Chunks = chunks, Columns = [new("sensor_id", "VARCHAR")], RowsIn = 1, RowsOut = chunks.Count });
        return new(0, false, "");
    }

    public async Task<LaunchEnd> FailAsync(TaskAttempt a, string code, bool transient)
    {
        await PutAsync(a, Outcome(a) with { Error = new(code, $"Step '{a.Step}': {code} happened", transient) });
        return new(transient ? 3 : 1, false, code);
    }

    public static Task<LaunchEnd> CrashAsync(int exitCode = 137) => Task.FromResult(new LaunchEnd(exitCode, false, "it broke"));

    async Task PutAsync(TaskAttempt a, TaskOutcome outcome) =>
        await store.PutJsonIfAbsentAsync(LakeLayout.Outcome(a.Run, a.Step, a.Task, a.Attempt), outcome, ContractsJson.Default.TaskOutcome, default);

    TaskOutcome Outcome(TaskAttempt a) => new()
    {
        Run = a.Run,
        Step = a.Step,
        Task = a.Task,
        Attempt = a.Attempt,
        Timings = new(TotalMs: 5),
        Engine = Engine,
        StartedAt = Samples.Noon,
    };
}
