using Microsoft.Extensions.Logging;

namespace Dapr.Workflow;

public interface IWorkflowContext
{
    /// <summary>True while the context answers from history.</summary>
    bool IsReplaying { get; }

    /// <summary>True in instances that reached this call with the patch deployed; the answer never changes within one instance.</summary>
    bool IsPatched(string patchName);

    /// <summary>The time of the turn that is being (re)played, UTC.</summary>
    DateTime CurrentUtcDateTime { get; }
}

/// <summary>Everything a workflow may ask for. The order of the calls is recorded: it must be the same on every replay.</summary>
public abstract class WorkflowContext : IWorkflowContext
{
    public abstract string Name { get; }

    public abstract string InstanceId { get; }

    public abstract DateTime CurrentUtcDateTime { get; }

    public abstract bool IsReplaying { get; }

    public abstract bool IsPatched(string patchName);

    /// <inheritdoc cref="CallActivityAsync{T}(string, object?, WorkflowTaskOptions?)"/>
    public virtual Task CallActivityAsync(string name, object? input = null, WorkflowTaskOptions? options = null) =>
        CallActivityAsync<object>(name, input, options);

    /// <exception cref="WorkflowTaskFailedException">The activity failed, after all attempts of the retry policy.</exception>
    public abstract Task<T> CallActivityAsync<T>(string name, object? input = null, WorkflowTaskOptions? options = null);

    public virtual Task CreateTimer(TimeSpan delay, CancellationToken cancellationToken = default) =>
        CreateTimer(CurrentUtcDateTime.Add(delay), cancellationToken);

    /// <param name="fireAt">UTC; a time in the past fires at once.</param>
    /// <param name="cancellationToken">Ends the wait here; the timer itself stays in the history.</param>
    public abstract Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken);

    /// <summary>The next event of that name, compared without case; events that came before the call wait for it.</summary>
    public abstract Task<T> WaitForExternalEventAsync<T>(string eventName, CancellationToken cancellationToken = default);

    /// <param name="eventName">Compared without case.</param>
    /// <param name="timeout">Zero does not wait; negative waits without end.</param>
    /// <exception cref="TaskCanceledException">No event came in time.</exception>
    public virtual async Task<T> WaitForExternalEventAsync<T>(string eventName, TimeSpan timeout)
    {
        using var timerEnd = new CancellationTokenSource();
        using var eventEnd = new CancellationTokenSource();
        var timer = CreateTimer(timeout, timerEnd.Token);
        var raised = WaitForExternalEventAsync<T>(eventName, eventEnd.Token);
        var loser = await Task.WhenAny(timer, raised) == raised ? timerEnd : eventEnd;
        loser.Cancel();
        return await raised;
    }

    /// <summary>Raises an event at another instance. Real sidecars refuse it: portable workflows let an activity do it.</summary>
    public abstract void SendEvent(string instanceId, string eventName, object payload);

    /// <param name="customStatus">Shown with the instance's state; null clears it.</param>
    public abstract void SetCustomStatus(object? customStatus);

    /// <exception cref="WorkflowTaskFailedException">The child failed or was terminated, after all attempts of the retry policy.</exception>
    public abstract Task<TResult> CallChildWorkflowAsync<TResult>(
        string workflowName, object? input = null, ChildWorkflowTaskOptions? options = null);

    /// <inheritdoc cref="CallChildWorkflowAsync{TResult}(string, object?, ChildWorkflowTaskOptions?)"/>
    public virtual Task CallChildWorkflowAsync(string workflowName, object? input = null, ChildWorkflowTaskOptions? options = null) =>
        CallChildWorkflowAsync<object>(workflowName, input, options);

    /// <summary>A logger that is silent while replaying.</summary>
    public abstract ILogger CreateReplaySafeLogger(string categoryName);

    /// <inheritdoc cref="CreateReplaySafeLogger(string)"/>
    public abstract ILogger CreateReplaySafeLogger(Type type);

    /// <inheritdoc cref="CreateReplaySafeLogger(string)"/>
    public abstract ILogger CreateReplaySafeLogger<T>();

    /// <summary>Starts over with a new input and an empty history under the same instance id; return right after it.</summary>
    public abstract void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true);

    /// <summary>A GUID that is the same on every replay.</summary>
    public abstract Guid NewGuid();

    /// <summary>Always null here: history propagation is asked for on the wire, but not read (README.md).</summary>
    public abstract PropagatedHistory? GetPropagatedHistory();
}

/// <summary>Named by <see cref="WorkflowContext.GetPropagatedHistory"/>; has no members in this subset.</summary>
public sealed class PropagatedHistory
{
    PropagatedHistory()
    {
    }
}
