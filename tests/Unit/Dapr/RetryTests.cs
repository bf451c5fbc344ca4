using Dapr.Workflow;
using LeanPipe.DaprWire;

namespace LeanPipe.Unit.DaprStandIns;

public sealed class RetryTests
{
    [Fact]
    public void Delays_grow_by_the_coefficient_up_to_the_maximum()
    {
        var policy = new WorkflowRetryPolicy(10, TimeSpan.FromSeconds(1), 3, TimeSpan.FromSeconds(20));
        Enumerable.Range(0, 5).Select(attempt => policy.DelayAfter(attempt).TotalSeconds).ShouldBe([1, 3, 9, 20, 20]);
    }

    [Fact]
    public void Without_a_maximum_the_delay_is_not_capped()
    {
        var policy = new WorkflowRetryPolicy(1000, TimeSpan.FromMinutes(30), 2);
        policy.DelayAfter(3).ShouldBe(TimeSpan.FromHours(4));
        policy.DelayAfter(900).ShouldBe(TimeSpan.MaxValue);
    }

    [Fact]
    public void A_policy_refuses_what_it_could_not_do()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => new WorkflowRetryPolicy(0, TimeSpan.FromSeconds(1)));
        Should.Throw<ArgumentOutOfRangeException>(() => new WorkflowRetryPolicy(1, TimeSpan.Zero));
        Should.Throw<ArgumentOutOfRangeException>(() => new WorkflowRetryPolicy(1, TimeSpan.FromSeconds(1), 0.5));
        Should.Throw<ArgumentOutOfRangeException>(() => new WorkflowRetryPolicy(1, TimeSpan.FromSeconds(2), 1, TimeSpan.FromSeconds(1)));
        Should.Throw<ArgumentOutOfRangeException>(() => new WorkflowRetryPolicy(1, TimeSpan.FromHours(2)));
        Should.Throw<ArgumentOutOfRangeException>(
            () => new WorkflowRetryPolicy(1, TimeSpan.FromSeconds(2), 1, null, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void After_the_last_attempt_its_own_failure_is_thrown()
    {
        var tape = Retried(new WorkflowRetryPolicy(2, TimeSpan.FromSeconds(1)));
        tape.Begin();
        var timer = tape.Next(Events.Failed(0, message: "first")).Actions.ShouldHaveSingleItem().CreateTimer;
        timer.FireAt.ToDateTime().ShouldBe(new DateTime(2026, 1, 1, 10, 1, 1, DateTimeKind.Utc));
        tape.Next(Events.Fired(1));
        tape.Next(Events.Failed(2, message: "second")).Short().ShouldBe("0:Completed(\"Task failed: second\")");
    }

    [Fact]
    public void A_retry_timeout_ends_the_attempts()
    {
        var tape = Retried(new WorkflowRetryPolicy(100, TimeSpan.FromSeconds(1), retryTimeout: TimeSpan.FromSeconds(90)));
        tape.Begin();
        tape.Next(Events.Failed(0)).Short().ShouldBe("1:timer", "one minute after the first attempt");
        tape.Next(Events.Fired(1), Events.Failed(2)).Short().ShouldStartWith("2:A() 0:Completed(\"Task failed", Case.Sensitive, "two minutes after");
    }

    [Fact]
    public void Each_attempt_has_its_own_execution_id_and_the_timers_name_the_first()
    {
        var tape = Retried(new WorkflowRetryPolicy(3, TimeSpan.FromSeconds(1)));
        var first = tape.Begin().Actions[0].ScheduleTask.TaskExecutionId;
        tape.Next(Events.Failed(0)).Actions[0].CreateTimer.ActivityRetry.TaskExecutionId.ShouldBe(first);
        var second = tape.Next(Events.Fired(1)).Actions[0].ScheduleTask.TaskExecutionId;
        second.ShouldNotBe(first);
        tape.Next(Events.Failed(2)).Actions[0].CreateTimer.ActivityRetry.TaskExecutionId.ShouldBe(first);
    }

    [Fact]
    public void A_failure_in_the_workflows_own_code_is_not_retried()
    {
        var tape = Retried(new WorkflowRetryPolicy(3, TimeSpan.FromSeconds(1)));
        tape.Begin();
        tape.Next(Events.Completed(0, "\"no number\"")).Short().ShouldBe("0:Failed(System.Text.Json.JsonException)");
    }

    [Fact]
    public void A_child_is_retried_under_a_new_id_unless_it_was_given_one()
    {
        string[] Ids(string? instanceId)
        {
            var options = new ChildWorkflowTaskOptions(instanceId, new WorkflowRetryPolicy(2, TimeSpan.FromSeconds(1)));
            var tape = InstanceTape.Of<object, int>(async (context, _) => await context.CallChildWorkflowAsync<int>("C", options: options));
            var first = tape.Begin().Actions[0].CreateChildWorkflow.InstanceId;
            var origin = tape.Next(Events.ChildFailed(0)).Actions[0].CreateTimer.ChildWorkflowRetry.InstanceId;
            return [first, origin, tape.Next(Events.Fired(1)).Actions[0].CreateChildWorkflow.InstanceId];
        }

        Ids("mine").ShouldBe(["mine", "mine", "mine"]);
        var made = Ids(null);
        made[0].ShouldBe("5baf5ade-0f6a-51f9-bfd4-d55e14589c4d");
        made[1].ShouldBe(made[0]);
        made[2].ShouldNotBe(made[0]);
    }

    static InstanceTape Retried(WorkflowRetryPolicy policy) => InstanceTape.Of<object, string>(async (context, _) =>
    {
        try
        {
            return $"{await context.CallActivityAsync<int>("A", options: new WorkflowTaskOptions(policy))}";
        }
        catch (WorkflowTaskFailedException e)
        {
            return e.Message;
        }
    });
}
