using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>When to look into the lake for the outcome of an attempt whose Job runs: it stands there a second or two before the cluster says that the container has ended.</summary>
/// <remarks>
/// The kubelet asks the container runtime once a second, and up to Kubernetes 1.26 makes five calls a second to the API server, two for each change of a pod. A look comes late by no more than
/// a tenth of the time that has passed, and when looks would be as far apart as the cluster's own word is late there are no more: an attempt costs some thirty of them from the Job's creation,
/// and as many from the start of its container, however long it runs. Only success counts: of whoever fails the pod's end is waited for, which says more and has the log.
/// </remarks>
sealed class OutcomeLooks(AttemptLog attempts, int attempt, KubernetesOptions options, TimeProvider time)
{
    long _since = time.GetTimestamp();
    TimeSpan _next = options.FirstLook;

    /// <summary>Until the next look; <see cref="TimeSpan.MaxValue"/> when none is worth its call.</summary>
    public TimeSpan Next => _next == TimeSpan.MaxValue ? _next : _next - time.GetElapsedTime(_since);

    /// <summary>Its container runs, or has run already when that is told late.</summary>
    public void Begin() => (_since, _next) = (time.GetTimestamp(), TimeSpan.Zero);

    /// <returns>False as well when the lake does not answer: the pod's end will be told, and whoever reads the outcome then tries again.</returns>
    public async Task<bool> SucceededAsync(CancellationToken cancellation)
    {
        var outcome = await LookAsync(cancellation);
        var passed = time.GetElapsedTime(_since);
        var pause = TimeSpan.FromTicks(Math.Max(options.LookEvery.Ticks, passed.Ticks / 10));
        _next = outcome is { Error: not null } || pause > options.LooksApart ? TimeSpan.MaxValue : passed + pause;
        return outcome is { Error: null };
    }

    async Task<TaskOutcome?> LookAsync(CancellationToken cancellation)
    {
        try
        {
            return await attempts.OutcomeAsync(attempt, cancellation);
        }
        catch (LeanPipeException)
        {
            return null;
        }
    }
}
