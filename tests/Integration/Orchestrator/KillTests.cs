using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using LeanPipe.DaprWire;
using LeanPipe.Integration.Sidecar;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>kill -9 of the orchestrator's own program while its tasks run.</summary>
public sealed partial class KillTests
{
    [Fact]
    public async Task Killed_again_and_again_the_run_ends_with_the_same_table_and_no_step_runner_outlives_its_parent()
    {
        await using var lab = await OrchestratorLab.StartSidecarAsync(PipelineRunTests.Yaml, PipelineRunTests.Files);
        // Ten launches before the last kill: with as many more to come the run is not over by then, however late this process hears of them.
        await lab.SealAsync("2026-01-01T10", 1, [.. PipelineRunTests.Segments, .. Enumerable.Repeat<(string, double)[]>([("a", 0)], 24)]);
        using var hub = new TaskHubClient(lab.GrpcPort);
        var ended = Task.CompletedTask;
        for (var life = 1; life <= 4; life++)
        {
            using var orchestrator = Start(lab);
            if (life == 1)
            {
                (await lab.StartAsync("r1", new { pipeline = "p", window = "2026-01-01T10" })).EnsureSuccessStatusCode();
                ended = hub.WaitAsync("r1");
            }
            var child = 0;
            for (var launched = 0; launched < life; launched++) child = await LaunchedAsync(orchestrator);
            orchestrator.Kill();
            await orchestrator.WaitForExitAsync();
            await GoneAsync(child);
        }
        ended.IsCompleted.ShouldBeFalse("the run ended before the last kill: the test does not test what it says");

        using var last = Start(lab);
        _ = last.StandardOutput.ReadToEndAsync();
        await ended;
        (await hub.GetAsync("r1")).WorkflowState.WorkflowStatus.ShouldBe(OrchestrationStatus.Completed);
        (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(["Anna 4 26", "Bert 7 2", "Cleo 4 1"]);
        last.Kill();
        await last.WaitForExitAsync();
    }

    static Process Start(OrchestratorLab lab) => Start(lab, "LeanPipe.Orchestrator.dll", lab.GrpcPort);

    /// <summary>A service's own program over the lab's folders.</summary>
    internal static Process Start(OrchestratorLab lab, string program, int grpcPort, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, program), .. arguments]) { UseShellExecute = false, RedirectStandardOutput = true };
        foreach (var (name, value) in lab.Lake.ToEnvironment()) start.Environment[name] = value;
        start.Environment["LEANPIPE_CONFIG"] = lab.Config;
        start.Environment["DAPR_GRPC_ENDPOINT"] = $"http://127.0.0.1:{grpcPort}";
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["Logging__LogLevel__LeanPipe.Orchestrator"] = "Debug";
        return Process.Start(start)!;
    }

    /// <summary>The process id of the next step runner.</summary>
    static async Task<int> LaunchedAsync(Process orchestrator)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await orchestrator.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            if (Launched().Match(line) is { Success: true } match) return int.Parse(match.Groups["pid"].Value, CultureInfo.InvariantCulture);
        throw new InvalidOperationException("the orchestrator ended without launching a task");
    }

    static async Task GoneAsync(int process)
    {
        Process child;
        try
        {
            child = Process.GetProcessById(process);
        }
        catch (ArgumentException)
        {
            return;
        }
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await child.WaitForExitAsync(limit.Token);
    }

    [GeneratedRegex("Attempt r1/.*: process (?<pid>[0-9]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Launched();
}
