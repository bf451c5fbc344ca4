using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe run PIPELINE --window W`</summary>
static class RunCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var (pipeline, window, revision, param) = (RunArguments.Pipeline(), RunArguments.Window(), RunArguments.Revision(), RunArguments.Param());
        var id = new Option<string?>("--id") { Description = "The run's id (default: made from pipeline, window, revision and parameters, with a number behind it when such a run is done already)", HelpName = "RUN" };
        var (wait, sidecar) = (RunArguments.Wait(), RunArguments.Sidecar());
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "run", "Start a pipeline over one window, through the Dapr HTTP API.",
            "leanpipe run telemetry-hourly --window 2026-01-01T10 --wait", "leanpipe run telemetry-hourly --window 2026-01-01T10 --param kind=Humidity",
            "curl -X POST 'localhost:3500/v1.0/workflows/dapr/pipeline/start?instanceID=my-run' -d '{\"pipeline\":\"telemetry-hourly\",\"window\":\"2026-01-01T10\"}'")
        { pipeline, window, revision, param, id, wait, sidecar, format };
        return command.Does(globals, async (call, stop) =>
        {
            var parameters = RunArguments.Params(call.Get(param)!);
            var request = new RunRequest(
                RunArguments.Parse<PipelineName>(call.Get(pipeline)!), RunArguments.Parse<WindowId>(call.Get(window)!), call.Get(revision), parameters.Count == 0 ? null : parameters);
            using var http = new HttpClient();
            var api = new WorkflowApi(http, call.Get(sidecar) ?? call.Home.RequireRunning().Sidecar);
            var store = ObjectStores.OpenExisting(call.Lake);
            (var run, request) = call.Get(id) is { } chosen ? (RunArguments.Parse<RunId>(chosen), request) : await NamedAsync(request, parameters, store, call, call.Get(sidecar) is not null, stop);
            await api.StartAsync(run, request, stop);
            if (!call.Get(wait))
            {
                await call.Out.WriteLineAsync(call.WantsJson(format) ? $"{{\"run\": \"{run}\"}}" : $"Started {run}; 'leanpipe status {run}' shows it.");
                return ExitCode.Done;
            }
            var state = await RunWait.ForAsync(api, run, stop);
            return await RunWait.ReportAsync(call, call.WantsJson(format), store, run, state, stop);
        });
    }

    /// <summary>The id that a trigger would give the same run, unless that is another one by now; other parameters make another run.</summary>
    /// <param name="elsewhere">The orchestrator may have documents that this home lacks; then it plans alone.</param>
    /// <exception cref="LeanPipeException"><c>plan.invalid</c>, <c>plan.unknown_pipeline</c></exception>
    static async Task<(RunId Run, RunRequest Request)> NamedAsync(
        RunRequest request, SortedDictionary<string, string> parameters, IObjectStore store, Invocation call, bool elsewhere, CancellationToken stop)
    {
        var text = string.Join('\n', parameters.Select(p => $"{p.Key}={p.Value}"));
        var tail = parameters.Count == 0 ? "" : $"-p{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..8]}";
        PlannedRun planned;
        try
        {
            planned = await PlanPreview.OutlineAsync(store, call.Home.Config, request, stop);
        }
        catch (LeanPipeException e) when (elsewhere && e.Code == "plan.unknown_pipeline")
        {
            return (RunId.For(request.Pipeline, request.Window, request.Revision ?? 1).WithTail(tail), request);
        }
        if (planned.Digest is not { } digest) throw new LeanPipeException("plan.invalid", string.Join(' ', planned.Errors));
        request = request with { Revision = planned.Revision };
        return (await RunChoice.OfAsync(store, RunId.For(request.Pipeline, request.Window, planned.Revision).WithTail(tail), request, digest, stop), request);
    }
}
