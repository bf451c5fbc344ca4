using Dapr.Workflow;

namespace LeanPipe.Unit.DaprStandIns;

public sealed class SequenceNumberTests
{
    [Fact]
    public void Every_numbered_call_takes_the_next_number_at_the_moment_of_the_call()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            var activity = context.CallActivityAsync<int>("A", 1);
            var timer = context.CreateTimer(TimeSpan.FromHours(1));
            var child = context.CallChildWorkflowAsync<int>("C", 2);
            var raised = context.WaitForExternalEventAsync<int>("e");
            context.SendEvent("other", "ping", 1);
            context.SetCustomStatus("busy");
            _ = context.NewGuid();
            _ = context.IsPatched("p");
            var last = context.CallActivityAsync<int>("B");
            await Task.WhenAll(activity, timer, child, raised, last);
            return 0;
        });

        tape.Begin().Short().ShouldBe("0:A(1) 1:timer 2:child C(2) 3:send ping 4:B()");
    }

    [Fact]
    public void The_completion_takes_no_number()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) => await context.CallActivityAsync<int>("A"));
        tape.Begin();
        tape.Next(Events.Completed(0, "7")).Short().ShouldBe("0:Completed(7)");
    }

    [Fact]
    public void Continue_as_new_takes_a_number()
    {
        var tape = InstanceTape.Of<int, int>(async (context, input) =>
        {
            await context.CallActivityAsync("A");
            context.ContinueAsNew(input + 1);
            return 0;
        });
        tape.Begin("11");
        tape.Next(Events.Completed(0)).Short().ShouldBe("1:ContinuedAsNew(12)");
    }

    [Fact]
    public void Two_attempts_of_an_activity_take_three_numbers()
    {
        var options = new WorkflowTaskOptions(new WorkflowRetryPolicy(2, TimeSpan.FromSeconds(1)));
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            var retried = await context.CallActivityAsync<int>("A", options: options);
            return retried + await context.CallActivityAsync<int>("B");
        });

        tape.Begin().Short().ShouldBe("0:A()");
        tape.Next(Events.Failed(0)).Short().ShouldBe("1:timer");
        tape.Next(Events.Fired(1)).Short().ShouldBe("2:A()");
        tape.Next(Events.Completed(2, "1")).Short().ShouldBe("3:B()");
        tape.Next(Events.Completed(3, "2")).Short().ShouldBe("0:Completed(3)");
    }

    [Fact]
    public void Actions_that_nobody_awaited_go_out_with_the_completion()
    {
        var tape = InstanceTape.Of<object, int>((context, _) =>
        {
            _ = context.CallActivityAsync("forgotten");
            return Task.FromResult(5);
        });
        tape.Begin().Short().ShouldBe("0:forgotten() 0:Completed(5)");
    }
}
