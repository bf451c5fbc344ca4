using LeanPipe.Contracts;
using LeanPipe.Integration.StepRunner;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Integration.Warm;

/// <summary>The orchestrator's warm dispatch over a folder lake, with real step runners that are kept running. What it gives to the other launcher is counted, and run as a process there.</summary>
sealed class WarmLab : IAsyncDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-warm-");
    readonly Lifetime _lifetime = new();
    readonly List<WarmRunner> _runners = [];

    WarmLab(TaskLake lake) => Lake = lake;

    public TaskLake Lake { get; }

    public StartedProcesses Each { get; private set; } = null!;

    public WarmLauncher Launcher { get; private set; } = null!;

    public WarmRunner Runner => _runners[0];

    /// <param name="theirs">The lake that the step runner knows; null is the orchestrator's.</param>
    /// <param name="lake">Null is a folder.</param>
    public static async Task<WarmLab> StartAsync(Func<WarmOptions, WarmOptions>? change = null, LakeOptions? theirs = null, LakeOptions? lake = null)
    {
        var lab = new WarmLab(new(lake));
        lab._runners.Add(await WarmRunner.StartAsync(theirs ?? lab.Lake.Options, lab._folder.CreateSubdirectory("warm")));
        lab.Each = new(lab.Lake);
        var warm = new WarmOptions { Addresses = [lab.Runner.Address], Token = WarmRunner.Token, MaxInputBytes = 1000 };
        lab.Launcher = new(lab.Each, change?.Invoke(warm) ?? warm, lab.Options, lab.Lake.Store, lab._lifetime, TimeProvider.System, NullLogger<WarmLauncher>.Instance);
        return lab;
    }

    OrchestratorOptions Options => new() { Lake = Lake.Options, Config = _folder.FullName, TaskLimits = new() { MemoryBytes = 512L << 20 }, RetryDelay = TimeSpan.Zero, MaxConcurrentTasks = 2 };

    public TaskRunner Tasks() => new(
        Lake.Store, Launcher, new(Lake.Store), new(Lake.Store), new(Lake.Store, Options, TimeProvider.System, NullLogger<MemoryLadder>.Instance), Options, new(), _lifetime, TimeProvider.System, NullLogger<TaskRunner>.Instance);

    public async Task<TaskAttempt> PlanAsync(TaskSpec spec, int attempt = 1)
    {
        var document = await Lake.WriteAsync(spec);
        return new(spec.Run, spec.Step, spec.Task, attempt, spec.Limits, InputBytes: spec.Inputs.Sum(i => i.Objects.Sum(o => o.Bytes)), Document: document);
    }

    /// <summary>Begins an attempt of endless SQL.</summary>
    /// <returns>Its end, once it computes.</returns>
    public async Task<Task<LaunchEnd>> BeginEndlessAsync(CancellationToken cancel = default)
    {
        var computes = new TaskCompletionSource();
        var attempt = await PlanAsync(Lake.Task(Endless));
        var end = Launcher.RunAsync(attempt, line => Computes(line, computes), cancel);
        (await Task.WhenAny(computes.Task, end)).ShouldBe(computes.Task, "the attempt ended before it computed");
        return end;
    }

    public const string Endless = "SELECT count(*) AS n FROM range(1000000000000) a(i) WHERE hash(i) % 7 = 9";

    public static void Computes(string line, TaskCompletionSource computes)
    {
        if (line.Contains("\"sql\"", StringComparison.Ordinal)) computes.TrySetResult();
    }

    public async Task<LaunchEnd> RunAsync(TaskSpec spec) => await Launcher.RunAsync(await PlanAsync(spec), _ => { }, default);

    public void Stop() => _lifetime.StopApplication();

    public async ValueTask DisposeAsync()
    {
        foreach (var runner in _runners) runner.Dispose();
        await Lake.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    sealed class Lifetime : IHostApplicationLifetime
    {
        readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => _stopping.Cancel();
    }
}

/// <summary>A process for each attempt, and which attempts these were.</summary>
sealed class StartedProcesses(TaskLake lake) : ILauncher
{
    public List<int> Attempts { get; } = [];

    public async Task<LaunchEnd> RunAsync(TaskAttempt attempt, Action<string> output, CancellationToken cancel)
    {
        lock (Attempts) Attempts.Add(attempt.Attempt);
        using var process = StepProcess.Start(lake.Options, [.. attempt.Arguments, "--scratch", lake.Scratch.FullName]);
        var (code, _, error) = await process.EndAsync();
        return new(code, false, error);
    }

    public Task<LaunchEnd?> AttachAsync(TaskAttempt attempt) => Task.FromResult<LaunchEnd?>(null);
}
