using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Ends a run from outside: its tasks' processes are stopped, nothing new starts, and its record says why.</summary>
/// <remarks>
/// Durable order: cancel.json, [processes end, every activity of the run answers with the reason], run.json, cancel.json goes. So a cancellation outlives this service,
/// and a run that is started again afterwards is not ended by it.
/// </remarks>
sealed class RunCancellation(IObjectStore store, TaskRunner tasks, IRunInstances instances, TimeProvider time, ILogger<RunCancellation> log)
{
    public const string Cancelled = "run.cancelled";
    public const string TimedOut = "run.timed_out";

    /// <returns>False when no such run is under way.</returns>
    public async Task<bool> RequestAsync(RunId run, CancellationToken cancellation)
    {
        if (!await instances.IsActiveAsync(run, cancellation)) return false;
        await RequestAsync(run, Cancelled, "The run was cancelled. 'leanpipe retry' goes on with what it has committed.", cancellation);
        if (!await instances.IsActiveAsync(run, cancellation))
        {
            // It ended meanwhile, and nobody but its next start would find the request.
            await store.DeleteAsync(LakeLayout.RunCancel(run), cancellation);
            return false;
        }
        await instances.WakeAsync(run, cancellation);
        return true;
    }

    public async Task RequestAsync(RunId run, string code, string message, CancellationToken cancellation)
    {
        await store.PutJsonIfAbsentAsync(LakeLayout.RunCancel(run), new RunCancel(code, message, time.GetUtcNow()), ContractsJson.Default.RunCancel, cancellation);
        log.RunCancelRequested(run.Value, code);
        tasks.Stop(run, new(code, message));
    }
}

static class RunCancels
{
    /// <exception cref="LeanPipeException">The run shall end; not transient.</exception>
    public static async Task ThrowIfCancelledAsync(this IObjectStore store, RunId run, CancellationToken cancellation)
    {
        if (await store.GetJsonAsync(LakeLayout.RunCancel(run), ContractsJson.Default.RunCancel, cancellation) is { } cancel) throw new LeanPipeException(cancel.Code, cancel.Message);
    }
}
