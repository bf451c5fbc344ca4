using System.Net;
using System.Text;
using System.Text.Json;
using Amazon.Runtime;
using Amazon.S3;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>The chart, installed as a person would for one box: a namespace and a bucket of its own, the embedded sidecar, a stream on a node port, two pipelines.</summary>
sealed class Release : IAsyncDisposable
{
    const string Name = "leanpipe";
    static readonly string Documents = Path.Combine(AppContext.BaseDirectory, "Kubernetes", "config");
    static readonly DateTime FirstHour = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    readonly Cluster _cluster;
    readonly string _bucket;
    readonly Volumes _volumes;
    readonly IObjectStore _lake;
    int _hours;

    Release(Cluster cluster)
    {
        _cluster = cluster;
        Space = $"leanpipe-test-{Guid.NewGuid().ToString("N")[..8]}";
        _bucket = Space;
        _volumes = new(cluster, Space, $"log-{Name}-gateway-0", $"{Name}-sidecar");
        _lake = ObjectStores.Open(new() { Root = $"s3://{_bucket}/lake", Endpoint = new(cluster.S3), PathStyle = true, AccessKey = cluster.Key, SecretKey = cluster.Secret });
    }

    /// <summary>The namespace.</summary>
    public string Space { get; }

    public IPEndPoint Service { get; private set; } = null!;

    public static async Task<Release> InstallAsync(Cluster cluster)
    {
        var release = new Release(cluster);
        try
        {
            await release.PrepareAsync();
            await release.HelmAsync("install", [
                "--set", $"dapr.mode=embedded,gateway.service.type=NodePort,objectStore.endpoint={cluster.S3ForPods},objectStore.bucket={release._bucket}",
                "--set", "objectStore.prefix=lake,objectStore.existingSecret=lake-keys,tasks.maxConcurrent=2,tasks.memory=512Mi,tasks.scratch=1Gi,tasks.cpuRequest=50m", "--set", $"image.tag={cluster.Tag}",
                "--set-file", $"streams.telemetry.v1={Documents}/streams/telemetry.yaml", .. Pipeline("hourly"), .. Pipeline("totals"), .. Pipeline("slow")]);
            var address = await release.KubectlAsync("get", "nodes", "-o", "jsonpath={.items[0].status.addresses[?(@.type==\"InternalIP\")].address}");
            var port = await release.KubectlAsync("get", "service", $"{Name}-gateway", "-o", "jsonpath={.spec.ports[0].nodePort}");
            release.Service = new(IPAddress.Parse(address), int.Parse(port));
            return release;
        }
        catch
        {
            TestContext.Current.TestOutputHelper?.WriteLine(await release.DescribeAsync());
            await release.DisposeAsync();
            throw;
        }
    }

    /// <summary>A machine that sends records of an hour that no other of this release has.</summary>
    public Machine Machine(int perSecond = 100_000) => new(Service, FirstHour.AddHours(2 * _hours++), perSecond);

    public PodWatch WatchPods() => new(_cluster.Kubectl, Space);

    public Task<string> KubectlAsync(params string[] arguments) => _cluster.Kubectl.RunAsync(["-n", Space, .. arguments]);

    public Task TryKubectlAsync(params string[] arguments) => _cluster.Kubectl.TryAsync(["-n", Space, .. arguments], null, TestContext.Current.CancellationToken);

    /// <summary>Waits where the command can: an upgrade and a rollback are over when the new pods are ready.</summary>
    public async Task<string> HelmAsync(string command, params string[] arguments)
    {
        string[] chart = command is "install" or "upgrade" ? ["charts/leanpipe"] : [];
        string[] wait = command is "install" or "upgrade" or "rollback" ? ["--wait", "--timeout", "5m"] : [];
        return await _cluster.Helm.RunAsync(["-n", Space, command, Name, .. chart, .. wait, .. arguments]);
    }

    /// <summary>Changes values, as a person would, until it is disposed. Every pod is ready again when this returns, and afterwards.</summary>
    public async Task<IAsyncDisposable> WithAsync(string values)
    {
        await HelmAsync("upgrade", "--reuse-values", "--set", values);
        return new Rollback(this);
    }

