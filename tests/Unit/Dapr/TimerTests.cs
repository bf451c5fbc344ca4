using LeanPipe.DaprWire;

namespace LeanPipe.Unit.DaprStandIns;

public sealed class TimerTests
{
    [Fact]
    public void A_timer_fires_at_the_turns_time_plus_the_delay()
    {
        var tape = InstanceTape.Of<object, DateTime>(async (context, _) =>
        {
            await context.CreateTimer(TimeSpan.FromSeconds(30));
            return context.CurrentUtcDateTime;
        });

        var timer = tape.Begin().Actions.ShouldHaveSingleItem().CreateTimer;

        timer.FireAt.ToDateTime().ShouldBe(new DateTime(2026, 1, 1, 10, 0, 30, DateTimeKind.Utc));
        timer.OriginCase.ShouldBe(CreateTimerAction.OriginOneofCase.CreateTimer);
        tape.Next(Events.Fired(0)).Short().ShouldBe("0:Completed(\"2026-01-01T10:01:00Z\")");
    }

    [Fact]
    public void A_timer_at_a_local_time_is_refused()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            await context.CreateTimer(new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Local), CancellationToken.None);
            return 0;
        });
        tape.Begin().Short().ShouldBe("0:Failed(System.ArgumentException)");
    }

    [Fact]
    public void A_cancelled_timer_ends_here_and_stays_in_the_history()
    {
        var tape = InstanceTape.Of<object, bool>(async (context, _) =>
        {
            using var stop = new CancellationTokenSource();
            var timer = context.CreateTimer(TimeSpan.FromHours(1), stop.Token);
            stop.Cancel();
            await context.CallActivityAsync("A");
            return timer.IsCanceled;
        });
        tape.Begin().Short().ShouldBe("0:timer 1:A()");
        tape.Next(Events.Fired(0), Events.Completed(1)).Short().ShouldBe("0:Completed(true)");
    }
}
