using LeanPipe.Contracts;
using LeanPipe.Gateway.Network;

namespace LeanPipe.Unit.Gateway;

public sealed class PeerClockTests
{
    static readonly StreamLimits Limits = new() { MaxFrameTime = TimeSpan.FromSeconds(10), IdleTimeout = TimeSpan.FromSeconds(60) };

    readonly Steps _time = new();
    int _closed;

    [Fact]
    public void A_frame_may_take_max_frame_time_over_many_reads()
    {
        var clock = new PeerClock(_time, Limits, () => _closed++);
        for (var i = 0; i < 3; i++) Wait(clock, seconds: 3);
        _closed.ShouldBe(0);
        Wait(clock, seconds: 1);
        _closed.ShouldBe(1);
        clock.Overdue.ShouldBe(CloseReason.SlowFrame);
        Wait(clock, seconds: 100);
        _closed.ShouldBe(1);
    }

    [Fact]
    public void Time_in_which_the_gateway_does_not_read_is_not_the_peers()
    {
        var clock = new PeerClock(_time, Limits, () => _closed++);
        Wait(clock, seconds: 9);
        _time.Now += TimeSpan.FromHours(1);
        clock.Check();
        clock.Overdue.ShouldBeNull();
        Wait(clock, seconds: 1);
        clock.Overdue.ShouldBe(CloseReason.SlowFrame);
    }

    [Fact]
    public void The_end_of_a_frame_gives_the_next_its_own_time()
    {
        var clock = new PeerClock(_time, Limits, () => _closed++);
        for (var i = 0; i < 100; i++)
        {
            Wait(clock, seconds: 9);
            clock.FrameEnded();
        }
        clock.Overdue.ShouldBeNull();
    }

    [Fact]
    public void Silence_between_frames_is_idle_and_not_slow()
    {
        var clock = new PeerClock(_time, Limits, () => _closed++);
        Wait(clock, seconds: 59, isMidFrame: false);
        clock.Overdue.ShouldBeNull();
        Wait(clock, seconds: 60, isMidFrame: false);
        clock.Overdue.ShouldBe(CloseReason.Idle);
    }

    [Fact]
    public void Without_an_idle_timeout_a_silent_peer_stays()
    {
        var clock = new PeerClock(_time, Limits with { IdleTimeout = null }, () => _closed++);
        Wait(clock, seconds: 1_000_000, isMidFrame: false);
        clock.Overdue.ShouldBeNull();
    }

    void Wait(PeerClock clock, int seconds, bool isMidFrame = true)
    {
        clock.BeginWait(isMidFrame);
        _time.Now += TimeSpan.FromSeconds(seconds);
        clock.Check();
        clock.EndWait();
    }

    sealed class Steps : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
