using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe status RUN`</summary>
static class StatusCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var run = RunArguments.Run();
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "status", "Show one run: its steps, tasks, rows and seconds. Exit code 1 when the run failed.",
            "leanpipe status telemetry-hourly-2026-01-01T10-r1", "leanpipe status my-run -o json") { run, format };
        return command.Does(globals, async (call, stop) =>
        {
            var id = RunArguments.Parse<RunId>(call.Get(run)!);
            var detail = await RunDetails.FindAsync(ObjectStores.OpenExisting(call.Lake), id, stop)
                ?? throw new LeanPipeException("cli.unknown_run", $"The lake holds no run '{id}'. 'leanpipe runs' lists them.");
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(detail, CliJson.Readable.RunDetail));
            else RunPrinter.WriteDetail(call.Out, detail);
            return detail.Run.State == RunState.Failed ? ExitCode.Failed : ExitCode.Done;
        });
    }
}
