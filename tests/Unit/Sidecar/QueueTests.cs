using LeanPipe.Sidecar;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Unit.Sidecar;

/// <summary>What waits in memory stays in proportion to what is still wanted.</summary>
public sealed class QueueTests
{
    static readonly DateTimeOffset InAYear = DateTimeOffset.UtcNow.AddDays(365);

    [Fact]
    public void Timers_that_nobody_wants_any_more_leave_before_their_time()
    {
        var wanted = new HashSet<int>();
        using var timers = new TimerQueue<int>(TimeProvider.System, _ => { }, wanted.Contains);
        for (var i = 0; i < 50_000; i++)
        {
            wanted.Add(i);
            timers.Arm(i, InAYear);
            if (i % 100 != 0)
                wanted.Remove(i);
        }

        wanted.Count.ShouldBe(500);
        timers.Count.ShouldBeLessThan(3000);
    }

    [Fact]
    public async Task A_timer_that_is_wanted_survives_the_sweeps_and_fires()
    {
        var fired = new TaskCompletionSource<IReadOnlyList<int>>();
        using var timers = new TimerQueue<int>(TimeProvider.System, due => fired.TrySetResult(due), i => i == -1, leastSwept: 4);
        timers.Arm(-1, DateTimeOffset.UtcNow.AddMilliseconds(200));
        for (var i = 0; i < 100; i++)
            timers.Arm(i, InAYear);
        timers.Count.ShouldBeLessThan(10);
        (await fired.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).ShouldBe([-1]);
    }

    [Fact]
    public void A_line_forgets_what_was_forgotten_and_keeps_its_order()
    {
        var line = new WaitingLine<int>();
        for (var i = 0; i < 10_000; i++)
        {
            line.Enqueue(i);
            line.Sweep(n => n % 1000 == 0);
        }

        line.Count.ShouldBeLessThan(1100);
        new[] { line.Dequeue(), line.Dequeue(), line.Dequeue() }.ShouldBe([0, 1000, 2000]);
    }
}
