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
    Exception? _ended;

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
    /// <remarks>Ask for nothing that passes: of a pod that was so once, and is not any more when this is asked, nobody tells. What lasts is that it is there, that it has ended, that it is gone.</remarks>
    /// <exception cref="InvalidOperationException">The API server tells of no more pods.</exception>
    public async Task<Pod> FirstAsync(Func<Pod, bool> wanted)
    {
        Task<Pod> found;
        lock (_lock)
        {
            foreach (var pod in _seen.Values)
                if (wanted(pod)) return pod;
            if (_ended is not null) throw _ended;
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
        var why = "The API server ended the watch of pods.";
        try
        {
            await foreach (var line in lines)
            {
                var change = JsonDocument.Parse(line).RootElement;
                if (change.GetProperty("type").GetString() is not ("ADDED" or "MODIFIED" or "DELETED"))
                {
                    why = $"The API server ended the watch of pods: {line}";
                    return;
                }
                Tell(new(change.GetProperty("object"), change.GetProperty("type").GetString() == "DELETED"));
            }
        }
        finally
        {
            // Whoever waits, and whoever asks from now on, hears that nothing more will come.
            lock (_lock)
            {
                _ended = new InvalidOperationException(why);
                foreach (var (_, found) in _waiting) found.TrySetException(_ended);
            }
        }
    }

    void Tell(Pod pod)
    {
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
}

readonly record struct Pod(JsonElement Object, bool Gone)
{
    public string Name => Object.GetProperty("metadata").GetProperty("name").GetString()!;

    public string Uid => Object.GetProperty("metadata").GetProperty("uid").GetString()!;

    public string Phase => Object.GetProperty("status").GetProperty("phase").GetString()!;

    public bool Ended => Phase is "Succeeded" or "Failed";

    /// <summary>It is asked to go, and may not have ended yet: one that an earlier test has replaced, say.</summary>
    public bool Leaves => Object.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _);

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
