using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>Moves finished instances out of memory, in the order that <see cref="Archive"/> asks for, one pass at a time.</summary>
/// <remarks>An instance is moved when its children, at any depth, are finished too. The pass writes outside the gate; what changed meanwhile stays where it is.</remarks>
sealed class Archivist(StateStore store, WorkflowEngine engine, SidecarOptions options, ILogger log)
{
    bool _stopped;

    /// <summary>Completed when no pass is under way.</summary>
    public Task Idle { get; private set; } = Task.CompletedTask;

    /// <summary>Begins a pass when one is due; the caller holds the gate.</summary>
    public void Wake()
    {
        if (store.FinishedBytes > options.ArchiveAtBytes && Idle.IsCompleted && !_stopped)
            Idle = Task.Run(PassAsync);
    }

    async Task PassAsync()
    {
        try
        {
            await MoveAsync();
            await CopyAsync();
        }
        catch (Exception e) when (e is LeanPipeException or IOException or UnauthorizedAccessException)
        {
            _stopped = true;
            log.NotArchived(e);
        }
    }

    async Task MoveAsync()
    {
        var finished = await engine.ChangeAsync(work => store.Finished(i => !work.IsTreeActive(i)));
        if (finished.Count == 0)
            return;
        var ends = finished.Select(i => i.End!).ToList();
        var entries = store.Archive.Append(finished, options.AppId);
        await engine.ChangeAsync(work =>
        {
            for (var i = 0; i < finished.Count; i++)
            {
                if (store.IsUnchanged(finished[i], ends[i]))
                    work.Apply(new InstanceChange { InstanceId = finished[i].Id, Archived = entries[i] });
            }

            return 0;
        });
    }

    async Task CopyAsync()
    {
        var known = await engine.ReadAsync(s => s.Archived.ToList());
        if (!store.Archive.WantsCopy([.. known.Select(k => k.Value)]))
            return;
        var copies = store.Archive.Copy([.. known.Select(k => k.Value.Entry)]);
        await engine.ChangeAsync(work =>
        {
            for (var i = 0; i < known.Count; i++)
            {
                if (store.Archived.TryGetValue(known[i].Key, out var current) && ReferenceEquals(current, known[i].Value))
                    work.Apply(new InstanceChange { InstanceId = known[i].Key, Archived = copies[i] });
            }

            return 0;
        });
        store.Archive.DeleteOthers();
    }
}
