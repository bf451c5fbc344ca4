using System.CommandLine;
using System.Net;
using LeanPipe.Cli.Demo;
using LeanPipe.Cli.Homes;
using LeanPipe.Cli.Local;
using LeanPipe.Cli.Output;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe demo`</summary>
static class DemoCommand
{
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    public static LeanCommand Create(GlobalOptions globals)
    {
        var ports = new PortOptions();
        var records = new Option<long>("--records") { Description = "How many records to send", HelpName = "N", DefaultValueFactory = _ => 200_000 };
        records.Between(100, 1_000_000_000, "100 to 1000000000");
        var seed = new Option<ulong>("--seed") { Description = "Another seed sends other records", HelpName = "N", DefaultValueFactory = _ => 1 };
        seed.Between(0UL, ulong.MaxValue, "a whole number, 0 or more");
        var command = new LeanCommand(
            "demo", "See it all work: send telemetry over TCP, seal its windows, run the pipeline, and compare the table with what was sent.",
            "leanpipe demo", "leanpipe demo --records 1000000 --home /tmp/demo") { records, seed, ports.Stream, ports.DaprHttp, ports.DaprGrpc, ports.Orchestrator };
        return command.Does(globals, async (call, stop) =>
        {
            var home = call.Home;
            using var locked = home.Lock();
            var state = await DemoHome.BeginAsync(home, call.Lake, new(call.Get(records), call.Get(seed), call.LakeRoot, new long[TelemetryOptions.Connections], call.Get(ports.Stream)), call.Out, stop);
            var logFile = home.In("state", "demo.log");
            await using var log = new StreamWriter(logFile) { AutoFlush = true };
            await using var process = await LocalProcess.StartAsync(
                new()
                {
                    Home = home,
                    Lake = call.Lake,
                    Configuration = ConfigFolder.Load(home.Config).Require(),
                    Log = TextWriter.Synchronized(log),
                    Verbose = true,
                    DaprHttpPort = FreePort(call, ports.DaprHttp),
                    DaprGrpcPort = FreePort(call, ports.DaprGrpc),
                    Port = FreePort(call, ports.Orchestrator),
                }, stop);
            await call.Out.WriteLineAsync($"Gateway, sidecar and orchestrator run; their log is {logFile}, the lake is {call.Lake.Root}.");
            try
            {
                return await ShowAsync(call, home, process, state, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                await call.Out.WriteLineAsync("\nStopping. 'leanpipe up' goes on with this demo, 'leanpipe demo' starts afresh.");
                throw;
            }
        });
    }

    static async Task<int> ShowAsync(Invocation call, HomeFolder home, LocalProcess process, DemoState state, CancellationToken stop)
    {
        var started = TimeProvider.System.GetTimestamp();
        var store = ObjectStores.Open(call.Lake);
        var configuration = ConfigFolder.Load(home.Config).Require();
        var progress = new Progress(call.Out, ReferenceEquals(call.Out, Console.Out) && !Console.IsOutputRedirected, TimeProvider.System);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var narrator = new RunNarrator();
        var narrating = NarrateAsync(process, narrator, progress, ended.Token);
        var sender = new DemoSender(home, state, IPEndPoint.Parse(process.Endpoints.Streams["telemetry"]), TimeProvider.System);
        await call.Out.WriteLineAsync($"Sending {state.Records:N0} records of {TelemetryOptions.Sensors} sensors over {TelemetryOptions.Connections} TCP connections: three hours, about 1 % bad, some late.");
        var sending = sender.RunAsync(stop);

        Settlement settlement;
        using var timer = new PeriodicTimer(LookEvery);
        do
        {
            if (sending.IsFaulted) await sending;
            process.ThrowIfEnded();
            settlement = await Settlement.ReadAsync(store, configuration, process.LedgerOf, stop);
            progress.Show(Line(sender, sending, state, settlement, narrator, TimeProvider.System.GetElapsedTime(started)));
            if (sending.IsCompletedSuccessfully && settlement.IsSettled) break;
        }
        while (await timer.WaitForNextTickAsync(stop));
        await sending;

        progress.Clear();
        await ended.CancelAsync();
        await narrating;
        // Drained, so that the lake's ledger is the last word.
        await process.DisposeAsync();
        await call.Out.WriteLineAsync($"Sent, sealed and run in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s.\n");
        foreach (var run in settlement.Failed) await call.Out.WriteLineAsync($"The run {run} failed; 'leanpipe status {run}' says why.");
        var faults = await DemoReport.WriteAsync(call.Out, home, store, state, stop);
        if (faults.Count > 0) throw new LeanPipeException("cli.demo_failed", $"The demo failed: {string.Join("; ", faults)}. The log is {home.In("state", "demo.log")}.");
        return settlement.Failed.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    static string Line(DemoSender sender, Task sending, DemoState state, Settlement settlement, RunNarrator narrator, TimeSpan elapsed)
    {
        var sent = sending.IsCompleted ? "all sent" : $"{100.0 * sender.Acked / state.Records,3:0} % acknowledged, {sender.Acked:N0} records, {sender.Acked / elapsed.TotalSeconds:N0}/s";
        var active = narrator.Active;
        return $"{sent}; windows: {settlement.SealedWindows} sealed, {settlement.OpenWindows.Count} open{(active.Length > 0 ? $"; {active}" : "")}";
    }

    static async Task NarrateAsync(LocalProcess process, RunNarrator narrator, Progress progress, CancellationToken until)
    {
        await foreach (var happened in process.Runs.Subscribe(until).ReadAllAsync(CancellationToken.None))
            if (narrator.Tell(happened) is { } line) progress.Print(line);
    }

    /// <summary>A demo should not fail for a port that nobody asked for.</summary>
    static int FreePort(Invocation call, Option<int> option) =>
        call.Has(option) || Ports.IsFree(new(IPAddress.Loopback, call.Get(option))) ? call.Get(option) : 0;
}
