using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Gateway;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe gateway drain` and `leanpipe gateway adopt`</summary>
static class GatewayCommand
{
    public static LeanCommand Create(GlobalOptions globals) =>
        new("gateway", "Take a gateway out of service without losing what its log holds.", "leanpipe gateway drain --gateway http://127.0.0.1:8080", "leanpipe gateway adopt --log /var/lib/leanpipe/gateway-3")
        {
            Drain(globals), Adopt(globals),
        };

    static LeanCommand Drain(GlobalOptions globals)
    {
        var gateway = GlobalOptions.Url("--gateway", "Health address of a gateway on this machine (default: the one that runs in HOME, else http://127.0.0.1:8080)");
        var seal = new Option<bool>("--seal") { Description = "Seal open windows, too: the gateway does not come back. Later records of others make revisions" };
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "drain", "Tell a gateway to take no more connections, to read the open ones to their end and to put everything into the lake. Then it may be stopped.",
            "kubectl port-forward pod/leanpipe-gateway-3 8080 & leanpipe gateway drain --seal") { gateway, seal, format };
        return command.Does(globals, async (call, stop) =>
        {
            // The store may be slow: there is no point in giving up before the operator does.
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            var address = call.Get(gateway) ?? new Uri($"http://127.0.0.1:{(call.Home.FindRunning() is { Gateway: > 0 } running ? running.Gateway : 8080)}");
            using var answer = await http.PostAsync(new Uri(address, $"/v1/drain?seal={(call.Get(seal) ? "true" : "false")}"), null, stop);
            if (!answer.IsSuccessStatusCode) throw new LeanPipeException("cli.drain_refused", $"{address} answered {(int)answer.StatusCode}; a gateway is drained from its own machine only. Is this its health address?");
            var report = JsonSerializer.Deserialize(await answer.Content.ReadAsByteArrayAsync(stop), CliJson.Default.DrainReport)!;
            return await PrintAsync(call, format, report);
        });
    }

    static LeanCommand Adopt(GlobalOptions globals)
    {
        var log = new Option<string>("--log") { Description = "The log's folder", HelpName = "DIR", Required = true };
        var sidecar = GlobalOptions.Url("--sidecar", "URL of a Dapr sidecar for the events of sealed windows (default: the one that runs in HOME)");
        var damage = new Option<bool>("--accept-log-damage") { Description = "Go on without what is lost when the log is damaged" };
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "adopt", "Put the log of a gateway that does not run any more into the lake, and seal its windows. Frames that are not validated yet are, by HOME/config. May be repeated, and the gateway may come back: nothing is doubled.",
            "leanpipe gateway adopt --log /var/lib/leanpipe/gateway-3 --lake s3://bucket/lake") { log, sidecar, damage, format };
        return command.Does(globals, async (call, stop) =>
        {
            using var http = new HttpClient();
            var url = call.Get(sidecar) ?? call.Home.FindRunning()?.Sidecar;
            // Documents that are wrong keep nothing from the lake but frames, and these stay in the log.
            var streams = ConfigFolder.LoadStreams(call.Home.Config).Value?.Select(s => s.Current).ToList() ?? [];
            var options = new GatewayOptions { Streams = streams, Lake = call.Lake, LogDirectory = call.Get(log)!, AcceptLogDamage = call.Get(damage) };
            var report = await GatewayAdoption.RunAsync(options, url is null ? null : (json, c) => PublishAsync(http, url, json, c), NullLogger.Instance, TimeProvider.System, stop);
            return await PrintAsync(call, format, report);
        });
    }

    internal static async Task PublishAsync(HttpClient http, Uri sidecar, ReadOnlyMemory<byte> json, CancellationToken stop)
    {
        using var content = new ReadOnlyMemoryContent(json);
        content.Headers.ContentType = new("application/json");
        using var answer = await http.PostAsync(new Uri(sidecar, $"/v1.0/publish/{EventNames.PubSub}/{EventNames.WindowSealed}"), content, stop);
        answer.EnsureSuccessStatusCode();
    }

    static async Task<int> PrintAsync(Invocation call, Option<string> format, DrainReport report)
    {
        if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(report, CliJson.Readable.DrainReport));
        else
        {
            await call.Out.WriteLineAsync($"{report.Gateway}: streams {string.Join(", ", report.Streams)}; {report.Sealed} windows sealed, {report.Open} left open, {report.Unpublished} events not published.");
            await call.Out.WriteLineAsync(report.BytesLeft > 0 ? $"{report.BytesLeft:N0} bytes of the log are not in the lake." : "Everything the log holds is in the lake.");
        }
        return report.BytesLeft == 0 ? ExitCode.Done : ExitCode.Failed;
    }
}
