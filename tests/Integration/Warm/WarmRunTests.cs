using System.Diagnostics;
using LeanPipe.DaprWire;
using LeanPipe.Integration.Orchestrator;
using LeanPipe.Integration.Sidecar;

namespace LeanPipe.Integration.Warm;

/// <summary>The orchestrator's own program, and two step runners that are kept running.</summary>
public sealed class WarmRunTests
{
    [Fact]
    public async Task With_one_of_two_warm_step_runners_killed_mid_run_the_table_is_the_same()
    {
        await using var lab = await OrchestratorLab.StartSidecarAsync(PipelineRunTests.Yaml, PipelineRunTests.Files);
        await lab.SealAsync("2026-01-01T10", 1, PipelineRunTests.Segments);
        using var hub = new TaskHubClient(lab.GrpcPort);
        var folder = Directory.CreateTempSubdirectory("leanpipe-warm-");
        try
        {
            using var first = await WarmRunner.StartAsync(lab.Lake, folder.CreateSubdirectory("first"));
            using var second = await WarmRunner.StartAsync(lab.Lake, folder.CreateSubdirectory("second"));
            using var orchestrator = Integration.Orchestrator.KillTests.Start(
                lab, "LeanPipe.Orchestrator.dll", lab.GrpcPort, $"--LEANPIPE_WARM_AT={first.Address},{second.Address}", $"--LEANPIPE_WARM_TOKEN={WarmRunner.Token}");
            (await lab.StartAsync("r1", new { pipeline = "p", window = "2026-01-01T10" })).EnsureSuccessStatusCode();
            var ended = hub.WaitAsync("r1");
            await TakenAsync(orchestrator, first.Address);
            first.Kill();
            await TakenAsync(orchestrator, second.Address);
            _ = orchestrator.StandardOutput.ReadToEndAsync();
            await ended;
            (await hub.GetAsync("r1")).WorkflowState.WorkflowStatus.ShouldBe(OrchestrationStatus.Completed);
            (await lab.RowsAsync("totals", "SELECT name, total, n")).ShouldBe(PipelineRunTests.Totals);
            orchestrator.Kill();
            await orchestrator.WaitForExitAsync();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static async Task TakenAsync(Process orchestrator, string address)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await orchestrator.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            if (line.Contains($"taken by the warm step runner at {address}", StringComparison.Ordinal)) return;
        throw new InvalidOperationException("the orchestrator ended without giving it a task");
    }
}
