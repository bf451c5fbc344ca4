using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Network;

/// <summary>How long a connection has waited for its peer. Time in which the gateway itself does not read is not the peer's.</summary>
/// <remarks>The connection says when it waits; <see cref="PeerClocks"/> looks at all of them from one timer, so that reading costs no timer of its own.</remarks>
sealed class PeerClock(TimeProvider time, StreamLimits limits, Action close)
{
    readonly Lock _sync = new();
    long _waitingSince;
    bool _isWaiting;
    bool _isMidFrame;
    TimeSpan _waitedForFrame;

    /// <summary>Set once, when the peer was waited for too long.</summary>
    public CloseReason? Overdue { get; private set; }

    /// <param name="isMidFrame">Whether a frame has begun and not ended.</param>
    public void BeginWait(bool isMidFrame)
    {
        lock (_sync) (_isWaiting, _isMidFrame, _waitingSince) = (true, isMidFrame, time.GetTimestamp());
    }

    public void EndWait()
    {
        lock (_sync)
        {
            if (_isWaiting && _isMidFrame) _waitedForFrame += time.GetElapsedTime(_waitingSince);
            _isWaiting = false;
        }
    }

    public void FrameEnded()
    {
        lock (_sync) _waitedForFrame = TimeSpan.Zero;
    }

    /// <summary>Closes the connection when its peer is overdue.</summary>
    public void Check()
    {
        lock (_sync)
        {
            if (!_isWaiting || Overdue is not null) return;
            var waited = time.GetElapsedTime(_waitingSince);
            if (_isMidFrame && _waitedForFrame + waited >= limits.MaxFrameTime) Overdue = CloseReason.SlowFrame;
            else if (waited >= limits.IdleTimeout) Overdue = CloseReason.Idle;
            else return;
        }
        close();
    }
}