    /// <summary>Starts a run by Dapr's HTTP API, through a forwarded port.</summary>
    public async Task StartAsync(string pipeline, string run, WindowId window)
    {
        var stop = TestContext.Current.CancellationToken;
        var token = Encoding.UTF8.GetString(Convert.FromBase64String(await KubectlAsync("get", "secret", $"{Name}-dapr-token", "-o", "jsonpath={.data.token}")));
        await using var sidecar = await ForwardAsync($"{Name}-sidecar", 3500);
        using var http = new HttpClient { BaseAddress = sidecar.Address };
        var start = new Uri($"v1.0/workflows/dapr/pipeline/start?instanceID={run}", UriKind.Relative);
        (await http.PostAsync(start, null, stop)).IsSuccessStatusCode.ShouldBeFalse("whoever has no token is refused");
        http.DefaultRequestHeaders.Add("dapr-api-token", token);
        using var request = new StringContent($$"""{"pipeline":"{{pipeline}}","window":"{{window}}"}""", Encoding.UTF8, "application/json");
        using var started = await http.PostAsync(start, request, stop);
        started.StatusCode.ShouldBe(HttpStatusCode.Accepted, await started.Content.ReadAsStringAsync(stop));
    }

    /// <summary>No warning, no goodbye.</summary>
    public Task KillAsync(string pod) => KubectlAsync("delete", "pod", pod, "--grace-period=0", "--force");

    /// <summary>The warm pod that says it runs a task of this run, while the run has not ended.</summary>
    public async Task<string> WarmPodOfAsync(string run)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var (says, ends) = (SaysAsync($"runs runs/{run}/", over.Token), EndOfAsync(run, over.Token));
        var first = await Task.WhenAny(says, ends);
        if (first == ends) TestContext.Current.TestOutputHelper?.WriteLine(await DescribeAsync());
        await over.CancelAsync();
        first.ShouldBe(says, $"{run} has ended, and no warm pod has said that it runs a task of it");
        await ((Task)ends).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await says;

