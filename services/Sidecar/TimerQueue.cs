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
    readonly ITimer _timer;

    public TimerQueue(TimeProvider time, Action<IReadOnlyList<T>> fire)
    {
        (_time, _fire) = (time, fire);
        _timer = time.CreateTimer(static state => ((TimerQueue<T>)state!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Arm(T timer, DateTimeOffset due)
    {
        if (due >= Never)
            return;
        lock (_gate)
        {
            _queue.Enqueue(timer, due);
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

    void Sleep(DateTimeOffset until)
    {
        var sleep = until - _time.GetUtcNow();
        sleep = sleep < TimeSpan.Zero ? TimeSpan.Zero : sleep > LongestSleep ? LongestSleep : sleep;
        // A timer counts whole milliseconds, rounded down; it must not wake just before it is due.
        _timer.Change(sleep + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
