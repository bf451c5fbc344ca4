using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Audits;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe audit --stream S`</summary>
static class AuditCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var stream = new Option<string>("--stream") { Description = "The stream's name", HelpName = "S", Required = true };
        var read = new Option<bool>("--read") { Description = "Read every segment and every file of a table, and compare contents, not only sizes" };
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "audit", "Prove where every byte and every record of a stream went, from sockets to rows of tables. Exit code 1 when a sum breaks; the first place is named.",
            "leanpipe audit --stream telemetry", "leanpipe audit --stream telemetry --read -o json") { stream, read, format };
        return command.Does(globals, async (call, stop) =>
        {
            var audit = await Audit.ReadAsync(ObjectStores.OpenExisting(call.Lake), RunArguments.Parse<StreamName>(call.Get(stream)!), stop, call.Get(read));
            if (audit.Gateways == 0) throw new LeanPipeException("cli.no_ledger", $"The lake holds no ledger of a stream '{audit.Stream}'. Nothing was received yet, or the name is another.");
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(audit, CliJson.Readable.Audit));
            else AuditPrinter.Write(call.Out, audit);
            return audit.Balances ? ExitCode.Done : ExitCode.Failed;
        });
    }
}
