using Dapr.Workflow;
using LeanPipe.DaprWire;

namespace LeanPipe.Unit.DaprStandIns;

public sealed class ExternalEventTests
{
    [Fact]
    public void An_event_that_came_before_the_call_is_there_in_the_order_of_arrival_whatever_its_case()
    {
        var tape = InstanceTape.Of<object, string>(async (context, _) =>
        {
            await context.CallActivityAsync("A");
            return $"{await context.WaitForExternalEventAsync<int>("GO")}{await context.WaitForExternalEventAsync<int>("go")}";
        });

        tape.Begin().Short().ShouldBe("0:A()");
        tape.Next(Events.Raised("Go", "1"), Events.Raised("other", "9"), Events.Raised("gO", "2")).Short().ShouldBe("");
        tape.Next(Events.Completed(0)).Short().ShouldBe("0:Completed(\"12\")");
    }

    [Fact]
    public void Waiters_of_one_name_are_served_oldest_first()
    {
        var tape = InstanceTape.Of<object, string>(async (context, _) =>
        {
            var first = context.WaitForExternalEventAsync<int>("e");
            var second = context.WaitForExternalEventAsync<int>("E");
            return $"{await first}{await second}";
        });

        tape.Begin().Actions.ShouldBeEmpty();
        tape.Next(Events.Raised("e", "1"));
        tape.Next(Events.Raised("e", "2")).Short().ShouldBe("0:Completed(\"12\")");
    }

    [Fact]
    public void A_wait_with_a_timeout_takes_a_number_for_its_timer_even_when_the_event_is_there()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) => await context.WaitForExternalEventAsync<int>("e", TimeSpan.FromSeconds(60)));

        var answer = tape.Next(Events.Started("w"), Events.Raised("e", "3"));

        answer.Short().ShouldBe("0:timer 0:Completed(3)");
        answer.Actions[0].CreateTimer.ExternalEvent.Name.ShouldBe("e");
    }

    [Fact]
    public void A_timeout_is_a_cancellation_and_its_waiter_takes_no_later_event()
    {
        var tape = InstanceTape.Of<object, string>(async (context, _) =>
        {
            try
            {
                await context.WaitForExternalEventAsync<int>("e", TimeSpan.FromSeconds(60));
                return "came";
            }
            catch (TaskCanceledException)
            {
                return $"late {await context.WaitForExternalEventAsync<int>("e")}";
            }
        });

        tape.Begin().Short().ShouldBe("0:timer");
        tape.Next(Events.Fired(0)).Actions.ShouldBeEmpty();
        tape.Next(Events.Raised("e", "4")).Short().ShouldBe("0:Completed(\"late 4\")");
    }

    [Fact]
    public void A_wait_with_zero_timeout_ends_at_once_without_a_timer()
    {
        var tape = InstanceTape.Of<object, string>(async (context, _) =>
        {
            var wait = context.WaitForExternalEventAsync<int>("e", TimeSpan.Zero);
            return await Task.FromResult($"{wait.IsCanceled}");
        });
        tape.Begin().Short().ShouldBe("0:Completed(\"True\")");
    }

    [Fact]
    public void A_wait_with_negative_timeout_has_a_timer_at_the_end_of_time()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) => await context.WaitForExternalEventAsync<int>("e", Timeout.InfiniteTimeSpan));

        var timer = tape.Begin().Actions.ShouldHaveSingleItem().CreateTimer;

        (timer.FireAt.Seconds, timer.FireAt.Nanos).ShouldBe((253402300799L, 999999999));
        timer.OriginCase.ShouldBe(CreateTimerAction.OriginOneofCase.ExternalEvent);
        tape.Next(Events.Raised("E", "6")).Short().ShouldBe("0:Completed(6)");
    }

    [Fact]
    public void A_wait_without_timeout_makes_no_timer()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) => await context.WaitForExternalEventAsync<int>("e"));
        tape.Begin().Actions.ShouldBeEmpty();
    }

    [Fact]
    public void A_cancelled_waiter_is_passed_over()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            using var stop = new CancellationTokenSource();
            var dropped = context.WaitForExternalEventAsync<int>("e", stop.Token);
            stop.Cancel();
            return dropped.IsCanceled ? await context.WaitForExternalEventAsync<int>("e") : -1;
        });
        tape.Begin();
        tape.Next(Events.Raised("e", "8")).Short().ShouldBe("0:Completed(8)");
    }

    [Fact]
    public void A_waiter_left_over_from_a_race_swallows_the_next_event_of_its_name()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            var left = context.WaitForExternalEventAsync<int>("e");
            await Task.WhenAny(left, context.CreateTimer(TimeSpan.FromSeconds(1)));
            return await context.WaitForExternalEventAsync<int>("e");
        });
        tape.Begin();
        tape.Next(Events.Fired(0));
        tape.Next(Events.Raised("e", "1")).Actions.ShouldBeEmpty();
        tape.Next(Events.Raised("e", "2")).Short().ShouldBe("0:Completed(2)");
    }

    [Fact]
    public void An_event_that_is_not_what_the_code_expects_fails_the_wait_not_the_worker()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) => await context.WaitForExternalEventAsync<int>("e"));
        tape.Begin();
        tape.Next(Events.Raised("e", "\"text\"")).Short().ShouldBe("0:Failed(System.Text.Json.JsonException)");
    }
}
