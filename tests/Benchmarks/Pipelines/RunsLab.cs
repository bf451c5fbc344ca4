using System.Diagnostics;
using System.Threading.Channels;
using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>The embedded sidecar and the orchestrator over a folder lake; each task is a process of the published step runner.</summary>
sealed class RunsLab : IAsyncDisposable
{
    readonly string _folder;
    readonly CancellationTokenSource _end = new();
    WebApplication _sidecar = null!;
    WebApplication _orchestrator = null!;

    RunsLab(string folder)
    {
        _folder = folder;
        Lake = new LakeOptions { Root = Path.Combine(folder, "lake") };
        Store = ObjectStores.Open(Lake);
    }

    public LakeOptions Lake { get; }

    public IObjectStore Store { get; }

    public ChannelReader<RunEvent> Events { get; private set; } = null!;

    /// <param name="pipeline">The document of pipeline <c>p</c>, and the files beside it.</param>
    public static async Task<RunsLab> StartAsync(StepProgram step, string folder, string pipeline, TaskLimits? limits, params (string Name, string Content)[] files)
    {
        var lab = new RunsLab(folder);
        var config = Path.Combine(folder, "config");
        var beside = Directory.CreateDirectory(Path.Combine(config, "pipelines", "p")).FullName;
        foreach (var (name, content) in files.Append(("pipeline.yaml", pipeline))) await File.WriteAllTextAsync(Path.Combine(beside, name), content);
        lab._sidecar = await Sidecar.Lab.StartSidecarAsync(Path.Combine(folder, "state"));
        var ports = lab._sidecar.Services.GetRequiredService<SidecarEndpoints>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration["DAPR_GRPC_ENDPOINT"] = $"http://127.0.0.1:{ports.GrpcPort}";
        builder.Configuration["DAPR_HTTP_ENDPOINT"] = $"http://127.0.0.1:{ports.HttpPort}";
        builder.AddOrchestrator(new() { Lake = lab.Lake, Config = config, StepRunner = step.Path, Scratch = Path.Combine(folder, "scratch"), TaskLimits = limits });
        lab._orchestrator = builder.Build();
        lab._orchestrator.MapOrchestrator();
        lab.Events = lab._orchestrator.Services.GetRequiredService<RunProgress>().Subscribe(lab._end.Token);
        await lab._orchestrator.StartAsync();
        return lab;
    }

    public Task BeginAsync(string run, string window, IReadOnlyDictionary<string, string>? values = null) =>
        Client.ScheduleNewWorkflowAsync(WorkflowNames.Pipeline, run, new RunRequest(new("p"), WindowId.Parse(window), Params: values));

    /// <returns>From the request to the run's end.</returns>
    public async Task<TimeSpan> RunAsync(string run, string window, IReadOnlyDictionary<string, string>? values = null)
    {
        var began = Stopwatch.GetTimestamp();
        await BeginAsync(run, window, values);
        var state = await Client.WaitForWorkflowCompletionAsync(run);
        return state.RuntimeStatus == WorkflowRuntimeStatus.Completed ? Stopwatch.GetElapsedTime(began) : throw new InvalidOperationException($"Run {run} is {state.RuntimeStatus}: {state.FailureDetails}");
    }

    public async Task<StepManifest> StepAsync(string run, string step) =>
        await Store.GetJsonAsync(LakeLayout.StepManifest(new(run), new(step)), ContractsJson.Default.StepManifest, default) ?? throw new InvalidOperationException($"Run {run} has no step {step}.");

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _orchestrator.StopAsync();
        await _sidecar.StopAsync(new CancellationToken(canceled: true));
        await _orchestrator.DisposeAsync();
        await _sidecar.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        _end.Dispose();
    }

    DaprWorkflowClient Client => _orchestrator.Services.GetRequiredService<DaprWorkflowClient>();
}
