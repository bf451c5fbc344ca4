using System.CommandLine;
using System.Net;
using LeanPipe.Cli.Demo;
using LeanPipe.Cli.Local;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe up`</summary>
static class UpCommand
{
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    public static LeanCommand Create(GlobalOptions globals)
    {
        var ports = new PortOptions();
        var untilIdle = new Option<bool>("--until-idle") { Description = "End when every window is sealed and every run has ended; exit code 1 when a run failed" };
        var command = new LeanCommand(
            "up", "Run gateway, sidecar and orchestrator on this machine until Ctrl-C, which drains them; a second Ctrl-C ends at once.",
            "leanpipe up", "leanpipe up --home /var/lib/leanpipe --port 9000", "leanpipe up --until-idle --dapr-http-port 0 --dapr-grpc-port 0 --port 0")
        { ports.DaprHttp, ports.DaprGrpc, ports.Orchestrator, untilIdle };
        return command.Does(globals, async (call, stop) =>
        {
            var home = call.Home;
            using var locked = home.Lock();
            var log = TextWriter.Synchronized(call.Out);
            // A demo that wrote into another lake is not this one's to go on with.
            var demo = DemoState.Read(home) is { } state && state.Lake == call.LakeRoot ? state : null;
            if (demo is { Prepared: false }) demo = await DemoHome.PrepareAsync(home, call.Lake, demo, log, stop);
            if (DemoDocuments.IsEmpty(home))
            {
                DemoDocuments.WriteTo(home);
                await call.Out.WriteLineAsync($"No documents in {home.Config}: wrote the telemetry example there.");
            }
            var configuration = ConfigFolder.Load(home.Config).Require();
            await using var process = await LocalProcess.StartAsync(
                new()
                {
                    Home = home,
                    Lake = call.Lake,
                    Configuration = configuration,
                    Log = log,
                    Verbose = call.Verbose,
                    DaprHttpPort = call.Get(ports.DaprHttp),
                    DaprGrpcPort = call.Get(ports.DaprGrpc),
                    Port = call.Get(ports.Orchestrator),
                }, stop);
            Say(log, $"Ready: {string.Join(", ", process.Endpoints.Streams.Select(s => $"stream {s.Key} on {s.Value}"))}; sidecar http://127.0.0.1:{process.Endpoints.DaprHttp}; orchestrator http://127.0.0.1:{process.Endpoints.Orchestrator}; gateway's health, ledgers and metrics http://127.0.0.1:{process.Endpoints.Gateway}");
            try
            {
                await ResumeDemoAsync(home, demo, process, log, stop);
                if (call.Get(untilIdle)) return await WaitUntilIdleAsync(process, configuration, ObjectStores.Open(call.Lake), log, stop);
                await Task.WhenAny(Task.Delay(Timeout.Infinite, stop), process.Ended);
                stop.ThrowIfCancellationRequested();
                process.ThrowIfEnded();
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                Say(log, "Draining; Ctrl-C again ends at once.");
            }
            return ExitCode.Done;
        });
    }

    static void Say(TextWriter log, string line) => log.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss} {"leanpipe",-12} {line}");

    /// <summary>A demo that was killed while it sent goes on where its acknowledgements ended.</summary>
    static async Task ResumeDemoAsync(Homes.HomeFolder home, DemoState? state, LocalProcess process, TextWriter log, CancellationToken stop)
    {
        if (state is not { Sent: false } || !process.Endpoints.Streams.TryGetValue("telemetry", out var address)) return;
        state = state with { Interrupted = true };
        state.Write(home);
        Say(log, $"A demo was interrupted after {state.Acked.Sum():N0} of {state.Records:N0} records: sending the rest.");
        await new DemoSender(home, state, IPEndPoint.Parse(address), TimeProvider.System).RunAsync(stop);
        Say(log, $"All {state.Records:N0} records of the demo are sent.");
    }

    static async Task<int> WaitUntilIdleAsync(LocalProcess process, Configuration configuration, IObjectStore store, TextWriter log, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(LookEvery);
        while (await timer.WaitForNextTickAsync(stop))
        {
            process.ThrowIfEnded();
            var settlement = await Settlement.ReadAsync(store, configuration, process.LedgerOf, stop);
            if (!settlement.IsSettled) continue;
            foreach (var run in settlement.Failed) Say(log, $"The run {run} failed; 'leanpipe status {run}' says why.");
            return settlement.Failed.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        }
        throw new OperationCanceledException(stop);
    }
}
