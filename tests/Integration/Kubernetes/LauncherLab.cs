using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Integration.Kubernetes;

/// <summary>A launcher against a scripted cluster, with a folder as the lake. <see cref="NextLifeAsync"/> is the service after a restart.</summary>
sealed class LauncherLab : IAsyncDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-jobs-");
    Lifetime _lifetime = new();
    IObjectStore _seen = null!;
    KubernetesApi? _api;
    JobWatch? _watch;

    LauncherLab()
    {
        Lake = ObjectStores.Open(new() { Root = Path.Combine(_folder.FullName, "lake") });
        TokenFile = Path.Combine(_folder.FullName, "token");
        File.WriteAllText(TokenFile, "first\n");
        File.WriteAllText(Path.Combine(_folder.FullName, "job.json"), Template);
    }

    public const string Template = """
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"labels":{"a":"b"}},"spec":{"backoffLimit":0,"template":{"spec":{
          "restartPolicy":"Never","containers":[{"name":"steprunner","image":"steprunner:1","env":[]}],"volumes":[{"name":"scratch","emptyDir":{}}]}}}}
        """;

    public ScriptedCluster Cluster { get; private set; } = null!;

    public IObjectStore Lake { get; }

    public string TokenFile { get; }

    public KubernetesOptions Options { get; private set; } = null!;

    public ILauncher Launcher { get; private set; } = null!;

    public static TaskAttempt Attempt(int number = 1, int task = 0) => new(new("run-1"), new("by_sensor"), new(task), number, new() { MemoryBytes = 256L << 20 });

    /// <param name="watching">Waits until both watches are open, so that nothing that a test lets happen goes unseen.</param>
    /// <param name="lake">What the launcher sees of the lake.</param>
    public static async Task<LauncherLab> StartAsync(
        Func<KubernetesOptions, KubernetesOptions>? change = null, Action<Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions>? listen = null, bool watching = true,
        Func<IObjectStore, IObjectStore>? lake = null)
    {
        var lab = new LauncherLab { Cluster = await ScriptedCluster.StartAsync(listen) };
        lab._seen = lake?.Invoke(lab.Lake) ?? lab.Lake;
        lab.Options = new()
        {
            Server = lab.Cluster.Address,
            Namespace = "plant",
            JobTemplate = Path.Combine(lab._folder.FullName, "job.json"),
            Owner = "orchestrator",
            TokenFile = lab.TokenFile,
            CaFile = null,
            FirstRetry = TimeSpan.FromMilliseconds(1),
            LastRetry = TimeSpan.FromMilliseconds(5),
        };
        lab.Options = change?.Invoke(lab.Options) ?? lab.Options;
        await lab.BeginAsync(watching);
        return lab;
    }

    /// <summary>Stops this life and begins another over the same cluster and lake.</summary>
    public async Task NextLifeAsync()
    {
        await EndAsync();
        await BeginAsync(watching: true);
    }

    public Task<LaunchEnd> RunAsync(TaskAttempt attempt, CancellationToken cancel = default) => Launcher.RunAsync(attempt, _ => { }, cancel);

    public async Task<string?> LogAsync(TaskAttempt a) =>
        await Lake.GetAsync(LakeLayout.AttemptLog(a.Run, a.Step, a.Task, a.Attempt), default) is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes.Span) : null;

    public async Task EndAsync()
    {
        _lifetime.Stop();
        await _watch!.StopAsync(default);
        _watch.Dispose();
        _api!.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await Cluster.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    async Task BeginAsync(bool watching)
    {
        _lifetime = new();
        _api = new(Options, TimeProvider.System, NullLogger<KubernetesApi>.Instance);
        _watch = new(_api, Options, TimeProvider.System, NullLogger<JobWatch>.Instance);
        await _watch.StartAsync(default);
        for (var open = 0; watching && open < 2; open++) await Cluster.NextWatchAsync();
        Launcher = new KubernetesLauncher(_api, _watch, Options, _seen, _lifetime, TimeProvider.System, NullLogger<KubernetesLauncher>.Instance);
    }

    sealed class Lifetime : IHostApplicationLifetime
    {
        readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => Stop();

        public void Stop() => _stopping.Cancel();
    }
}
