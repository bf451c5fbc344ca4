using System.Text.Json;
using LeanPipe.Benchmarks.Pipelines;
using LeanPipe.Lake;

namespace LeanPipe.Benchmarks.Kubernetes;

/// <summary>The edge profile on a real cluster: what it takes when idle, and what tasks cost beyond their SQL as Jobs and in pods that are kept running.</summary>
static class ClusterRuns
{
    const int Chain = 12;
    const int Wide = 50;
    const string OneWindow = "2026-01-01", WideWindow = "2026-01-02";

    static readonly TimeSpan Settle = TimeSpan.FromSeconds(15);

    public static async IAsyncEnumerable<Result> MeasureAsync()
    {
        await using var edge = await Installation.MakeAsync(Values(warm: 0));
        yield return new("the cluster", "calls a second that its kubelet allows itself (5 by default up to Kubernetes 1.26, then 50)", await CallsAsync(), "1/s");
        using (var settled = new PeriodicTimer(Settle)) await settled.WaitForNextTickAsync();
        foreach (var result in await IdleAsync(edge, "the edge profile, idle: gateway, orchestrator, sidecar")) yield return result;

        var store = ObjectStores.Open(new() { Root = edge.Lake });
        await Runs.SealAsync(store, OneWindow, 1);
        await Runs.SealAsync(store, WideWindow, Wide);

        // The first tasks load what later ones find loaded.
        await edge.RunAsync("chain", "first", OneWindow);
        foreach (var result in await ChainAsync(edge, "jobs", $"a step as a Job, {Chain} one after the other")) yield return result;
        var took = await edge.RunAsync("wide", "wide", WideWindow);
        var times = TaskTime.Of(edge.Lake, "wide");
        yield return new($"{Wide} Jobs at a time", "from the first attempt's start to the last commit", (times.Max(t => t.Committed) - times.Min(t => t.Began)).TotalSeconds, "s");
        yield return new($"{Wide} Jobs at a time", "the whole run", took.TotalSeconds, "s");

        await edge.HelmAsync("upgrade", Values(warm: 2));
        using (var settled = new PeriodicTimer(Settle)) await settled.WaitForNextTickAsync();
        foreach (var result in await IdleAsync(edge, "the edge profile with two warm step runners, idle")) yield return result;
        foreach (var result in await ChainAsync(edge, "warm", $"a step in a warm pod, {Chain} one after the other")) yield return result;
    }

    static async Task<IReadOnlyList<Result>> ChainAsync(Installation edge, string run, string what)
    {
        var took = await edge.RunAsync("chain", run, OneWindow);
        var times = TaskTime.Of(edge.Lake, run);
        var overheads = times.Select(t => t.Overhead).Order().ToList();
        if (overheads.Count != Chain) throw new InvalidOperationException($"Run {run} has {overheads.Count} tasks.");
        return
        [
            new(what, "attempt started to outcome committed, less the SQL, p50", overheads[Chain / 2], "s"),
            new(what, "the same, slowest", overheads[^1], "s"),
            new(what, "attempt started until its task begins, p50", Median(times.Select(t => t.Runs - t.Began)), "s"),
            new(what, "outcome written until it is committed, p50", Median(times.Select(t => t.Committed - t.Ended)), "s"),
            new(what, "the whole run, per step", took.TotalSeconds / Chain, "s"),
        ];
    }

    static double Median(IEnumerable<TimeSpan> times) => times.Order().ElementAt(Chain / 2).TotalSeconds;

    /// <summary>What an old kubelet takes its time for: two calls for each change of a pod, two more for a claim.</summary>
    static async Task<double> CallsAsync()
    {
        var node = await Tool.Kubectl.RunAsync(["get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"]);
        using var settings = JsonDocument.Parse(await Tool.Kubectl.RunAsync(["get", "--raw", $"/api/v1/nodes/{node}/proxy/configz"]));
        return settings.RootElement.GetProperty("kubeletconfig").GetProperty("kubeAPIQPS").GetDouble();
    }

    static async Task<IReadOnlyList<Result>> IdleAsync(Installation edge, string what)
    {
        var uids = (await edge.KubectlAsync("get", "pods", "--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].metadata.uid}")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var memory = PodMemory.Of(uids);
        return [new(what, "resident memory, all processes of the pods", memory.Resident / 1e6, "MB"), new(what, "the same, shared pages counted once", memory.Proportional / 1e6, "MB")];
    }

    static object Values(int warm) => new
    {
        image = new { tag = Environment.GetEnvironmentVariable("LEANPIPE_TEST_KUBE_TAG") ?? "" },
        gateway = new { service = new { type = "ClusterIP" } },
        streams = new { telemetry = Stream },
        pipelines = new { chain = ChainPipeline(), wide = WidePipeline },
        // Small enough for fifty of them on the node.
        tasks = new { maxConcurrent = Wide, threads = 1, cpuRequest = "10m", memory = "200Mi", scratch = "256Mi", ttlSecondsAfterFinished = 60, warm = new { replicas = warm } },
    };

    const string Stream = """
        stream: telemetry
        listen: 0.0.0.0:7001
        framing: newline
        decoder: json
        schema:
          fields:
            sensor_id: { type: int64, min: 1 }
            value: float64
            timestamp: { timestamp: milliseconds }
        event_time: timestamp
        window: 1h
        lateness: 5m
        """;

    /// <summary>One task each, one after the other; nothing is taken from the cache.</summary>
    static Dictionary<string, string> ChainPipeline()
    {
        var files = new Dictionary<string, string> { ["first.sql"] = "SELECT count(*) AS n FROM i", ["next.sql"] = "SELECT n + 1 AS n FROM i" };
        var steps = Enumerable.Range(0, Chain).Select(n => $"""
              s{n:D2}:
                inputs: {(n == 0 ? "{ i: { stream: telemetry } }" : $"{{ i: s{n - 1:D2} }}")}
                sql: {(n == 0 ? "first" : "next")}.sql
                cache: false

            """);
        files["pipeline.yaml"] = $"pipeline: chain\nsteps:\n{string.Concat(steps)}";
        return files;
    }

    static readonly Dictionary<string, string> WidePipeline = new()
    {
        ["one.sql"] = "SELECT count(*) AS n FROM i",
        ["pipeline.yaml"] = """
            pipeline: wide
            steps:
              one:
                inputs: { i: { stream: telemetry } }
                fan_out: { files: 1 }
                sql: one.sql
                cache: false
            """,
    };
}
