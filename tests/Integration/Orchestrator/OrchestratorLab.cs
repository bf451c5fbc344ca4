using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;
using LeanPipe.Orchestrator;
using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>An embedded sidecar and an orchestrator over a folder lake, with real step runner processes. <see cref="RestartAsync"/> begins a new life over the same folders.</summary>
sealed class OrchestratorLab : IAsyncDisposable
{
    public static readonly StreamName Telemetry = new("telemetry");

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-orch-");
    readonly CancellationTokenSource _end = new();
    WebApplication _sidecar = null!;
    WebApplication? _orchestrator;
    Func<IObjectStore, ILauncher>? _launcher;
    TaskLimits _limits = new() { Threads = 1, MemoryBytes = 256L << 20 };
    int? _tasksAtOnce;

    OrchestratorLab(LakeOptions? lake = null)
    {
        Lake = lake ?? new() { Root = Path.Combine(_folder.FullName, "lake") };
        Store = ObjectStores.Open(Lake);
    }

    public string Config => Path.Combine(_folder.FullName, "config");

    public LakeOptions Lake { get; }

    public IObjectStore Store { get; }

    public HttpClient Dapr { get; private set; } = null!;

    public HttpClient? Api { get; private set; }

    public ChannelReader<RunEvent> Events { get; private set; } = null!;

    public DaprWorkflowClient Workflows => _orchestrator!.Services.GetRequiredService<DaprWorkflowClient>();

    public int GrpcPort { get; private set; }

    /// <param name="yaml">The document of pipeline <c>p</c>.</param>
    /// <param name="files">SQL and data beside it.</param>
    public static Task<OrchestratorLab> StartAsync(string yaml, params (string Name, string Content)[] files) => BeginAsync(new(), yaml, files);

    public static Task<OrchestratorLab> StartAsync(Func<IObjectStore, ILauncher>? launcher, string yaml, params (string Name, string Content)[] files) =>
        BeginAsync(new() { _launcher = launcher }, yaml, files);

    /// <summary>For tasks that take nothing of this machine.</summary>
    public static Task<OrchestratorLab> StartAsync(Func<IObjectStore, ILauncher> launcher, int tasksAtOnce, string yaml, params (string Name, string Content)[] files) =>
        BeginAsync(new() { _launcher = launcher, _tasksAtOnce = tasksAtOnce }, yaml, files);

    public static Task<OrchestratorLab> StartAsync(TaskLimits limits, string yaml, params (string Name, string Content)[] files) => BeginAsync(new() { _limits = limits }, yaml, files);

    /// <summary>Over that lake, rather than over a folder of its own.</summary>
    public static Task<OrchestratorLab> StartAsync(LakeOptions lake, string yaml, params (string Name, string Content)[] files) => BeginAsync(new(lake), yaml, files);

    static async Task<OrchestratorLab> BeginAsync(OrchestratorLab lab, string yaml, (string Name, string Content)[] files)
    {
        foreach (var (name, content) in files.Append(("pipeline.yaml", yaml))) lab.Write(name, content);
        await lab.BeginAsync();
        return lab;
    }

    /// <summary>Only the sidecar: the orchestrator is the test's.</summary>
    public static async Task<OrchestratorLab> StartSidecarAsync(string yaml, params (string Name, string Content)[] files)
    {
        var lab = new OrchestratorLab();
        foreach (var (name, content) in files.Append(("pipeline.yaml", yaml))) lab.Write(name, content);
        await lab.BeginSidecarAsync();
        return lab;
    }

    public void Write(string name, string content) => WriteAt("p", name, content);

    /// <summary>For programs that read the whole configuration: the stream's own document, which nothing of the lab's needs.</summary>
    public void WriteStream()
    {
        Directory.CreateDirectory(Path.Combine(Config, "streams"));
        File.WriteAllText(
            Path.Combine(Config, "streams", "telemetry.yaml"), "{ stream: telemetry, listen: '127.0.0.1:0', schema: { fields: { sensor_id: string, value: float64, at: timestamp } }, event_time: at }");
    }

