using LeanPipe.Contracts;
using LeanPipe.Sidecar.State;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Sidecar;

/// <summary>Opens the state before the server listens, says when all is ready, and closes the state last. Ends its host when nothing can be written any more: only a new start helps.</summary>
sealed class SidecarHost(
    StateStore store, WorkflowEngine engine, SidecarOptions options, SidecarEndpoints endpoints, IHostApplicationLifetime lifetime, ILogger<SidecarHost> log) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        var cut = store.Open(options.StateDirectory, options.CompactAtBytes);
        if (cut > 0)
            log.TornTailCut(cut);
        _ = WatchJournalAsync();
        engine.Resume();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        foreach (var app in options.Apps)
            log.AppReady(app.AppId, endpoints.GrpcPortOf(app.AppId));
        lock (store.Gate)
            log.Ready(options.AppId, endpoints.HttpPort, endpoints.GrpcPort, options.StateDirectory, store.Instances.Count + store.Archived.Count, store.Messages.Count);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await engine.WhenArchivedAsync();
        await store.DisposeAsync();
    }

    async Task WatchJournalAsync()
    {
        try
        {
            await store.WhenEndedAsync();
        }
        catch (LeanPipeException e)
        {
            log.JournalFailed(e);
        }

        lifetime.StopApplication();
    }
}
