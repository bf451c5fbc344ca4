using System.CommandLine;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe retry RUN`</summary>
static class RetryCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var (run, wait, sidecar) = (RunArguments.Run(), RunArguments.Wait(), RunArguments.Sidecar());
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "retry", "Start a run that failed or was cancelled again, under its id and with its plan: only tasks that are not committed run.",
            "leanpipe retry telemetry-hourly-2026-01-01T10-r1 --wait") { run, wait, sidecar, format };
        return command.Does(globals, async (call, stop) =>
        {
            var id = RunArguments.Parse<RunId>(call.Get(run)!);
            var store = ObjectStores.OpenExisting(call.Lake);
            var request = await RequestAsync(store, id, stop);
            using var http = new HttpClient();
            var api = new WorkflowApi(http, call.Get(sidecar) ?? call.Home.RequireRunning().Sidecar);
            await api.StartAsync(id, request, stop);
            if (call.Get(wait)) return await RunWait.ReportAsync(call, call.WantsJson(format), store, id, await RunWait.ForAsync(api, id, stop), stop);
            await call.Out.WriteLineAsync(call.WantsJson(format) ? $"{{\"run\": \"{id}\"}}" : $"Started {id} again; 'leanpipe status {id}' shows it.");
            return ExitCode.Done;
        });
    }

    static async Task<RunRequest> RequestAsync(IObjectStore store, RunId run, CancellationToken stop)
    {
        if (await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, stop) is { } plan) return plan.Request;
        var record = await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, stop);
        return record?.Request ?? throw new LeanPipeException("cli.unknown_run", $"The lake holds no run '{run}' that could be asked for again. 'leanpipe runs' lists them.");
    }
}
