using System.Diagnostics;
using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>Whole runs through the embedded sidecar and the orchestrator, each task a real process; and the planning of a wide step.</summary>
static class Runs
{
    const int Tiny = 1000;
    const int Wide = 10_000;

    public static async Task<IReadOnlyList<Result>> MeasureAsync(StepProgram step, string work)
    {
        var folder = Directory.CreateDirectory(Path.Combine(work, "runs")).FullName;
        var pipeline = Directory.CreateDirectory(Path.Combine(folder, "config", "pipelines", "p")).FullName;
        await File.WriteAllTextAsync(Path.Combine(pipeline, "pipeline.yaml"), """
            pipeline: p
            steps:
              one:
                inputs: { raw: { stream: telemetry } }
                fan_out: { bytes: 1B }
                sql: one.sql
              all:
                inputs: { parts: one }
                sql: all.sql
            """);
        await File.WriteAllTextAsync(Path.Combine(pipeline, "one.sql"), "SELECT sensor_id, value FROM raw");
        await File.WriteAllTextAsync(Path.Combine(pipeline, "all.sql"), "SELECT count(*) AS n FROM parts");
        var lake = new LakeOptions { Root = Path.Combine(folder, "lake") };
        await SealAsync(ObjectStores.Open(lake), "2026-01-01", Tiny);
        await SealAsync(ObjectStores.Open(lake), "2026-01-02", Wide);

        await using var sidecar = await Sidecar.Lab.StartSidecarAsync(Path.Combine(folder, "state"));
        var ports = sidecar.Services.GetRequiredService<SidecarEndpoints>();
        var builder = LoopbackApp.Builder();
        builder.Configuration["DAPR_GRPC_ENDPOINT"] = $"http://127.0.0.1:{ports.GrpcPort}";
        builder.Configuration["DAPR_HTTP_ENDPOINT"] = $"http://127.0.0.1:{ports.HttpPort}";
        builder.AddOrchestrator(new() { Lake = lake, Config = Path.Combine(folder, "config"), StepRunner = step.Path, Scratch = Path.Combine(folder, "scratch") });
        await using var orchestrator = builder.Build();
        orchestrator.MapOrchestrator();
        using var end = new CancellationTokenSource();
        var events = orchestrator.Services.GetRequiredService<RunProgress>().Subscribe(end.Token);
        await orchestrator.StartAsync();
        var client = orchestrator.Services.GetRequiredService<DaprWorkflowClient>();

        var began = Stopwatch.GetTimestamp();
        await client.ScheduleNewWorkflowAsync(WorkflowNames.Pipeline, "tiny", new RunRequest(new("p"), WindowId.Parse("2026-01-01")));
        var state = await client.WaitForWorkflowCompletionAsync("tiny");
        if (state.RuntimeStatus != WorkflowRuntimeStatus.Completed) throw new InvalidOperationException($"The run of {Tiny} tasks is {state.RuntimeStatus}: {state.FailureDetails}");
        var tiny = Stopwatch.GetElapsedTime(began);

        began = Stopwatch.GetTimestamp();
        await client.ScheduleNewWorkflowAsync(WorkflowNames.Pipeline, "wide", new RunRequest(new("p"), WindowId.Parse("2026-01-02")));
        while (await events.ReadAsync(end.Token) is not StepStarted { Run.Value: "wide" })
        {
        }
        var wide = Stopwatch.GetElapsedTime(began);

        await end.CancelAsync();
        await orchestrator.StopAsync();
        await sidecar.StopAsync(new CancellationToken(canceled: true));
        return
        [
            new($"a run of {Tiny} tiny tasks, a process each, and their fan-in", "tasks", (Tiny + 1) / tiny.TotalSeconds, "tasks/s"),
            new($"a step of {Wide} tasks", "from the run's start to every task written", wide.TotalSeconds, "s"),
        ];
    }

    /// <summary>A sealed window of telemetry, one record in each segment.</summary>
    internal static async Task SealAsync(IObjectStore store, string window, int segments)
    {
        var refs = new List<ObjectRef>();
        for (var n = 0; n < segments; n++)
        {
            var content = System.Text.Encoding.UTF8.GetBytes($$"""{"sensor_id":{{n}},"kind":"Humidity","value":1.5,"seq":{{n}},"timestamp":1767225600000}""" + "\n");
            var key = LakeLayout.Segment(new("telemetry"), WindowId.Parse(window), $"s-{n:D6}");
            await store.PutAsync(key, content, default);
            refs.Add(new(key, content.Length, 1, ""));
        }
        var manifest = new WindowManifest
        {
            Stream = new("telemetry"),
            Window = WindowId.Parse(window),
            Revision = 1,
            SealedAt = DateTimeOffset.UnixEpoch,
            Reason = "watermark",
            Schema = "telemetry",
            Segments = refs,
            Columns = Segments.Columns,
        };
        await store.PutJsonAsync(LakeLayout.WindowManifest(manifest.Stream, manifest.Window, 1), manifest, ContractsJson.Default.WindowManifest, default);
    }
}
