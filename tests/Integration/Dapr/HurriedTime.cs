namespace LeanPipe.Integration.DaprStandIns;

/// <summary>Time in which every wait is a thousandth as long: reconnects and keep-alives come without waiting for them.</summary>
sealed class HurriedTime : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, Shorten(dueTime), Shorten(period));

    static TimeSpan Shorten(TimeSpan time) => time <= TimeSpan.Zero ? time : TimeSpan.FromMilliseconds(Math.Max(1, time.TotalMilliseconds / 1000));
}
