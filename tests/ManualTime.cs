namespace LeanPipe.Tests;

/// <summary>A clock that moves when the test says so, and then calls every timer that is due.</summary>
/// <param name="movesTimestamps">Whether what is measured as elapsed moves with it; else that is real.</param>
sealed class ManualTime(DateTimeOffset start, bool movesTimestamps = false) : TimeProvider
{
    readonly Lock _sync = new();
    readonly List<ManualTimer> _timers = [];
    DateTimeOffset _now = start;
    int _count;
    TaskCompletionSource _created = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when somebody begins to wait by this clock, counted from this call.</summary>
    public Task NextTimerAsync()
    {
        lock (_sync) return _created.Task;
    }

    /// <summary>Completes when so many timers were made since the beginning.</summary>
    public async Task CreatedAsync(int count)
    {
        while (true)
        {
            Task next;
            lock (_sync)
            {
                if (_count >= count) return;
                next = _created.Task;
            }
            await next;
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_sync) return _now;
    }

    public override long TimestampFrequency => movesTimestamps ? TimeSpan.TicksPerSecond : base.TimestampFrequency;

    public override long GetTimestamp() => movesTimestamps ? GetUtcNow().UtcTicks : base.GetTimestamp();

    public void Advance(TimeSpan by)
    {
        List<ManualTimer> due;
        lock (_sync)
        {
            _now += by;
            due = [.. _timers.Where(t => t.Due <= _now)];
            foreach (var timer in due) timer.Due = timer.Period > TimeSpan.Zero ? _now + timer.Period : DateTimeOffset.MaxValue;
        }
        foreach (var timer in due) timer.Call();
    }

    /// <summary>Somebody sets the clock; what waits by time that passes goes on waiting.</summary>
    public void Set(TimeSpan by)
    {
        lock (_sync)
        {
            _now += by;
            foreach (var timer in _timers.Where(t => t.Due < DateTimeOffset.MaxValue)) timer.Due += by;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        lock (_sync)
        {
            // At once: a timer that were counted from before an advance and known only after it would never be called.
            timer.Change(dueTime, period);
            _timers.Add(timer);
            _count++;
            _created.SetResult();
            _created = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        if (dueTime == TimeSpan.Zero) timer.Call();
        return timer;
    }

    sealed class ManualTimer(ManualTime time, Action call) : ITimer
    {
        public DateTimeOffset Due { get; set; } = DateTimeOffset.MaxValue;

        public TimeSpan Period { get; private set; }

        public void Call() => call();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._sync)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : time._now + dueTime;
                Period = period;
            }
            return true;
        }

        public void Dispose()
        {
            lock (time._sync) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
