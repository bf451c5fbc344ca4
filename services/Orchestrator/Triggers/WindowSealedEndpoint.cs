using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>A sealed window starts a run of every pipeline that waits for its stream.</summary>
/// <remarks>
/// The run's id follows from pipeline, window and revision, and the event is answered well only when every such run is started or known: so a window is never
/// forgotten, and an event that comes twice is one run. A run that ended, even failed, is known; to start it again is for a person.
/// </remarks>
sealed class WindowSealedEndpoint(IObjectStore store, PipelineFolder pipelines, RunStarter starter, ILogger<WindowSealedEndpoint> log)
{
    public const string Path = "/events/window-sealed";

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
        if (await store.SizeAsync(LakeLayout.WindowManifest(stream, window, revision), cancellation) is null)
        {
            log.ManifestNotThere(stream.Value, window.Value, revision, manifest);
            return EventAnswer.Retry;
        }
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