        async Task<string> SaysAsync(string what, CancellationToken stop)
        {
            // [pod/NAME/CONTAINER] LINE
            while (true)
                await foreach (var line in FollowAsync(stop, "--prefix", "--tail=50", "-l", "app.kubernetes.io/component=warm"))
                    if (line.Contains(what, StringComparison.Ordinal)) return line.Split('/')[1];
        }
    }

    /// <summary>How the run ended, however often the orchestrator ends before it does.</summary>
    public Task<RunRecord> EndOfAsync(string run) => EndOfAsync(run, TestContext.Current.CancellationToken);

    async Task<RunRecord> EndOfAsync(string run, CancellationToken stop)
    {
        while (true)
        {
            if (await RecordAsync(run, stop) is { } there) return there;
            // A run that ends is a line of the log; after a restart the log begins again.
            await foreach (var _ in FollowAsync(stop, "--tail=5", $"deployment/{Name}-orchestrator", "-c", "orchestrator"))
                if (await RecordAsync(run, stop) is { } record) return record;
            var (code, _, errors) = await _cluster.Kubectl.TryAsync(["-n", Space, "rollout", "status", $"deployment/{Name}-orchestrator", "--timeout=3m"], null, stop);
            code.ShouldBe(0, errors);
        }
    }

    /// <summary>Logs line by line, for twenty seconds at most: the log of a pod that was killed may stay open and say nothing, so whoever waits looks again.</summary>
    IAsyncEnumerable<string> FollowAsync(CancellationToken stop, params string[] arguments) =>
        _cluster.Kubectl.LinesAsync(stop, ["-n", Space, "logs", "--follow", "--request-timeout=20s", .. arguments]);

    /// <summary>Waits until every record of the machine is in the table, in however many revisions of its window, and holds the table against what was sent.</summary>
    /// <returns>The runs that it took.</returns>
    public async Task<IReadOnlyList<RunRecord>> TableShouldHoldAsync(Machine machine)
    {
        var runs = new List<RunRecord>();
        while (true)
        {
            var run = await EndOfAsync(RunId.For(new("hourly"), machine.Window, runs.Count + 1).Value);
            run.Status.ShouldBe(RunStatus.Completed, run.Error?.ToString());
            runs.Add(run);
            var hour = $"BETWEEN {Milliseconds(machine.Hour)} AND {Milliseconds(machine.Hour.AddHours(1)) - 1}";
            var table = await LaptopAsync($"""
                SELECT count(*), count(DISTINCT seq), min(seq), max(seq),
                       count(*) FILTER (sensor_id <> seq % {Kubernetes.Machine.Sensors} OR value <> seq * 0.25 OR epoch_ms("timestamp") <> {Milliseconds(machine.Hour)} + (seq % 3600) * 1000)
                FROM readings WHERE epoch_ms("timestamp") {hour};
                SELECT count(*), sum(readings), sum(total) * 4 FROM hourly_means WHERE epoch_ms(hour) {hour};
                """);
            var (lines, sent) = (table.Split('\n', StringSplitOptions.RemoveEmptyEntries), machine.Sent);
            // Records of a second revision may still be on their way; more than was sent there may never be.
            if (long.Parse(lines[0].Split(',')[0]) < sent) continue;
            lines[0].ShouldBe($"{sent},{sent},0,{sent - 1},0");
            lines[1].Split(',').Select(double.Parse).ShouldBe([Math.Min(sent, Kubernetes.Machine.Sensors), sent, sent * (sent - 1) / 2.0]);
            return runs;
        }
    }

    /// <summary>Holds what the pipeline 'slow' made of the machine's window against what was sent.</summary>
    public async Task SlowTotalsShouldHoldAsync(Machine machine) =>
        (await LaptopAsync($"SELECT readings, last, nothing FROM slow_totals WHERE epoch_ms(hour) = {Milliseconds(machine.Hour)}")).Trim().ShouldBe($"{machine.Sent},{machine.Sent - 1},0");

    /// <summary>CSV of the lake's tables, as a laptop reads them.</summary>
    public async Task<string> LaptopAsync(string sql)
    {
        var views = (await _lake.GetAsync("catalog/views.sql", TestContext.Current.CancellationToken)).ShouldNotBeNull();
        return await Laptop.AskAsync(_cluster.DuckDb, _cluster.S3, _cluster.Key, _cluster.Secret, $"{Encoding.UTF8.GetString(views.Span)}\n{sql}");
    }

    /// <summary>An address here that leads to a port of a Service there, until it is disposed.</summary>
    public async Task<PortForward> ForwardAsync(string service, int port) => await PortForward.StartAsync(_cluster.Kubectl, Space, service, port);

    /// <summary>What a person would look at when something is wrong.</summary>
    public async Task<string> DescribeAsync()
    {
        var text = new StringBuilder();
        foreach (var arguments in new string[][] { ["get", "pods,jobs,pvc", "-o", "wide"], ["get", "events"], ["logs", "--tail=60", "-l", "app.kubernetes.io/part-of=leanpipe", "--all-containers", "--prefix"] })
            text.AppendLine((await _cluster.Kubectl.TryAsync(["-n", Space, .. arguments], null, CancellationToken.None)).Output);
        return text.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        // Not the test's token: what it has made goes also when its time is over.
        await _cluster.Helm.TryAsync(["-n", Space, "uninstall", Name], null, CancellationToken.None);
        // Volumes go after whoever writes to them.
        await _cluster.Kubectl.TryAsync(["-n", Space, "wait", "--for=delete", "pod", "-l", "app.kubernetes.io/component in (gateway,orchestrator,task)", "--timeout=2m"], null, CancellationToken.None);
        await _cluster.Kubectl.TryAsync(["delete", "namespace", Space, "--wait=false"], null, CancellationToken.None);
        await _volumes.DisposeAsync();
    }

    Task<RunRecord?> RecordAsync(string run, CancellationToken stop) => _lake.GetJsonAsync(LakeLayout.RunRecord(new(run)), ContractsJson.Default.RunRecord, stop).AsTask();

    async Task PrepareAsync()
    {
        using var s3 = new AmazonS3Client(new BasicAWSCredentials(_cluster.Key, _cluster.Secret), new AmazonS3Config { ServiceURL = _cluster.S3, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        await s3.PutBucketAsync(_bucket, TestContext.Current.CancellationToken);
        await _cluster.Kubectl.RunAsync("create", "namespace", Space);
        await KubectlAsync("create", "secret", "generic", "lake-keys", $"--from-literal=access-key={_cluster.Key}", $"--from-literal=secret-key={_cluster.Secret}");
        await _volumes.MakeAsync();
    }

    static IEnumerable<string> Pipeline(string name) => Directory.EnumerateFiles(Path.Combine(Documents, "pipelines", name))
        .SelectMany(file => new[] { "--set-file", $"pipelines.{name}.{Path.GetFileName(file).Replace(".", "\\.", StringComparison.Ordinal)}={file}" });

    sealed class Rollback(Release release) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await release.HelmAsync("rollback");
            // Helm waits for pods that come, not for those that go. None left is an error to kubectl.
            await release._cluster.Kubectl.TryAsync(["-n", release.Space, "wait", "--for=delete", "pod", "-l", "app.kubernetes.io/component=warm", "--timeout=2m"], null, CancellationToken.None);
        }
    }

    static long Milliseconds(DateTime time) => new DateTimeOffset(time).ToUnixTimeMilliseconds();
}
