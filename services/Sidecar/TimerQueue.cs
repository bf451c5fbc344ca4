namespace LeanPipe.Sidecar;

/// <summary>Calls back when timers are due, by the wall clock. Holds no durable state: it is armed from the journal's.</summary>
/// <remarks>It wakes at least every minute, so that a clock that was set forward is noticed.</remarks>
sealed class TimerQueue<T> : IDisposable
    where T : IEquatable<T>
{
    static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(1);

    // A wait without end is written as a timer at the end of the calendar; it never fires, so it is never armed.
    static readonly DateTimeOffset Never = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly PriorityQueue<T, DateTimeOffset> _queue = new();
    readonly Lock _gate = new();
    readonly TimeProvider _time;
    readonly Action<IReadOnlyList<T>> _fire;
    readonly Func<T, bool>? _isWanted;
    readonly int _leastSwept;
    readonly ITimer _timer;
    int _sweepAt;

    /// <param name="time">The clock.</param>
    /// <param name="fire">Gets what is due.</param>
    /// <param name="isWanted">Asked from time to time inside <see cref="Arm"/>; a timer that nobody wants any more leaves the queue before its time.</param>
    /// <param name="leastSwept">A queue that is not longer is left alone.</param>
    public TimerQueue(TimeProvider time, Action<IReadOnlyList<T>> fire, Func<T, bool>? isWanted = null, int leastSwept = 1024)
    {
        (_time, _fire, _isWanted, _leastSwept, _sweepAt) = (time, fire, isWanted, leastSwept, leastSwept);
        _timer = time.CreateTimer(static state => ((TimerQueue<T>)state!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Timers that have not fired.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _queue.Count;
        }
    }

    public void Arm(T timer, DateTimeOffset due)
    {
        if (due >= Never)
            return;
        lock (_gate)
        {
            _queue.Enqueue(timer, due);
            if (_queue.Count > _sweepAt && _isWanted is not null)
                Sweep(_isWanted);
            if (_queue.TryPeek(out var first, out _) && first.Equals(timer))
                Sleep(due);
        }
    }

    public void Dispose() => _timer.Dispose();

    void Wake()
    {
        var due = new List<T>();
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            while (_queue.TryPeek(out var timer, out var at) && at <= now)
            {
                due.Add(timer);
                _queue.Dequeue();
            }

            if (_queue.TryPeek(out _, out var next))
                Sleep(next);
        }

        if (due.Count > 0)
            _fire(due);
    }

    // The queue doubles between two sweeps, so that all of them together cost no more than the timers did.
    void Sweep(Func<T, bool> isWanted)
    {
        var wanted = _queue.UnorderedItems.Where(item => isWanted(item.Element)).ToList();
        _queue.Clear();
        _queue.EnqueueRange(wanted);
        _sweepAt = Math.Max(_leastSwept, 2 * _queue.Count);
    }

    void Sleep(DateTimeOffset until)
    {
        var sleep = until - _time.GetUtcNow();
        sleep = sleep < TimeSpan.Zero ? TimeSpan.Zero : sleep > LongestSleep ? LongestSleep : sleep;
        // A timer counts whole milliseconds, rounded down; it must not wake just before it is due.
        _timer.Change(sleep + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
