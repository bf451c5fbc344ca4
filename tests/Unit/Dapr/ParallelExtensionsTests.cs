using Dapr.Workflow;

namespace LeanPipe.Unit.DaprStandIns;

public sealed class ParallelExtensionsTests
{
    [Fact]
    public void A_window_slides_and_the_results_are_in_the_order_of_the_inputs()
    {
        var tape = InstanceTape.Of<object, int[]>(
            (context, _) => context.ProcessInParallelAsync([10, 20, 30], input => context.CallActivityAsync<int>("A", input), 2));
        tape.Begin().Short().ShouldBe("0:A(10) 1:A(20)");
        tape.Next(Events.Completed(1, "2")).Short().ShouldBe("2:A(30)");
        tape.Next(Events.Completed(2, "3")).Actions.ShouldBeEmpty();
        tape.Next(Events.Completed(0, "1")).Short().ShouldBe("0:Completed([1,2,3])");
    }

    [Fact]
    public void All_inputs_are_tried_and_all_failures_are_told()
    {
        var tape = InstanceTape.Of<object, string>(async (context, _) =>
        {
            try
            {
                await context.ProcessInParallelAsync([1, 2, 3], input => context.CallActivityAsync<int>("A", input), 1);
                return "none";
            }
            catch (AggregateException e)
            {
                return $"{e.InnerExceptions.Count} of 3";
            }
        });
        tape.Begin();
        tape.Next(Events.Failed(0)).Short().ShouldBe("1:A(2)");
        tape.Next(Events.Completed(1, "2")).Short().ShouldBe("2:A(3)");
        tape.Next(Events.Failed(2)).Short().ShouldBe("0:Completed(\"2 of 3\")");
    }
}
