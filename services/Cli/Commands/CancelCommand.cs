using System.CommandLine;
using System.Net;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe cancel RUN`</summary>
static class CancelCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var run = RunArguments.Run();
        var orchestrator = GlobalOptions.Url("--orchestrator", "URL of the orchestrator (default: the one that runs in HOME)");
        var command = new LeanCommand(
            "cancel", "End a run: its tasks are stopped, nothing more is published. What it has committed stays, and 'leanpipe retry' goes on from there.",
            "leanpipe cancel telemetry-hourly-2026-01-01T10-r1") { run, orchestrator };
        return command.Does(globals, async (call, stop) =>
        {
            var id = RunArguments.Parse<RunId>(call.Get(run)!);
            var address = call.Get(orchestrator) ?? new Uri($"http://127.0.0.1:{call.Home.RequireRunning().Orchestrator}");
            using var http = new HttpClient();
            using var answer = await PostAsync(http, address, id, stop);
            if (answer.StatusCode == HttpStatusCode.Conflict) throw new LeanPipeException("run.not_running", $"No run '{id}' is under way. 'leanpipe runs' lists them.");
            if (!answer.IsSuccessStatusCode) throw new LeanPipeException("cli.orchestrator_refused", $"The orchestrator answered {(int)answer.StatusCode}: {(await answer.Content.ReadAsStringAsync(stop)).Trim()}");
            await call.Out.WriteLineAsync($"Cancelling {id}; 'leanpipe status {id}' shows when it has ended.");
            return ExitCode.Done;
        });
    }

    static async Task<HttpResponseMessage> PostAsync(HttpClient http, Uri orchestrator, RunId run, CancellationToken stop)
    {
        try
        {
            return await http.PostAsync(new Uri(orchestrator, $"/api/runs/{run}/cancel"), null, stop);
        }
        catch (HttpRequestException e)
        {
            throw new LeanPipeException("cli.orchestrator_unreachable", $"The orchestrator at {orchestrator} does not answer: {e.Message}", isTransient: true, e);
        }
    }
}
