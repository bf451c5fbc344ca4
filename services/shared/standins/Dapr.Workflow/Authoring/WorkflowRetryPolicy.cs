namespace Dapr.Workflow;

/// <summary>How often a failed activity or child is tried again. Attempts and delays are part of the workflow's history.</summary>
public class WorkflowRetryPolicy
{
    // Only the first interval is held against it: an unset maximum does not cap the delays.
    static readonly TimeSpan LongestFirstIntervalWithoutMaximum = TimeSpan.FromHours(1);

    /// <param name="maxNumberOfAttempts">All attempts, the first included; at least 1.</param>
    /// <param name="firstRetryInterval">The delay before the second attempt; more than zero.</param>
    /// <param name="backoffCoefficient">Each delay is the one before times this; at least 1.</param>
    /// <param name="maxRetryInterval">No delay is longer; null does not limit.</param>
    /// <param name="retryTimeout">No attempt starts later than this after the first; null or infinite does not limit.</param>
    public WorkflowRetryPolicy(
        int maxNumberOfAttempts,
        TimeSpan firstRetryInterval,
        double backoffCoefficient = 1.0,
        TimeSpan? maxRetryInterval = null,
        TimeSpan? retryTimeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxNumberOfAttempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(firstRetryInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(backoffCoefficient, 1.0);
        ArgumentOutOfRangeException.ThrowIfLessThan(
            maxRetryInterval ?? LongestFirstIntervalWithoutMaximum, firstRetryInterval, nameof(maxRetryInterval));
        var timeout = retryTimeout ?? Timeout.InfiniteTimeSpan;
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(timeout, firstRetryInterval, nameof(retryTimeout));
        }

        MaxNumberOfAttempts = maxNumberOfAttempts;
        FirstRetryInterval = firstRetryInterval;
        BackoffCoefficient = backoffCoefficient;
        MaxRetryInterval = maxRetryInterval;
        RetryTimeout = timeout;
    }

    public int MaxNumberOfAttempts { get; }

    public TimeSpan FirstRetryInterval { get; }

    public double BackoffCoefficient { get; }

    public TimeSpan? MaxRetryInterval { get; }

    public TimeSpan RetryTimeout { get; }

    /// <summary>The delay after the failed attempt number <paramref name="attempt"/>, counted from 0.</summary>
    internal TimeSpan DelayAfter(int attempt)
    {
        var ceiling = MaxRetryInterval ?? TimeSpan.MaxValue;
        var ticks = FirstRetryInterval.Ticks * Math.Pow(BackoffCoefficient, attempt);
        return ticks >= ceiling.Ticks ? ceiling : TimeSpan.FromTicks((long)ticks);
    }
}
