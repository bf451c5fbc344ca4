using LeanPipe.StepRunner;

namespace LeanPipe.Unit.StepRunner;

public sealed class TaskErrorsTests
{
    [Fact]
    public void A_full_scratch_is_worth_another_attempt_and_says_what_to_do()
    {
        var error = TaskErrors.From(new("hourly"), new IOException("No space left on device : '/scratch/in/00000.ndjson'"));
        (error.Code, error.Transient).ShouldBe(("task.io", true));
        error.Message.ShouldStartWith("Step 'hourly': No space left on device : '/scratch/in/00000.ndjson'");
        error.Message.ShouldContain("free space");
    }

    [Fact]
    public void A_bug_is_not_tried_again() => TaskErrors.From(new("hourly"), new InvalidOperationException("x")).ShouldSatisfyAllConditions(
        e => e.Code.ShouldBe("task.internal"), e => e.Transient.ShouldBeFalse());
}
