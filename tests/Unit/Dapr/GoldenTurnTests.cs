using Dapr.Workflow;
using LeanPipe.DaprWire;

namespace LeanPipe.Unit.DaprStandIns;

/// <summary>What the official worker answers to the same work items; where this one differs on purpose, the test's name says so.</summary>
public sealed class GoldenTurnTests
{
    [Fact]
    public void A_target_app_is_ignored_when_the_start_event_does_not_say_where_the_workflow_runs()
    {
        var action = Targeted().Begin().Actions.ShouldHaveSingleItem();
        action.Router.ShouldBeNull();
        action.ScheduleTask.Router.ShouldBeNull();
    }

    [Fact]
    public void A_target_app_stands_in_the_action_and_beside_it()
    {
        var action = Targeted().Begin(sourceAppId: "app1").Actions.ShouldHaveSingleItem();
        action.Router.ShouldBe(new TaskRouter { SourceAppID = "app1", TargetAppID = "other" });
        action.ScheduleTask.Router.ShouldBe(action.Router);
    }

    [Fact]
    public void A_suspended_instance_stays_as_it_is_where_the_official_worker_goes_on()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            await context.WaitForExternalEventAsync<int>("e");
            return await context.CallActivityAsync<int>("A");
        });
        tape.Begin();
        tape.Next(Events.Suspended()).Actions.ShouldBeEmpty();
        tape.Next(Events.Raised("e", "1")).Actions.ShouldBeEmpty();
        tape.Next(Events.Resumed()).Short().ShouldBe("0:A()");
        tape.Next(Events.Completed(0, "2")).Short().ShouldBe("0:Completed(2)");
    }

    [Fact]
    public void Actions_of_a_turn_that_ends_suspended_come_with_the_resume_and_the_status_stays()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            context.SetCustomStatus("waiting");
            await context.WaitForExternalEventAsync<int>("e");
            return await context.CallActivityAsync<int>("A");
        });
        tape.Begin();
        var suspended = tape.Next(Events.Raised("e", "1"), Events.Suspended());
        suspended.Actions.ShouldBeEmpty();
        suspended.CustomStatus.ShouldBe("\"waiting\"");
        tape.Next(Events.Suspended()).Actions.ShouldBeEmpty();
        tape.Next(Events.Resumed()).Short().ShouldBe("0:A()");
    }

    [Fact]
    public void The_code_does_not_see_an_event_before_the_resume_and_then_sees_it_live()
    {
        var seen = new List<bool>();
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            context.SetCustomStatus("waiting");
            await context.WaitForExternalEventAsync<int>("e");
            seen.Add(context.IsReplaying);
            context.SetCustomStatus("went on");
            return await context.CallActivityAsync<int>("A");
        });
        tape.Begin();
        tape.Next(Events.Suspended());
        tape.Next(Events.Raised("e", "1")).CustomStatus.ShouldBe("\"waiting\"");
        seen.ShouldBeEmpty();
        tape.Next(Events.Resumed()).CustomStatus.ShouldBe("\"went on\"");
        seen.ShouldBe([false]);
    }

    [Fact]
    public void Continue_as_new_is_one_action_with_the_events_that_nobody_took()
    {
        var tape = InstanceTape.Of<int, int>(async (context, input) =>
        {
            context.SetCustomStatus("round");
            await context.WaitForExternalEventAsync<int>("x");
            context.ContinueAsNew(input + 1);
            return 0;
        });
        tape.Begin("11");
        var answer = tape.Next(Events.Raised("x", "1"), Events.Raised("y", "2"));
        var completion = answer.Actions.ShouldHaveSingleItem().CompleteWorkflow;
        completion.WorkflowStatus.ShouldBe(OrchestrationStatus.ContinuedAsNew);
        completion.Result.ShouldBe("12");
        completion.CarryoverEvents.ShouldHaveSingleItem().EventRaised.Name.ShouldBe("y");
        answer.CustomStatus.ShouldBe("\"round\"");
    }

    [Fact]
    public void Continue_as_new_can_leave_the_events_behind()
    {
        var tape = InstanceTape.Of<int, int>((context, input) =>
        {
            context.ContinueAsNew(input + 1, preserveUnprocessedEvents: false);
            return Task.FromResult(0);
        });
        tape.Next(Events.Started("w", "1"), Events.Raised("y", "2")).Actions.ShouldHaveSingleItem().CompleteWorkflow.CarryoverEvents.ShouldBeEmpty();
    }

    [Fact]
    public void A_null_output_is_the_empty_text()
    {
        var tape = InstanceTape.Of<object, string?>((_, _) => Task.FromResult<string?>(null));
        tape.Begin().Actions.ShouldHaveSingleItem().CompleteWorkflow.Result.ShouldBe("");
    }

    [Fact]
    public void A_missing_input_is_the_default_and_a_null_input_goes_out_as_the_empty_text()
    {
        var tape = InstanceTape.Of<int, int>(async (context, input) => await context.CallActivityAsync<int>("A") + input);
        tape.Begin(string.Empty).Actions.ShouldHaveSingleItem().ScheduleTask.Input.ShouldBe("");
    }

    [Fact]
    public void A_termination_that_is_the_last_event_ends_the_instance_without_a_result()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) => await context.CallActivityAsync<int>("A"));
        tape.Begin();
        var completion = tape.Next(Events.Terminated()).Actions.ShouldHaveSingleItem().CompleteWorkflow;
        completion.WorkflowStatus.ShouldBe(OrchestrationStatus.Terminated);
        completion.Result.ShouldBeNull();
    }

    [Fact]
    public void A_termination_before_another_event_is_left_to_the_sidecar()
    {
        var tape = InstanceTape.Of<object, int>(async (context, _) =>
        {
            await context.WaitForExternalEventAsync<int>("e");
            return await context.CallActivityAsync<int>("A");
        });
        tape.Begin();
        tape.Next(Events.Terminated(), Events.Raised("e", "1")).Short().ShouldBe("0:A()");
    }

    [Fact]
    public void A_patch_asked_for_at_the_live_end_is_on_and_recorded()
    {
        var tape = InstanceTape.Of<object, bool>((context, _) => Task.FromResult(context.IsPatched("p1")));
        var answer = tape.Begin();
        answer.Short().ShouldBe("0:Completed(true)");
        answer.Version.Patches.ShouldBe(["p1"]);
        answer.Version.Name.ShouldBe("w");
    }

    [Fact]
    public void A_patch_is_off_in_an_instance_that_passed_the_place_without_it_and_on_where_the_history_has_it()
    {
        var tape = InstanceTape.Of<object, bool>(async (context, _) =>
        {
            var isOn = context.IsPatched("p1");
            await context.CallActivityAsync("A");
            return isOn;
        });
        tape.Begin();
        tape.Next(Events.Completed(0)).Short().ShouldBe("0:Completed(false)");

        tape.Past[0].WorkflowStarted.Version = new WorkflowVersion { Patches = { "p1" } };
        tape.Replay(tape.Past[..3], [Events.Completed(0)]).Short().ShouldBe("0:Completed(true)");
    }

    [Fact]
    public void A_failure_has_the_exceptions_type_message_and_stack_and_is_final()
    {
        var tape = InstanceTape.Of<object, int>((_, _) => throw new InvalidOperationException("no way", new TimeoutException("inner")));
        var details = tape.Begin().Actions.ShouldHaveSingleItem().CompleteWorkflow.FailureDetails;
        (details.ErrorType, details.ErrorMessage, details.IsNonRetriable).ShouldBe(("System.InvalidOperationException", "no way", true));
        details.StackTrace.ShouldContain(nameof(GoldenTurnTests));
        details.InnerFailure.ShouldBeNull();
    }

    [Fact]
    public void A_failed_child_is_named()
    {
        var tape = InstanceTape.Of<object, string>(async (context, _) =>
        {
            try
            {
                return await context.CallChildWorkflowAsync<string>("C");
            }
            catch (WorkflowTaskFailedException e)
            {
                return $"{e.Message}|{e.FailureDetails.ErrorType}|{e.FailureDetails.ErrorMessage}";
            }
        });
        tape.Begin();
        tape.Next(Events.ChildFailed(0, "why")).Short().ShouldBe("0:Completed(\"Child workflow \\u0027C\\u0027 failed|E|why\")");
    }

    [Fact]
    public void A_failed_activity_can_be_asked_for_its_cause()
    {
        var tape = InstanceTape.Of<object, bool[]>(async (context, _) =>
        {
            try
            {
                await context.CallActivityAsync("A");
                return [];
            }
            catch (WorkflowTaskFailedException e)
            {
                return [e.FailureDetails.IsCausedBy<IOException>(), e.FailureDetails.IsCausedBy<InvalidOperationException>()];
            }
        });
        tape.Begin();
        tape.Next(Events.Failed(0, typeof(FileNotFoundException).FullName!)).Short().ShouldBe("0:Completed([true,false])");
    }

    static InstanceTape Targeted() => InstanceTape.Of<object, int>(async (context, _) =>
        await context.CallActivityAsync<int>("X", options: new WorkflowTaskOptions(TargetAppId: "other")));
}
