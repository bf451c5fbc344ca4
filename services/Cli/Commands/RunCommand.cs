using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe run PIPELINE --window W`</summary>
static class RunCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var (pipeline, window, revision, param) = (RunArguments.Pipeline(), RunArguments.Window(), RunArguments.Revision(), RunArguments.Param());
        var id = new Option<string?>("--id") { Description = "The run's id (default: made from pipeline, window, revision and parameters)", HelpName = "RUN" };
        var (wait, sidecar) = (RunArguments.Wait(), RunArguments.Sidecar());
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "run", "Start a pipeline over one window, through the Dapr HTTP API.",
            "leanpipe run telemetry-hourly --window 2026-01-01T10 --wait", "leanpipe run telemetry-hourly --window 2026-01-01T10 --param kind=Humidity",
            "curl -X POST 'localhost:3500/v1.0/workflows/dapr/pipeline/start?instanceID=my-run' -d '{\"pipeline\":\"telemetry-hourly\",\"window\":\"2026-01-01T10\"}'")
        { pipeline, window, revision, param, id, wait, sidecar, format };
        return command.Does(globals, async (call, stop) =>
        {
            var name = RunArguments.Parse<PipelineName>(call.Get(pipeline)!);
            var parameters = RunArguments.Params(call.Get(param)!);
            var request = new RunRequest(name, RunArguments.Parse<WindowId>(call.Get(window)!), call.Get(revision), parameters.Count == 0 ? null : parameters);
            var store = ObjectStores.Open(call.Lake);
            var run = call.Get(id) is { } chosen ? RunArguments.Parse<RunId>(chosen) : await DefaultIdAsync(request, parameters, store, call, stop);
            using var http = new HttpClient();
            var api = new WorkflowApi(http, call.Get(sidecar) ?? call.Home.RequireRunning().Sidecar);
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

    /// <summary>The id that a trigger would give the same run; other parameters make another run.</summary>
    static async Task<RunId> DefaultIdAsync(RunRequest request, SortedDictionary<string, string> parameters, IObjectStore store, Invocation call, CancellationToken stop)
    {
        var run = RunId.For(request.Pipeline, request.Window, request.Revision ?? await NewestRevisionAsync(request, store, call, stop));
        if (parameters.Count == 0) return run;
        var text = string.Join('\n', parameters.Select(p => $"{p.Key}={p.Value}"));
        return run.WithTail($"-p{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..8]}");
    }

    static async Task<int> NewestRevisionAsync(RunRequest request, IObjectStore store, Invocation call, CancellationToken stop)
    {
        var pipeline = ConfigFolder.Load(call.Home.Config).Value?.Pipelines.FirstOrDefault(p => p.Definition.Name == request.Pipeline)?.Definition;
        if (pipeline?.LeadingStream is not { } stream) return 1;
        var revision = 1;
        await foreach (var item in store.ListAsync(LakeLayout.WindowRevisions(stream, request.Window), stop))
            if (int.TryParse(Path.GetFileNameWithoutExtension(item.Key), out var found)) revision = found;
        return revision;
    }
}
