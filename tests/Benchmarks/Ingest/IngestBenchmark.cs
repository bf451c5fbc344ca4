using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>The gateway and its peers, one after another, over the same lines that were made before.</summary>
/// <remarks>
/// A case: the server is started, takes two million lines to warm up (or all lines, if they are fewer), so that what a runtime compiles in its first second is not in it, and is then measured from the first byte to where the case wants the last record. CPU time is that of the server's
/// process and its children, user and system; the sender is another process. The rate ends when the records are durable (ours) or in the file (peers), without the wait for a window to be sealed.
/// </remarks>
sealed class IngestBenchmark(IngestOptions options)
{
    const int WarmUpLines = 2_000_000;
    const int PacedConnections = 8;
    const int PacedBlockLines = 125;
    static readonly TimeSpan PacedEvery = TimeSpan.FromMilliseconds(10);
    static readonly TimeSpan PacedFor = TimeSpan.FromSeconds(5);

    readonly byte[] _lines = TelemetryLines.Make(options.Lines);

    public async Task<IReadOnlyList<Result>> RunAsync()
    {
        await using var sidecar = await StartSidecarAsync();
        var port = sidecar.Address().Port;
        var results = new List<Result>();
        var builds = await GatewayBuild.AllAsync(options);
        foreach (var connections in options.Connections)
        {
            await AddOursAsync("log", connections, acked: false, program => new GatewayServer(program, Destination.Log, acked: false, port));
            await AddOursAsync("log, acks", connections, acked: true, program => new GatewayServer(program, Destination.Log, acked: true, port));
            await AddOursAsync("log, folder lake", connections, acked: false, program => new GatewayServer(program, Destination.FolderLake, acked: false, port));
            if (S3Lake.IsThere) await AddOursAsync("log, S3 lake", connections, acked: false, program => new GatewayServer(program, Destination.S3Lake, acked: false, port));
            else Absent("LeanPipe: log, S3 lake", "LEANPIPE_TEST_S3 names no S3 endpoint");
        }
        foreach (var (label, program) in builds) await AddPacedAsync($"LeanPipe{label}: log, acks, {PacedRate:N0} lines/s", () => new GatewayServer(program, Destination.Log, acked: true, port));
        foreach (var (name, start, share) in Peers.All())
        {
            if (start is null) Absent(name, "not on this machine; tests/Benchmarks/Ingest/peers.sh unpacks it");
            else
                foreach (var connections in options.Connections) await AddAsync(name, connections, acked: false, start, share);
        }
        return results;

        // The builds take turns run by run: a machine's speed drifts by more than what one change of the code brings.
        async Task AddOursAsync(string name, int connections, bool acked, Func<string, Server> start)
        {
            for (var run = 0; run < options.Runs; run++)
                foreach (var (label, program) in builds) await AddOnceAsync($"LeanPipe{label}: {name}", connections, acked, () => start(program));
        }

        async Task AddAsync(string name, int connections, bool acked, Func<Server> start, double share = 1)
        {
            for (var run = 0; run < options.Runs; run++) await AddOnceAsync(name, connections, acked, start, share);
        }

        async Task AddOnceAsync(string name, int connections, bool acked, Func<Server> start, double share = 1)
        {
            var cases = $"{name}; {connections} connection{(connections == 1 ? "" : "s")}";
            if (options.Wants(cases)) Add(await MeasureAsync(cases, start, new(0, connections, acked), (int)(options.Lines * share)));
        }

        async Task AddPacedAsync(string name, Func<Server> start)
        {
            if (!options.Wants(name)) return;
            var lines = Math.Min(options.Lines, (int)(PacedRate * PacedFor.TotalSeconds));
            for (var run = 0; run < options.Runs; run++)
                Add(await MeasureAsync($"{name}; {PacedConnections} connections", start, new(0, PacedConnections, Acked: true, PacedBlockLines, PacedEvery), lines));
        }

        void Add(IReadOnlyList<Result> measured)
        {
            foreach (var result in measured)
            {
                Console.WriteLine(FormattableString.Invariant($"{result.Case}: {result.Metric} {result.Value:0.###} {result.Unit}"));
                var before = results.FindIndex(r => r.Case == result.Case && r.Metric == result.Metric);
                if (before < 0) results.Add(result);
                else if (result.Metric == Metrics.Rate ? result.Value > results[before].Value : result.Value < results[before].Value) results[before] = result;
            }
        }

        void Absent(string name, string why)
        {
            if (options.Wants(name)) Console.WriteLine($"{name}: absent, {why}");
        }
    }

    static double PacedRate => PacedConnections * PacedBlockLines / PacedEvery.TotalSeconds;

    async Task<IReadOnlyList<Result>> MeasureAsync(string name, Func<Server> start, Sender sender, int lines)
    {
        await using var server = start();
        await server.StartAsync();
        sender = sender with { Port = server.Port };
        var warm = Math.Min(lines, WarmUpLines);
        await (sender with { Every = default, BlockLines = 1024 }).SendAsync(_lines.AsMemory(0, warm * TelemetryLines.LineBytes));
        await server.ReceivedAsync(warm);

        var cpu = ProcessTree.CpuSeconds(server.ProcessId);
        var clock = Stopwatch.StartNew();
        var acks = await sender.SendAsync(_lines.AsMemory(0, lines * TelemetryLines.LineBytes));
        await server.ReceivedAsync(warm + lines);
        var elapsed = clock.Elapsed.TotalSeconds;
        await server.DoneAsync(warm + lines);
        cpu = ProcessTree.CpuSeconds(server.ProcessId) - cpu;

        var results = new List<Result> { new(name, Metrics.Lines, lines, "lines"), new(name, Metrics.Cpu, cpu * 1e6 / lines, "CPU-s/million"), new(name, Metrics.Memory, ProcessTree.PeakMegabytes(server.ProcessId), "MB") };
        if (sender.Every == default) results.Add(new(name, Metrics.Rate, lines / elapsed, "records/s"));
        if (acks is not null) results.AddRange([new(name, Metrics.AckP50, acks.P50Milliseconds, "ms"), new(name, Metrics.AckP99, acks.P99Milliseconds, "ms")]);
        return results;
    }

    /// <summary>Takes every event, so that no case pays for the repetition of one.</summary>
    static async Task<WebApplication> StartSidecarAsync()
    {
        var app = LoopbackApp.Create();
        app.MapFallback(() => Results.NoContent());
        await app.StartAsync();
        return app;
    }
}

static class Metrics
{
    public const string Lines = "sent";
    public const string Cpu = "CPU";
    public const string Rate = "rate";
    public const string Memory = "peak memory";
    public const string AckP50 = "ack p50";
    public const string AckP99 = "ack p99";
}
