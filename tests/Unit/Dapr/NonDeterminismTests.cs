using Dapr.Workflow;
using LeanPipe.DaprWire;

namespace LeanPipe.Unit.DaprStandIns;

public sealed class NonDeterminismTests
{
    [Fact]
    public void Another_activity_than_the_history_has_is_named_with_both()
    {
        var failure = Replayed(async context => await context.CallActivityAsync<int>("B"));
        failure.ErrorType.ShouldBe("NonDeterministicWorkflowException");
        failure.ErrorMessage.ShouldStartWith("Call 0 is activity 'A' in the history, but the code asks for activity 'B'.");
        failure.IsNonRetriable.ShouldBeTrue();
    }

    [Fact]
    public void Another_kind_than_the_history_has_is_named_with_both() =>
        Replayed(async context =>
        {
            await context.CreateTimer(TimeSpan.FromSeconds(1));
            return 0;
        }).ErrorMessage.ShouldStartWith("Call 0 is activity 'A' in the history, but the code asks for timer.");

    [Fact]
    public void A_call_that_the_code_no_longer_makes_is_named() =>
        Replayed(async context => await context.WaitForExternalEventAsync<int>("e"))
            .ErrorMessage.ShouldStartWith("Call 0 is activity 'A' in the history, but the code has made only 0 calls so far.");

    [Fact]
    public void A_result_of_another_kind_is_refused()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) => await context.CallActivityAsync<int>("A"));
        tape.Begin();
        tape.Next(Events.Fired(0)).Short().ShouldBe("0:Failed(NonDeterministicWorkflowException)");
    }

    [Fact]
    public void A_workflow_that_awaits_something_foreign_fails_and_is_told_what_to_await()
    {
        var foreign = new TaskCompletionSource<int>();
        var tape = InstanceTape.Of<object, int>((_, _) => foreign.Task);
        var failure = tape.Begin().Actions.ShouldHaveSingleItem().CompleteWorkflow.FailureDetails;
        failure.ErrorMessage.ShouldContain("waits for something that its context did not make");
    }

    [Fact]
    public async Task A_call_from_another_thread_is_refused()
    {
        WorkflowContext? leaked = null;
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            leaked = context;
            return await context.CallActivityAsync<int>("A");
        });
        tape.Begin();
        var refusal = await Should.ThrowAsync<InvalidOperationException>(() => Task.Run(() => leaked!.CallActivityAsync("B")));
        refusal.Message.ShouldContain("outside its turn");
    }

    [Fact]
    public void A_result_that_comes_before_its_call_waits_for_it()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            await context.WaitForExternalEventAsync<int>("go");
            return await context.CallActivityAsync<int>("A");
        });
        tape.Begin();
        tape.Next(Events.Completed(0, "5"));
        tape.Next(Events.Raised("go", "1")).Actions[^1].CompleteWorkflow.Result.ShouldBe("5");
    }

    [Fact]
    public void The_first_result_of_a_task_counts()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            var first = await context.CallActivityAsync<int>("A");
            return first + await context.CallActivityAsync<int>("B");
        });
        tape.Begin();
        tape.Next(Events.Completed(0, "1"), Events.Completed(0, "100"), Events.Failed(0)).Short().ShouldBe("1:B()");
        tape.Next(Events.Completed(1, "2")).Short().ShouldBe("0:Completed(3)");
    }

    // The history has activity 'A' as call 0, done; the code is another by now.
    static TaskFailureDetails Replayed(Func<WorkflowContext, Task<int>> changed)
    {
        var before = InstanceTape.Of<object, int>(async (context, _) => await context.CallActivityAsync<int>("A"));
        before.Begin();
        var after = InstanceTape.Of<object, int>((context, _) => changed(context));
        return after.Replay(before.Past, [Events.TurnStarted(DateTime.UnixEpoch), Events.Completed(0, "1")])
            .Actions.ShouldHaveSingleItem().CompleteWorkflow.FailureDetails;
    }
}
