using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Runs;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe runs`</summary>
static class RunsCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var format = GlobalOptions.Format();
        var limit = new Option<int>("--limit") { Description = "At most so many, the newest first", HelpName = "N", DefaultValueFactory = _ => 50 };
        limit.Between(1, int.MaxValue, "1 or more");
        var command = new LeanCommand("runs", "List the runs of the lake, the newest first.", "leanpipe runs", "leanpipe runs -o json | jq '.[] | select(.state == \"failed\")'") { limit, format };
        return command.Does(globals, async (call, stop) =>
        {
            var runs = await RunDetails.ListAsync(ObjectStores.OpenExisting(call.Lake), call.Get(limit), stop);
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(runs, CliJson.Readable.IReadOnlyListRunLine));
            else if (runs.Count == 0) await call.Out.WriteLineAsync("No runs yet.");
            else RunPrinter.WriteLines(call.Out, runs);
            return ExitCode.Done;
        });
    }
}
