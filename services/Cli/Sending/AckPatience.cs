namespace LeanPipe.Cli.Sending;

/// <summary>How long one sender waits: for an acknowledgement on a connection, before it tries another, and until it gives up. Thread-safe.</summary>
sealed class AckPatience(ConnectionOptions options, TimeProvider time)
{
    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>A patience that is doubled six times must stay a span of time.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);
    const int Doublings = 6;

    readonly Lock _lock = new();

    /// <summary>The newest of: frames began to wait, an acknowledgement came, another connection was made.</summary>
    long _quietSince;

    /// <summary>The first failure since anything was acknowledged; null while all is well.</summary>
    long? _failingSince;
    int _failures;
    int _silences;

    /// <summary>Silence counts from now.</summary>
    public void Begins()
    {
        lock (_lock) _quietSince = time.GetTimestamp();
    }

    /// <summary>Before the connection is left for its silence. Never longer than until it is given up.</summary>
    /// <param name="isWaiting">Whether anything is to come from the gateway; silence counts for nothing when not.</param>
    public TimeSpan Left(bool isWaiting)
    {
        if (options.AckTimeout == Timeout.InfiniteTimeSpan) return TimeSpan.MaxValue;
        lock (_lock)
        {
            var patience = Least(options.AckTimeout, Longest) * Math.Pow(2, Math.Min(_silences, Doublings));
            if (isWaiting) patience -= time.GetElapsedTime(_quietSince);
            return _failingSince is { } since && isWaiting ? Least(patience, options.GiveUpAfter - time.GetElapsedTime(since)) : patience;
        }
    }

    /// <summary>A connection broke, or none could be made.</summary>
    /// <returns>The pause before another try, and the time left for all of them; null when it is time to give up.</returns>
    public (TimeSpan Pause, TimeSpan Left)? Failed(bool isSilence)
    {
        lock (_lock)
        {
            var left = options.GiveUpAfter - time.GetElapsedTime(_failingSince ??= time.GetTimestamp());
            var pause = FirstPause * Math.Pow(2, Math.Min(_failures++, Doublings));
            if (isSilence) _silences++;
            return left > TimeSpan.Zero ? (Least(left, Least(pause, LongestPause)), left) : null;
        }
    }

    /// <returns>Whether there had been failures.</returns>
    public bool GoesOn()
    {
        lock (_lock)
        {
            var wasFailing = _failingSince is not null;
            (_failingSince, _failures, _silences) = (null, 0, 0);
            return wasFailing;
        }
    }

    static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
