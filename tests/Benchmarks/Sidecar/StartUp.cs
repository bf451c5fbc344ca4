using System.Diagnostics;
using System.Globalization;
using Dapr.Workflow;
using LeanPipe.Sidecar;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Benchmarks.Sidecar;

/// <summary>A sidecar process that finds ten thousand instances on its disk, waiting for an event or finished: until it is ready, and what it then holds.</summary>
static class StartUp
{
    public const string Child = "start-sidecar";

    const int Instances = 10_000;
    const int Lanes = 32;

    public static async Task<IReadOnlyList<Result>> MeasureAsync(int runs) =>
        [.. await MeasureAsync(runs, "waiting"), .. await MeasureAsync(runs, "finished")];

    static async Task<IReadOnlyList<Result>> MeasureAsync(int runs, string kind)
    {
        var state = Directory.CreateTempSubdirectory("leanpipe-benchmark-");
        var prepared = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var starting = Stopwatch.StartNew();
        await using (var lab = await Lab.StartAsync(state.FullName, options =>
        {
            options.RegisterActivity<string, string>("prepare", (_, s) =>
            {
                if (Interlocked.Increment(ref prepared) == Instances)
                    all.SetResult();
                return Task.FromResult(s);
            });
            options.RegisterWorkflow<string, string>("finished", (context, input) => context.CallActivityAsync<string>("prepare", input));
            options.RegisterWorkflow<string, string>("waiting", async (context, input) =>
                await context.CallActivityAsync<string>("prepare", input) + await context.WaitForExternalEventAsync<string>("go"));
        }))
        {
            await Task.WhenAll(Enumerable.Range(0, Lanes).Select(async lane =>
            {
                for (var i = lane; i < Instances; i += Lanes)
                    await lab.Client.ScheduleNewWorkflowAsync(kind, $"w{i}", $"s3://bucket/dataset/part-{i:D6}.parquet");
            }));
            await all.Task;
            if (kind == "finished")
            {
                for (var i = 0; i < Instances; i++)
                    await lab.Client.WaitForWorkflowCompletionAsync($"w{i}", getInputsAndOutputs: false);
            }
        }

        var (startedPerSecond, seconds, megabytes) = (Instances / starting.Elapsed.TotalSeconds, double.MaxValue, double.MaxValue);
        for (var run = 0; run < runs; run++)
        {
            var measured = await StartChildAsync(state.FullName);
            (seconds, megabytes) = (Math.Min(seconds, measured.Seconds), Math.Min(megabytes, measured.Megabytes));
        }

        state.Delete(recursive: true);
        var name = $"10 000 {kind} instances";
        return [
            new Result(name, "from the process's start to ready", seconds, "s"),
            new Result(name, "resident memory when ready", megabytes, "MB"),
            new Result(name, "started, with one activity each, beforehand (one run)", startedPerSecond, "instances/s"),
        ];
    }

    public static async Task RunChildAsync(string state)
    {
        await using var app = await Lab.StartSidecarAsync(state);
        _ = app.Services.GetRequiredService<SidecarEndpoints>().GrpcPort;
        using var self = Process.GetCurrentProcess();
        var seconds = (DateTime.Now - self.StartTime).TotalSeconds;
        Console.WriteLine(FormattableString.Invariant($"{seconds} {self.WorkingSet64 / 1e6}"));
        await app.StopAsync();
    }

    static async Task<(double Seconds, double Megabytes)> StartChildAsync(string state)
    {
        using var child = Process.Start(new ProcessStartInfo("dotnet", [typeof(StartUp).Assembly.Location, Child, state]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var said = (await child.StandardOutput.ReadToEndAsync()).Split(' ');
        await child.WaitForExitAsync();
        return (double.Parse(said[0], CultureInfo.InvariantCulture), double.Parse(said[1], CultureInfo.InvariantCulture));
    }
}
