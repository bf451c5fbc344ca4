using System.Collections.Concurrent;

namespace LeanPipe.Gateway.Network;

/// <summary>The clocks of all open connections, looked at by one timer.</summary>
sealed class PeerClocks : IDisposable
{
    /// <summary>How late an overdue peer is noticed. Looking at 10,000 clocks takes less than a millisecond.</summary>
    static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    readonly ConcurrentDictionary<PeerClock, bool> _clocks = new();
    readonly ITimer _timer;

    public PeerClocks(TimeProvider time) => _timer = time.CreateTimer(_ => Check(), null, Tick, Tick);

    public void Add(PeerClock clock) => _clocks.TryAdd(clock, true);

    public void Remove(PeerClock clock) => _clocks.TryRemove(clock, out _);

    public void Dispose() => _timer.Dispose();

    void Check()
    {
        foreach (var clock in _clocks.Keys) clock.Check();
    }
}