    /// <param name="pipeline">The folder of another pipeline.</param>
    public void WriteAt(string pipeline, string name, string content)
    {
        var file = Path.Combine(Config, "pipelines", pipeline, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }

    public async Task RestartAsync()
    {
        await EndAsync();
        await BeginAsync();
    }

    /// <summary>Seals a window of two columns: <c>sensor_id</c> (text) and <c>value</c> (a number).</summary>
    /// <param name="segments">Per segment its records.</param>
    public async Task SealAsync(string window, int revision, params IReadOnlyList<(string Sensor, double Value)>[] segments)
    {
        var refs = new List<ObjectRef>();
        foreach (var (records, n) in segments.Select((s, n) => (s, n)))
        {
            var bytes = Encoding.UTF8.GetBytes(string.Concat(records.Select(r => $$"""{"sensor_id":"{{r.Sensor}}","value":{{r.Value}}}""" + "\n")));
            var key = LakeLayout.Segment(Telemetry, WindowId.Parse(window), $"r{revision}-{n:D3}");
            await Store.PutAsync(key, bytes, default);
            refs.Add(new(key, bytes.Length, records.Count, Convert.ToHexStringLower(SHA256.HashData(bytes))));
        }
        var manifest = new WindowManifest
        {
            Stream = Telemetry,
            Window = WindowId.Parse(window),
            Revision = revision,
            SealedAt = DateTimeOffset.UnixEpoch,
            Reason = "watermark",
            Schema = "1",
            Segments = refs,
            Columns = [new("sensor_id", "VARCHAR", "VARCHAR"), new("value", "DOUBLE", "DOUBLE")],
        };
        await Store.PutJsonAsync(LakeLayout.WindowManifest(Telemetry, manifest.Window, revision), manifest, ContractsJson.Default.WindowManifest, default);
    }

    public Task<HttpResponseMessage> StartAsync(string id, object request) => Dapr.PostAsJsonAsync($"/v1.0/workflows/dapr/pipeline/start?instanceID={id}", request);

    public async Task<WorkflowState> RunAsync(string id, object request)
    {
        (await StartAsync(id, request)).EnsureSuccessStatusCode();
        return await Workflows.WaitForWorkflowCompletionAsync(id);
    }

    public async Task PublishAsync(object data) => (await Dapr.PostAsJsonAsync($"/v1.0/publish/{EventNames.PubSub}/{EventNames.WindowSealed}", data)).EnsureSuccessStatusCode();

    public async Task<JsonElement> ViewAsync(string id) => await Api!.GetFromJsonAsync<JsonElement>($"/api/runs/{id}");

    public async Task<RunEvent> WaitForAsync(Func<RunEvent, bool> wanted)
    {
        while (true)
            if (await Events.ReadAsync(TestContext.Current.CancellationToken) is var happened && wanted(happened)) return happened;
    }

    /// <summary>For what tells nobody when it comes: asks again after a moment.</summary>
    public async Task UntilAsync(Func<Task<bool>> come)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(4));
        while (!await come()) await timer.WaitForNextTickAsync(limit.Token);
    }

    /// <summary>Published rows as DuckDB reads them from the table's live files.</summary>
    public async Task<IReadOnlyList<string>> RowsAsync(string table, string select)
    {
        if (await DeltaTable.OpenAsync(Store, new(table), default) is not { Files.Count: > 0 } delta) return [];
        var files = string.Join(", ", await Task.WhenAll(delta.Files.Select(async f => $"'{Store.LocalPath(f.Key) ?? await DownloadAsync(f.Key)}'")));
        await using var duckDb = new DuckDB.NET.Data.DuckDBConnection("Data Source=:memory:");
        await duckDb.OpenAsync();
        await using var command = duckDb.CreateCommand();
        command.CommandText = $"{select} FROM read_parquet([{files}], hive_partitioning = false) ORDER BY ALL";
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync()) rows.Add(string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(n => $"{reader.GetValue(n)}")));
        return rows;
    }

    async Task<string> DownloadAsync(string key)
    {
        var path = Path.Combine(_folder.CreateSubdirectory("downloads").FullName, Path.GetFileName(key));
        await File.WriteAllBytesAsync(path, (await Store.GetAsync(key, default))!.Value);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await EndAsync();
        _end.Dispose();
        // Whatever ran, every table's log keeps the protocol.
        await Integration.Lake.DeltaLinter.CheckAllAsync(Store);
        _folder.Delete(recursive: true);
    }

    async Task BeginAsync()
    {
        var ports = await BeginSidecarAsync();
        var builder = LoopbackApp.Builder();
        builder.Configuration["DAPR_GRPC_ENDPOINT"] = $"http://127.0.0.1:{ports.GrpcPort}";
        builder.Configuration["DAPR_HTTP_ENDPOINT"] = $"http://127.0.0.1:{ports.HttpPort}";
        if (_launcher is not null) builder.Services.AddSingleton(_launcher(Store));
        var options = new OrchestratorOptions
        {
            Lake = Lake,
            Config = Config,
            Scratch = Path.Combine(_folder.FullName, "scratch"),
            RetryDelay = TimeSpan.FromMilliseconds(10),
            TaskLimits = _limits,
        };
        builder.AddOrchestrator(options with { MaxConcurrentTasks = _tasksAtOnce ?? options.MaxConcurrentTasks });
        _orchestrator = builder.Build();
        _orchestrator.MapOrchestrator();
        Events = _orchestrator.Services.GetRequiredService<RunProgress>().Subscribe(_end.Token);
        await _orchestrator.StartAsync();
        Api = new() { BaseAddress = _orchestrator.Address() };
        ports.AppPort = Api.BaseAddress.Port;
    }

    async Task<SidecarEndpoints> BeginSidecarAsync()
    {
        _sidecar = LoopbackApp.CreateSidecar(new()
        {
            HttpPort = 0,
            GrpcPort = 0,
            StateDirectory = Path.Combine(_folder.FullName, "sidecar"),
            FirstRetryAfter = TimeSpan.FromMilliseconds(10),
            LastRetryAfter = TimeSpan.FromMilliseconds(50),
        });
        await _sidecar.StartAsync();
        var ports = _sidecar.Services.GetRequiredService<SidecarEndpoints>();

        GrpcPort = ports.GrpcPort;
        Dapr = new() { BaseAddress = new($"http://127.0.0.1:{ports.HttpPort}") };
        return ports;
    }

    async Task EndAsync()
    {
        Dapr.Dispose();
        Api?.Dispose();
        if (_orchestrator is not null) await _orchestrator.StopAsync();
        await _sidecar.StopAsync();
        if (_orchestrator is not null) await _orchestrator.DisposeAsync();
        await _sidecar.DisposeAsync();
    }
}
