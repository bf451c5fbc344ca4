using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Audits;
using LeanPipe.Cli.Output;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe audit --stream S`</summary>
static class AuditCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var stream = new Option<string>("--stream") { Description = "The stream's name", HelpName = "S", Required = true };
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "audit", "Prove where every byte and every record of a stream went: the ledger, and the lake against it. Exit code 1 when something is lost or doubled.",
            "leanpipe audit --stream telemetry", "leanpipe audit --stream telemetry -o json") { stream, format };
        return command.Does(globals, async (call, stop) =>
        {
            var audit = await Audit.ReadAsync(ObjectStores.Open(call.Lake), StreamName.Parse(call.Get(stream)!), stop);
            if (audit.Gateways == 0) throw new LeanPipeException("cli.no_ledger", $"The lake holds no ledger of a stream '{audit.Stream}'. Nothing was received yet, or the name is another.");
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(audit, CliJson.Readable.Audit));
            else AuditPrinter.Write(call.Out, audit);
            return audit.Balances ? ExitCode.Done : ExitCode.Failed;
        });
    }
}
