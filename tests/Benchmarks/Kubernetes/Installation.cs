using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace LeanPipe.Benchmarks.Kubernetes;

/// <summary>The chart's edge profile in a namespace of its own, its claims folders of this machine, which the node shares (LEANPIPE_TEST_KUBE_VOLUMES); taken away again with everything in it.</summary>
sealed class Installation : IAsyncDisposable
{
    const string Name = "leanpipe";
    static readonly string[] Claims = [$"{Name}-lake", $"{Name}-sidecar", $"log-{Name}-gateway-0"];

    readonly string _space = $"leanpipe-bench-{Guid.NewGuid().ToString("N")[..8]}";
    readonly string _folder;
    readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    Process? _proxy;
    Uri? _dapr;

    Installation() => _folder = Directory.CreateDirectory(Path.Combine(Environment.GetEnvironmentVariable("LEANPIPE_TEST_KUBE_VOLUMES")!, _space)).FullName;

    public static bool IsPossible => Tool.Kubeconfig is { Length: > 0 } && Environment.GetEnvironmentVariable("LEANPIPE_TEST_KUBE_VOLUMES") is { Length: > 0 };

    /// <summary>The lake, as a folder of this machine.</summary>
    public string Lake => Path.Combine(_folder, Claims[0]);

    public string Space => _space;

    public static async Task<Installation> MakeAsync(object values)
    {
        var made = new Installation();
        try
        {
            await Tool.Kubectl.RunAsync(["create", "namespace", made._space]);
            foreach (var claim in Claims) await Tool.Kubectl.RunAsync(["create", "-f", "-"], made.Volume(claim));
            await made.HelmAsync("install", values);
            (made._proxy, var api) = await Tool.ProxyAsync();
            var token = await made.KubectlAsync("get", "secret", $"{Name}-dapr-token", "-o", "jsonpath={.data.token}");
            made._http.DefaultRequestHeaders.Add("dapr-api-token", Encoding.UTF8.GetString(Convert.FromBase64String(token)));
            made._dapr = new(api, $"/api/v1/namespaces/{made._space}/services/{Name}-sidecar:3500/proxy/");
            return made;
        }
        catch
        {
            await Console.Error.WriteLineAsync((await Tool.Kubectl.TryAsync(["-n", made._space, "get", "pods,pvc,events"])).Output);
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends when the new pods are ready.</summary>
    /// <param name="values">What stands above values-edge.yaml.</param>
    public async Task HelmAsync(string command, object values)
    {
        // JSON is YAML.
        var file = Path.Combine(_folder, "values.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(values));
        await Tool.Helm.RunAsync(["-n", _space, command, Name, "charts/leanpipe", "-f", "charts/leanpipe/values-edge.yaml", "-f", file, "--wait", "--timeout", "3m"]);
    }

    public Task<string> KubectlAsync(params string[] arguments) => Tool.Kubectl.RunAsync(["-n", _space, .. arguments]);

    /// <summary>Starts a run by Dapr's HTTP API and waits until it has ended.</summary>
    public async Task<TimeSpan> RunAsync(string pipeline, string run, string window)
    {
        var began = Stopwatch.GetTimestamp();
        using var request = new StringContent($$"""{"pipeline":"{{pipeline}}","window":"{{window}}"}""", Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri(_dapr!, $"v1.0/workflows/dapr/pipeline/start?instanceID={run}"), request);
        answer.EnsureSuccessStatusCode();
        var record = Path.Combine(Lake, "runs", run, "run.json");
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var moment = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!File.Exists(record)) await moment.WaitForNextTickAsync(limit.Token);
        var took = Stopwatch.GetElapsedTime(began);
        var text = await File.ReadAllTextAsync(record);
        return text.Contains("\"completed\"", StringComparison.Ordinal) ? took : throw new InvalidOperationException($"Run {run}: {text}");
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_proxy is not null)
        {
            _proxy.Kill();
            _proxy.Dispose();
        }
        await Tool.Helm.TryAsync(["-n", _space, "uninstall", Name]);
        await Tool.Kubectl.TryAsync(["delete", "namespace", _space, "--timeout=2m"]);
        await Tool.Kubectl.TryAsync(["delete", "persistentvolume", .. Claims.Select(c => $"{_space}-{c}"), "--ignore-not-found"]);
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    string Volume(string claim) => JsonSerializer.Serialize(new
    {
        apiVersion = "v1",
        kind = "PersistentVolume",
        metadata = new { name = $"{_space}-{claim}" },
        spec = new
        {
            capacity = new { storage = "20Gi" },
            accessModes = (string[])["ReadWriteOnce"],
            persistentVolumeReclaimPolicy = "Retain",
            claimRef = new { @namespace = _space, name = claim },
            local = new { path = Directory.CreateDirectory(Path.Combine(_folder, claim)).FullName },
            nodeAffinity = new { required = new { nodeSelectorTerms = new[] { new { matchExpressions = new[] { new { key = "kubernetes.io/hostname", @operator = "Exists" } } } } } },
        },
    });
}
