using System.Text.Json;

namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>Every pod of a namespace as the API server tells of it, those that are gone again too.</summary>
sealed class PodWatch : IAsyncDisposable
{
    readonly Lock _lock = new();
    readonly Dictionary<string, Pod> _seen = [];
    readonly List<(Func<Pod, bool> Wanted, TaskCompletionSource<Pod> Found)> _waiting = [];
    readonly CancellationTokenSource _stop = new();
    readonly Task _reading;

    /// <param name="from">What happened before this version of the namespace's pods is not told; null tells of all pods that there are.</param>
    public PodWatch(Tool kubectl, string space, string? from = null) =>
        _reading = ReadAsync(kubectl.LinesAsync(_stop.Token, "get", "--raw", $"/api/v1/namespaces/{space}/pods?watch=1&timeoutSeconds=3600{(from is null ? "" : $"&resourceVersion={from}")}"));

    /// <summary>As each was told of last.</summary>
    public IReadOnlyList<Pod> Seen
    {
        get
        {
            lock (_lock) return [.. _seen.Values];
        }
    }

    /// <summary>The first that is or becomes so.</summary>
    public async Task<Pod> FirstAsync(Func<Pod, bool> wanted)
    {
        Task<Pod> found;
        lock (_lock)
        {
            foreach (var pod in _seen.Values)
                if (wanted(pod)) return pod;
            var waiting = new TaskCompletionSource<Pod>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((wanted, waiting));
            found = waiting.Task;
        }
        return await found.WaitAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    async Task ReadAsync(IAsyncEnumerable<string> lines)
    {
        await foreach (var line in lines)
        {
            var change = JsonDocument.Parse(line).RootElement;
            var pod = new Pod(change.GetProperty("object"), change.GetProperty("type").GetString() == "DELETED");
            lock (_lock)
            {
                _seen[pod.Uid] = pod;
                foreach (var waiting in _waiting.Where(w => w.Wanted(pod)).ToList())
                {
                    _waiting.Remove(waiting);
                    waiting.Found.SetResult(pod);
                }
            }
        }
        lock (_lock)
            foreach (var (_, found) in _waiting) found.SetException(new InvalidOperationException("The API server ended the watch of pods."));
    }
}

readonly record struct Pod(JsonElement Object, bool Gone)
{
    public string Name => Object.GetProperty("metadata").GetProperty("name").GetString()!;

    public string Uid => Object.GetProperty("metadata").GetProperty("uid").GetString()!;

    public string Phase => Object.GetProperty("status").GetProperty("phase").GetString()!;

    public bool Ended => Phase is "Succeeded" or "Failed";

    public bool IsReady => Object.GetProperty("status").TryGetProperty("conditions", out var conditions)
        && conditions.EnumerateArray().Any(c => c.GetProperty("type").GetString() == "Ready" && c.GetProperty("status").GetString() == "True");

    /// <summary>gateway, orchestrator, task or test.</summary>
    public string Component => Label("app.kubernetes.io/component");

    /// <summary>Of a task; empty otherwise.</summary>
    public string Run => Label("leanpipe.cloud/run");

    /// <summary>The kubelet starts no container as root that says so, and the runtime mounts its root read-only.</summary>
    public void ShouldBeRestricted()
    {
        var spec = Object.GetProperty("spec");
        var security = spec.GetProperty("securityContext");
        security.GetProperty("runAsNonRoot").GetBoolean().ShouldBeTrue(Name);
        security.GetProperty("runAsUser").GetInt32().ShouldBe(1654, Name);
        security.GetProperty("seccompProfile").GetProperty("type").GetString().ShouldBe("RuntimeDefault", Name);
        foreach (var container in spec.GetProperty("containers").EnumerateArray())
        {
            var own = container.GetProperty("securityContext");
            own.GetProperty("readOnlyRootFilesystem").GetBoolean().ShouldBeTrue(Name);
            own.GetProperty("allowPrivilegeEscalation").GetBoolean().ShouldBeFalse(Name);
            own.GetProperty("capabilities").GetProperty("drop")[0].GetString().ShouldBe("ALL", Name);
        }
    }

    string Label(string name) =>
        Object.GetProperty("metadata").TryGetProperty("labels", out var labels) && labels.TryGetProperty(name, out var value) ? value.GetString()! : "";
}
