using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Integration.Kubernetes;

/// <summary>As much of an API server as tasks use, over real sockets: Jobs, their pods, lists and watches with versions. Pods do what the test says.</summary>
sealed class ScriptedCluster : IAsyncDisposable
{
    readonly Lock _sync = new();
    readonly List<(int Version, string Resource, string Type, string Object)> _changes = [];
    readonly Dictionary<(string Resource, string Name), JsonObject> _objects = [];
    readonly ConcurrentDictionary<HttpContext, CancellationTokenSource> _watches = new();
    readonly Channel<string> _created = Channel.CreateUnbounded<string>();
    readonly Channel<string> _watched = Channel.CreateUnbounded<string>();
    TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    WebApplication? _app;
    int _version = 100;
    int _compactedTo;

    public Uri Address { get; private set; } = null!;

    /// <summary>METHOD path?query, in order.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public ConcurrentQueue<string> Tokens { get; } = new();

    /// <summary>Sees each call first; true when it has answered it.</summary>
    public Func<HttpContext, Task<bool>>? Intercept { get; set; }

    public string Log { get; set; } = "{\"progress\":0.5,\"phase\":\"sql\"}\nsteprunner: it broke\n";

    public static async Task<ScriptedCluster> StartAsync(Action<ListenOptions>? listen = null)
    {
        var cluster = new ScriptedCluster();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0, o => listen?.Invoke(o)));
        var app = cluster._app = builder.Build();
        app.Run(cluster.AnswerAsync);
        await app.StartAsync();
        cluster.Address = new(app.Urls.Single().Replace("[::]", "127.0.0.1", StringComparison.Ordinal));
        return cluster;
    }

    /// <summary>The next Job that is created.</summary>
    public ValueTask<string> NextJobAsync() => _created.Reader.ReadAsync(TestContext.Current.CancellationToken);

    /// <summary>The next watch that is opened: its query.</summary>
    public ValueTask<string> NextWatchAsync() => _watched.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public JsonObject Job(string name)
    {
        lock (_sync) return _objects[("jobs", name)];
    }

    public IReadOnlyList<string> Jobs
    {
        get
        {
            lock (_sync) return [.. _objects.Keys.Where(k => k.Resource == "jobs").Select(k => k.Name)];
        }
    }

    /// <summary>The Job's pod has this status now.</summary>
    public void Pod(string job, string status, string? deleting = null)
    {
        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = $"{job}-x1", ["labels"] = new JsonObject { ["job-name"] = job } },
            ["status"] = JsonNode.Parse(status),
        };
        if (deleting is not null) pod["metadata"]!["deletionTimestamp"] = deleting;
        Put("pods", pod);
    }

    public void PodEnds(string job, int exitCode, string reason = "Error", string message = "") =>
        Pod(job, $$$"""{"phase":"{{{(exitCode == 0 ? "Succeeded" : "Failed")}}}","containerStatuses":[{"state":{"terminated":{"exitCode":{{{exitCode}}},"reason":"{{{reason}}}","message":{{{JsonSerializer.Serialize(message)}}} } } } ] }""");

    public void JobEnds(string job, string condition, string reason)
    {
        var changed = JsonNode.Parse(Job(job).ToJsonString())!.AsObject();
        changed["status"] = JsonNode.Parse($$"""{"conditions":[{"type":"{{condition}}","status":"True","reason":"{{reason}}","message":"the Job says so"}]}""");
        Put("jobs", changed);
    }

    public void Remove(string resource, string name)
    {
        lock (_sync)
        {
            if (_objects.Remove((resource, name), out var last)) Tell("DELETED", resource, last);
        }
    }

    /// <summary>Ends every watch in the middle, as a broken connection does.</summary>
    public void DropWatches()
    {
        foreach (var watch in _watches.Values) watch.Cancel();
    }

    /// <summary>Versions up to now are forgotten: a watch from one of them is answered with 410.</summary>
    public void Compact()
    {
        lock (_sync) _compactedTo = _version;
    }

    public async ValueTask DisposeAsync()
    {
        DropWatches();
        await _app!.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    public void Put(string resource, JsonObject item)
    {
        lock (_sync)
        {
            var key = (resource, (string)item["metadata"]!["name"]!);
            var type = _objects.ContainsKey(key) ? "MODIFIED" : "ADDED";
            _objects[key] = item;
            Tell(type, resource, item);
        }
    }

    void Tell(string type, string resource, JsonObject item)
    {
        item["metadata"]!["resourceVersion"] = (++_version).ToString(CultureInfo.InvariantCulture);
        _changes.Add((_version, resource, type, item.ToJsonString()));
        _changed.SetResult();
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    async Task AnswerAsync(HttpContext http)
    {
        Calls.Enqueue($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}");
        Tokens.Enqueue(http.Request.Headers.Authorization.ToString());
        if (Intercept is { } intercept && await intercept(http)) return;
        var parts = http.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var at = Array.IndexOf(parts, "namespaces") + 2;
        var (resource, name) = (parts[at], parts.ElementAtOrDefault(at + 1));
        if (parts.Length > at + 2) await http.Response.WriteAsync(Log);
        else if (http.Request.Query.ContainsKey("watch")) await WatchAsync(http, resource);
        else if (resource == "deployments") await Json(http, 200, """{"metadata":{"uid":"uid-1"}}""");
        else if (http.Request.Method == "POST") await CreateAsync(http);
        else if (http.Request.Method == "DELETE") await DeleteAsync(http, resource, name!);
        else if (name is null) await ListAsync(http, resource);
        else await GetAsync(http, resource, name);
    }

    /// <summary>Makes the Job of this call, and does not answer.</summary>
    /// <returns>Null when it was there already.</returns>
    public async Task<string?> TakeAsync(HttpContext http)
    {
        var item = (await JsonNode.ParseAsync(http.Request.Body))!.AsObject();
        var name = (string)item["metadata"]!["name"]!;
        lock (_sync)
        {
            if (_objects.ContainsKey(("jobs", name))) return null;
            Put("jobs", item);
        }
        _created.Writer.TryWrite(name);
        return name;
    }

    async Task CreateAsync(HttpContext http) => await (await TakeAsync(http) is null ? Status(http, 409, "jobs.batch already exists") : Json(http, 201, "{}"));

    async Task DeleteAsync(HttpContext http, string resource, string name)
    {
        Remove(resource, name);
        Remove("pods", $"{name}-x1");
        await Json(http, 200, "{}");
    }

    async Task GetAsync(HttpContext http, string resource, string name)
    {
        JsonObject? found;
        lock (_sync) found = _objects.GetValueOrDefault((resource, name));
        await (found is null ? Status(http, 404, $"{resource} \"{name}\" not found") : Json(http, 200, found.ToJsonString()));
    }

    async Task ListAsync(HttpContext http, string resource)
    {
        string body;
        lock (_sync)
            body = $$"""{"metadata":{"resourceVersion":"{{_version}}"},"items":[{{string.Join(',', _objects.Where(o => o.Key.Resource == resource).Select(o => o.Value.ToJsonString()))}}]}""";
        await Json(http, 200, body);
    }

    async Task WatchAsync(HttpContext http, string resource)
    {
        var from = int.Parse(http.Request.Query["resourceVersion"]!, CultureInfo.InvariantCulture);
        if (from < _compactedTo)
        {
            await http.Response.WriteAsync("""{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}}""" + "\n");
            return;
        }
        var dropped = _watches[http] = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        await http.Response.StartAsync();
        await http.Response.Body.FlushAsync();
        _watched.Writer.TryWrite(http.Request.QueryString.Value!);
        try
        {
            while (true)
            {
                (int Version, string Resource, string Type, string Object)[] next;
                Task changed;
                lock (_sync) (next, changed) = ([.. _changes.Where(c => c.Version > from)], _changed.Task);
                foreach (var (version, of, type, item) in next)
                {
                    from = version;
                    if (of == resource) await http.Response.WriteAsync($$"""{"type":"{{type}}","object":{{item}}}""" + "\n", dropped.Token);
                }
                await http.Response.Body.FlushAsync(dropped.Token);
                await changed.WaitAsync(dropped.Token);
            }
        }
        catch (OperationCanceledException)
        {
            http.Abort();
        }
        finally
        {
            _watches.TryRemove(http, out _);
        }
    }

    public static Task Status(HttpContext http, int code, string message) => Json(http, code, $$"""{"kind":"Status","code":{{code}},"message":{{JsonSerializer.Serialize(message)}}}""");

    static Task Json(HttpContext http, int code, string body)
    {
        (http.Response.StatusCode, http.Response.ContentType) = (code, "application/json");
        return http.Response.WriteAsync(body);
    }
}
