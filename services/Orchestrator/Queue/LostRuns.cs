using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Ends runs whose instances cannot say any more that they are over: terminated or purged at the sidecar, or gone with its state.</summary>
/// <remarks>
/// Told by the instance's status, never by how long a run has been silent; looked at every minute, before a pass of housekeeping, and when a run finds no place. Durable order, in the queue's turn: cancel.json,
/// [its processes end], run.json (<c>cancelled</c>, <c>run.terminated</c>), cancel.json goes, the run's mark goes. A crash in between leaves the mark, and the next look goes on.
/// </remarks>
sealed class LostRuns(RunQueue queue, RunPlanning plans, RunEnding ending, RunCancellation cancellation, TimeProvider time, ILogger<LostRuns> log) : BackgroundService
{
    public const string Terminated = "run.terminated";

    const string Message = "The run was terminated or purged at the sidecar, from outside. 'leanpipe retry' goes on with what it has committed.";

    static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    /// <param name="asking">A run that is known to be active.</param>
    /// <returns>How many there were.</returns>
    public Task<int> EndAsync(RunId? asking, CancellationToken stop) => queue.GiveUpAsync(asking, EndOneAsync, stop);

    async Task EndOneAsync(QueuedRun run, CancellationToken stop)
    {
        await cancellation.RequestAsync(run.Run, Terminated, Message, stop);
        var request = (await plans.FindAsync(run.Run, stop))?.Request ?? run.Request ?? new(run.Pipeline, run.Window);
        await ending.FinishAsync(new(run.Run, request, [], new(Terminated, Message)), stop);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await EndAsync(null, stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // The sidecar or the lake is away; both are asked again.
                log.LostRunsNotLookedFor(e.Message);
            }
        }
    }
}
