using System.Net;
using System.Text.Json;

namespace LeanPipe.Orchestrator;

/// <summary>What is, and what becomes of it: one list, then its changes, for ever. Nobody polls.</summary>
/// <remarks>
/// The stream goes on from the last version seen, bookmarks included, however often it is dropped. When the server no longer has that version (410), everything is
/// listed again, and what is missing from the list is told as gone: so no end is missed, only, perhaps, told late.
/// </remarks>
sealed class ResourceWatch(KubernetesApi api, string resource, string selector, KubernetesOptions options, TimeProvider time, ILogger log)
{
    // Bookmarks come about once a minute, and the server ends a stream after five.
    static readonly TimeSpan Silence = TimeSpan.FromMinutes(6);

    readonly Dictionary<string, JsonElement> _known = [];

    /// <summary>Called in order: an object as it is now, and whether it is gone.</summary>
    public required Action<JsonElement, bool> Seen { get; init; }

    /// <summary>Called after a list that was made because changes had been missed: what came and went in between was never told.</summary>
    public required Action Missed { get; init; }

    public async Task RunAsync(CancellationToken cancellation)
    {
        string? version = null;
        var missed = false;
        var pause = options.FirstRetry;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                version ??= await ListAsync(cancellation);
                if (missed) Missed();
                missed = false;
                await foreach (var change in api.WatchAsync(resource, selector, version, Silence, cancellation))
                {
                    if (change.Text("type") == "ERROR") throw Refusal(change.At("object"));
                    version = change.Text("object", "metadata", "resourceVersion");
                    pause = options.FirstRetry;
                    Apply(change.Text("type"), change.At("object"));
                }
                // The server ends every stream after a while; one that ends at once, again and again, is asked less and less often.
                await Task.Delay(pause, time, cancellation);
                pause = Longer(pause);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
            {
                var gone = e is KubernetesException { Code: HttpStatusCode.Gone };
                if (gone) (version, missed) = (null, true);
                log.WatchDropped(resource, e.Message);
                await Task.Delay((e as KubernetesException)?.RetryAfter ?? (gone ? TimeSpan.Zero : pause), time, cancellation);
                pause = Longer(pause);
            }
        }
    }

    TimeSpan Longer(TimeSpan pause) => TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, options.LastRetry.Ticks));

    async Task<string> ListAsync(CancellationToken cancellation)
    {
        var answer = await api.ListAsync(resource, selector, cancellation);
        if (!answer.Succeeded) throw new KubernetesException(answer.Code, answer.Message, null);
        var now = answer.Body.Items("items").ToDictionary(i => i.Name(), i => i.Clone());
        foreach (var (name, last) in _known.Where(k => !now.ContainsKey(k.Key)).ToList())
        {
            _known.Remove(name);
            Seen(last, true);
        }
        foreach (var item in now.Values) Apply("ADDED", item);
        return answer.Body.Text("metadata", "resourceVersion");
    }

    void Apply(string type, JsonElement item)
    {
        switch (type)
        {
            case "ADDED" or "MODIFIED":
                _known[item.Name()] = item;
                Seen(item, false);
                break;
            case "DELETED":
                _known.Remove(item.Name());
                Seen(item, true);
                break;
        }
    }

    static KubernetesException Refusal(JsonElement status) =>
        new(status.At("code") is { ValueKind: JsonValueKind.Number } code ? (HttpStatusCode)code.GetInt32() : HttpStatusCode.InternalServerError, status.Text("message"), null);
}
