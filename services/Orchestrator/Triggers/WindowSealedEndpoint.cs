using System.Collections.Concurrent;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>A sealed window starts a run of every pipeline that waits for its stream.</summary>
/// <remarks>
/// The run's id follows from pipeline, window and revision, and the event is answered well only when every such run is started or known: so a window is never
/// forgotten, and an event that comes twice is one run. A run that ended, even failed, is known; to start it again is for a person. Manifests are written before their events, so one that is not there
/// after <see cref="ManifestMayBeLate"/>, in a lake that knows the stream, is gone, and its event with it; a lake that does not know the stream may be the wrong one, and the event waits.
/// </remarks>
sealed class WindowSealedEndpoint(IObjectStore store, PipelineFolder pipelines, RunStarter starter, TimeProvider time, ILogger<WindowSealedEndpoint> log)
{
    public const string Path = "/events/window-sealed";

    /// <summary>A folder that several machines share may show a file to another one after a while.</summary>
    static readonly TimeSpan ManifestMayBeLate = TimeSpan.FromMinutes(10);

    readonly ConcurrentDictionary<string, DateTimeOffset> missing = new();

    public async Task<EventAnswer> HandleAsync(Stream body, CancellationToken cancellation)
    {
        WindowSealed sealedWindow;
        try
        {
            sealedWindow = await JsonSerializer.DeserializeAsync(body, ContractsJson.Default.WindowSealed, cancellation) ?? throw new JsonException("The event is null.");
        }
        catch (JsonException e)
        {
            log.EventDropped(EventNames.WindowSealed, e.Message);
            return EventAnswer.Drop;
        }
        var (stream, window, revision, manifest) = sealedWindow;
        var key = LakeLayout.WindowManifest(stream, window, revision);
        if (await store.SizeAsync(key, cancellation) is null)
        {
            var now = time.GetUtcNow();
            if (now - missing.GetOrAdd(key, now) >= ManifestMayBeLate && await store.ListAsync(LakeLayout.Windows(stream), cancellation).AnyAsync(cancellation))
            {
                missing.TryRemove(key, out _);
                log.ManifestGone(stream.Value, window.Value, revision, key);
                return EventAnswer.Drop;
            }
            log.ManifestNotThere(stream.Value, window.Value, revision, manifest);
            return EventAnswer.Retry;
        }
        missing.TryRemove(key, out _);
        var found = pipelines.Read();
        foreach (var pipeline in found.Pipelines.Select(p => p.Definition).Where(p => p.TriggerSealed == stream))
        {
            var run = RunId.For(pipeline.Name, window, revision);
            if (await starter.StartAsync(run, new(pipeline.Name, window, revision), cancellation)) log.RunTriggered(stream.Value, window.Value, revision, run.Value);
        }
        if (found.Errors.Count == 0) return EventAnswer.Success;
        // One of them may wait for this stream: the event must outlast the moment in which somebody edits it.
        log.DocumentsUnreadable(string.Join("; ", found.Errors));
        return EventAnswer.Retry;
    }
}

/// <summary>What a subscriber tells the sidecar about an event.</summary>
/// <param name="Status"><c>SUCCESS</c>, <c>RETRY</c> or <c>DROP</c>.</param>
sealed record EventAnswer(string Status)
{
    public static readonly EventAnswer Success = new("SUCCESS");
    public static readonly EventAnswer Retry = new("RETRY");
    public static readonly EventAnswer Drop = new("DROP");
}
