using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Unit.Sidecar;

/// <summary>The turn model as functions: state and an answer in, state and messages out.</summary>
public sealed class TurnTests
{
    static readonly Timestamp Now = new() { Seconds = 1_800_000_000 };
    static readonly TurnContext Context = new("app", Now, () => "new-execution");

    readonly Instance _instance = New("wf");

    [Fact]
    public void A_turn_shows_the_history_then_a_fresh_start_then_the_inbox()
    {
        var turn = Turns.Begin(_instance, Context);
        turn.Past.ShouldBeEmpty();
        turn.NewEvents.Select(e => e.EventTypeCase).ShouldBe([HistoryEvent.EventTypeOneofCase.WorkflowStarted, HistoryEvent.EventTypeOneofCase.ExecutionStarted]);
        turn.NewEvents.ShouldAllBe(e => e.EventId == -1);
    }

    [Fact]
    public void Events_of_a_turn_stand_in_front_of_what_its_actions_made()
    {
        Answer(Task(0), Timer(1));
        _instance.History.Select(e => e.EventTypeCase.ToString()).ShouldBe(["WorkflowStarted", "ExecutionStarted", "TaskScheduled", "TimerCreated"]);
        _instance.Inbox.ShouldBeEmpty();
        Turns.Status(_instance).ShouldBe(OrchestrationStatus.Running);
    }

    [Fact]
    public void Status_is_pending_until_the_first_turn_is_committed()
    {
        Turns.Status(_instance).ShouldBe(OrchestrationStatus.Pending);
        Answer();
        Turns.Status(_instance).ShouldBe(OrchestrationStatus.Running);
    }

    [Fact]
    public void An_event_that_came_during_the_turn_stays_for_the_next()
    {
        var turn = Turns.Begin(_instance, Context);
        Post(Events.Raised(Now, "late", "1"));
        _instance.Apply(TurnActions.Apply(_instance, turn, new WorkflowResponse(), Context).Change);
        _instance.Inbox.Single().EventRaised.Name.ShouldBe("late");
    }

    [Fact]
    public void Every_made_event_has_the_actions_id_and_this_app_as_source()
    {
        var task = Task(7);
        task.Router = new TaskRouter { SourceAppID = "forged" };
        Answer(task);
        var scheduled = _instance.History[^1];
        scheduled.EventId.ShouldBe(7);
        scheduled.Router.SourceAppID.ShouldBe("app");
        _instance.OpenTasks.Keys.ShouldBe([7]);
    }

    [Fact]
    public void Custom_status_is_overwritten_and_cleared_when_absent()
    {
        Answer(new WorkflowResponse { CustomStatus = "\"half\"" });
        _instance.CustomStatus.ShouldBe("\"half\"");
        Answer(new WorkflowResponse());
        _instance.CustomStatus.ShouldBeNull();
    }

    [Fact]
    public void A_timer_keeps_its_origin()
    {
        var timer = Timer(1);
        timer.CreateTimer.ExternalEvent = new TimerOriginExternalEvent { Name = "e" };
        Answer(timer);
        _instance.History[^1].TimerCreated.ExternalEvent.Name.ShouldBe("e");
    }

    [Fact]
    public void A_child_gets_an_id_from_its_parent_and_knows_it()
    {
        var message = Answer(new WorkflowAction { Id = 31, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "kid", Input = "1" } }).Messages.Single();
        message.InstanceId.ShouldBe("wf:001f");
        var parent = message.Event.ExecutionStarted.ParentInstance;
        (parent.TaskScheduledId, parent.Name, parent.AppID, parent.WorkflowInstance.InstanceId).ShouldBe((31, "name", "app", "wf"));
        message.Event.ExecutionStarted.WorkflowInstance.ExecutionId.ShouldBe("new-execution");
    }

    [Fact]
    public void A_detached_workflow_has_no_parent_and_needs_an_id()
    {
        var outcome = Answer(new WorkflowAction { CreateDetachedWorkflow = new CreateDetachedWorkflowAction { InstanceId = "d", Name = "n" } });
        outcome.Messages.Single().Event.ExecutionStarted.ParentInstance.ShouldBeNull();
        Answer(new WorkflowAction { CreateDetachedWorkflow = new CreateDetachedWorkflowAction { Name = "n" } });
        _instance.Completed!.FailureDetails.ErrorType.ShouldBe("InstanceIdMissing");
    }

    [Fact]
    public void Terminating_another_instance_becomes_a_message()
    {
        var outcome = Answer(new WorkflowAction { TerminateWorkflow = new TerminateWorkflowAction { InstanceId = "o", Reason = "r", Recurse = true } });
        outcome.Messages.Single().Event.ExecutionTerminated.Recurse.ShouldBeTrue();
    }

    [Theory]
    [InlineData(OrchestrationStatus.Completed)]
    [InlineData(OrchestrationStatus.ContinuedAsNew)]
    public void A_turn_that_sends_an_event_fails_the_workflow_and_does_nothing_else(OrchestrationStatus ends)
    {
        var send = new WorkflowAction { Id = 1, SendEvent = new SendEventAction { Instance = new WorkflowInstance { InstanceId = "o" }, Name = "e", Data = "secret" } };
        var end = Complete("1");
        end.CompleteWorkflow.WorkflowStatus = ends;

        // Whatever the order: what comes first must not hide it.
        var outcome = Answer(Task(0), end, send, new WorkflowAction { Id = 2, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "kid" } });

        outcome.Messages.ShouldBeEmpty();
        _instance.OpenTasks.ShouldBeEmpty();
        Turns.Status(_instance).ShouldBe(OrchestrationStatus.Failed);
        var failure = _instance.Completed!.FailureDetails;
        (failure.ErrorType, failure.IsNonRetriable).ShouldBe(("SendEventNotSupported", true));
        failure.ErrorMessage.ShouldContain("'e'");
        failure.ErrorMessage.ShouldContain("RaiseEventAsync");
        failure.ErrorMessage.ShouldNotContain("secret");
    }

    [Fact]
    public void What_is_for_another_app_is_routed_there_and_waits()
    {
        var (task, child) = (Task(1), new WorkflowAction { Id = 2, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "kid" } });
        task.Router = child.Router = new TaskRouter { TargetAppID = "elsewhere" };
        var message = Answer(task, child).Messages.Single();
        (InstanceKey.AppOf(message.InstanceId), InstanceKey.IdOf(message.InstanceId)).ShouldBe(("elsewhere", "wf:0002"));
        (message.Event.Router.SourceAppID, message.Event.Router.TargetAppID).ShouldBe(("app", "elsewhere"));
        _instance.OpenTasks[1].Router.TargetAppID.ShouldBe("elsewhere");
        _instance.Inbox.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(null, "i", "i")]
    [InlineData("b", "i", "b\u001fi")]
    [InlineData(null, "b\u001fi", "\u001fb\u001fi")]
    public void No_id_of_one_app_is_the_key_of_another(string? app, string id, string key)
    {
        InstanceKey.Of(app, id).ShouldBe(key);
        (InstanceKey.AppOf(key), InstanceKey.IdOf(key)).ShouldBe((app, id));
    }

    [Fact]
    public void The_first_completion_counts()
    {
        Answer(Complete("1"), Complete("2"));
        _instance.Completed!.Result.ShouldBe("1");
        _instance.History.Count(e => e.ExecutionCompleted is not null).ShouldBe(1);
    }

    [Fact]
    public void An_unknown_action_fails_the_workflow_by_name()
    {
        Answer(new WorkflowAction { Id = 4 });
        Turns.Status(_instance).ShouldBe(OrchestrationStatus.Failed);
        _instance.Completed!.FailureDetails.ErrorType.ShouldBe("UnknownWorkflowAction");
    }

    [Theory]
    [InlineData(OrchestrationStatus.Completed, HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceCompleted)]
    [InlineData(OrchestrationStatus.Failed, HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceFailed)]
    [InlineData(OrchestrationStatus.Terminated, HistoryEvent.EventTypeOneofCase.ChildWorkflowInstanceFailed)]
    public void A_parent_hears_how_its_child_ended(OrchestrationStatus status, HistoryEvent.EventTypeOneofCase told)
    {
        var child = New("kid", parent: "wf");
        var end = Complete("1");
        end.CompleteWorkflow.WorkflowStatus = status;
        var message = TurnActions.Apply(child, Turns.Begin(child, Context), new WorkflowResponse { Actions = { end } }, Context).Messages.Single();
        (message.InstanceId, message.ExecutionId, message.Event.EventTypeCase).ShouldBe(("wf", "execution-of-wf", told));
        (message.Event.ChildWorkflowInstanceFailed?.FailureDetails.ErrorMessage ?? "told").ShouldNotBeEmpty();
    }

    [Fact]
    public void Continuing_as_new_keeps_name_parent_and_status_and_drops_the_old_generation()
    {
        var instance = New("wf", parent: "p");
        Commit(instance, new WorkflowResponse { Actions = { Task(0), Task(1) } });
        Post(instance, Events.TaskCompleted(Now, instance.OpenTasks[0], "r"));
        var turn = Turns.Begin(instance, Context);
        Post(instance, Events.TaskCompleted(Now, instance.OpenTasks[1], "late result"));
        Post(instance, Events.Raised(Now, "late event", "1"));
        var again = new WorkflowAction { CompleteWorkflow = new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.ContinuedAsNew, Result = "2", CarryoverEvents = { Events.Raised(Now, "kept", "1") } } };
        instance.Apply(TurnActions.Apply(instance, turn, new WorkflowResponse { CustomStatus = "s", Actions = { again, Task(9) } }, Context).Change);

        instance.History.ShouldBeEmpty();
        instance.OpenTasks.ShouldBeEmpty();
        instance.Generation.ShouldBe(1);
        instance.CustomStatus.ShouldBe("s");
        instance.Inbox.Select(e => e.EventRaised?.Name ?? e.EventTypeCase.ToString()).ShouldBe(["ExecutionStarted", "kept", "late event"]);
        var started = instance.Inbox[0].ExecutionStarted;
        (started.Name, started.Input, started.ParentInstance.WorkflowInstance.InstanceId, started.WorkflowInstance.ExecutionId)
            .ShouldBe(("name", "2", "p", "new-execution"));
        Turns.Status(instance).ShouldBe(OrchestrationStatus.Running);
    }

    [Fact]
    public void A_missing_version_or_patch_stalls_the_turn()
    {
        Commit(_instance, new WorkflowResponse { Version = new WorkflowVersion { Patches = { "p1", "p2" } } });
        _instance.History[0].WorkflowStarted.Version.Patches.ShouldBe(["p1", "p2"]);
        Post(Events.Raised(Now, "e", null));
        var turn = Turns.Begin(_instance, Context);

        TurnActions.Stalls(turn, new WorkflowResponse { Actions = { new WorkflowAction { WorkflowVersionNotAvailable = new() } } }).ShouldBe(StalledReason.VersionNotAvailable);
        TurnActions.Stalls(turn, new WorkflowResponse { Version = new WorkflowVersion { Patches = { "p1" } } }).ShouldBe(StalledReason.PatchMismatch);
        TurnActions.Stalls(turn, new WorkflowResponse()).ShouldBeNull();
        var more = new WorkflowResponse { Version = new WorkflowVersion { Patches = { "p1", "p2", "p3" } } };
        TurnActions.Stalls(turn, more).ShouldBeNull();
        Commit(_instance, more);
        _instance.History.Last(e => e.WorkflowStarted is not null).WorkflowStarted.Version.Patches.ShouldBe(["p3"]);
    }

    [Fact]
    public void Suspended_between_turns_holds_and_resumed_runs_on()
    {
        Answer(Task(0));
        Post(Events.Suspended(Now, "why"));
        Turns.Control(_instance, turnInFlight: true, Context).ShouldBeNull();
        Settle();
        Turns.Status(_instance).ShouldBe(OrchestrationStatus.Suspended);
        Post(Events.Suspended(Now, "twice"));
        Post(Events.TaskCompleted(Now, _instance.OpenTasks[0], "r"));
        Settle();
        _instance.Inbox.Single().TaskCompleted.ShouldNotBeNull();
        _instance.History.Count(e => e.ExecutionSuspended is not null).ShouldBe(1);
        Post(Events.Resumed(Now, null));
        Settle();
        Turns.IsHeld(_instance).ShouldBeFalse();
        _instance.Inbox.Count.ShouldBe(1);
        _instance.History[^1].ExecutionResumed.ShouldNotBeNull();
    }

    [Fact]
    public void Suspended_before_its_first_turn_it_waits_with_its_start_first()
    {
        Post(Events.Resumed(Now, null));
        Post(Events.Suspended(Now, null));
        Post(Events.Suspended(Now, null));
        Settle();
        Turns.Status(_instance).ShouldBe(OrchestrationStatus.Suspended);
        Post(Events.Resumed(Now, null));
        Settle();
        Turns.Status(_instance).ShouldBe(OrchestrationStatus.Pending);
        _instance.Inbox.Single().ExecutionStarted.ShouldNotBeNull();
    }

    [Fact]
    public void Terminated_even_under_a_turn_in_flight_and_while_suspended()
    {
        Answer(Task(0), Timer(1), new WorkflowAction { Id = 2, CreateChildWorkflow = new CreateChildWorkflowAction { InstanceId = "kid", Name = "k" } });
        Post(Events.Suspended(Now, null));
        Settle();
        Post(Events.Raised(Now, "e", "1"));
        Post(Events.Terminated(Now, "\"out\"", recurse: true));
        var outcome = Turns.Control(_instance, turnInFlight: true, Context)!;
        _instance.Apply(outcome.Change);

        _instance.Completed!.WorkflowStatus.ShouldBe(OrchestrationStatus.Terminated);
        _instance.Completed.Result.ShouldBe("\"out\"");
        _instance.Inbox.ShouldBeEmpty();
        outcome.Messages.Single().InstanceId.ShouldBe("kid");
        outcome.Messages.Single().Event.ExecutionTerminated.Recurse.ShouldBeTrue();
    }

    [Fact]
    public void Only_the_first_resolution_of_something_open_is_accepted()
    {
        Answer(Task(0), Timer(1), new WorkflowAction { Id = 2, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "k" } });
        var task = Events.TaskCompleted(Now, _instance.OpenTasks[0], "1");
        var failed = Events.TaskFailed(Now, _instance.OpenTasks[0], Events.Failure("t", "m"));
        var timer = Events.TimerFired(Now, _instance.OpenTimers[1]);
        var child = Events.ChildFailed(Now, "app", 2, Events.Failure("t", "m"));
        foreach (var e in new[] { task, timer, child })
        {
            Inbox.Accepts(_instance, e).ShouldBeTrue();
            Post(e);
            Inbox.Accepts(_instance, e).ShouldBeFalse();
        }

        Inbox.Accepts(_instance, failed).ShouldBeFalse();
        Answer();
        Inbox.Accepts(_instance, task).ShouldBeFalse();
        Inbox.Accepts(_instance, Events.ChildFailed(Now, "app", 99, Events.Failure("t", "m"))).ShouldBeFalse();
    }

    [Fact]
    public void A_second_start_and_a_repeated_event_are_not_accepted_but_a_second_event_is()
    {
        Inbox.Accepts(_instance, Events.Started(Now, "app", new ExecutionStartedEvent())).ShouldBeFalse();
        var raised = Events.Raised(Now, "e", "1");
        Post(raised);
        Inbox.Accepts(_instance, raised.Clone()).ShouldBeFalse();
        Inbox.Accepts(_instance, Events.Raised(new Timestamp { Seconds = 1 }, "e", "1")).ShouldBeTrue();
    }

    [Fact]
    public void A_result_for_another_execution_is_not_accepted()
    {
        Answer(new WorkflowAction { Id = 2, CreateChildWorkflow = new CreateChildWorkflowAction { Name = "k" } });
        var e = Events.ChildFailed(Now, "app", 2, Events.Failure("t", "m"));
        Inbox.Accepts(_instance, e, "execution-of-before").ShouldBeFalse();
        Inbox.Accepts(_instance, e, "execution-of-wf").ShouldBeTrue();
    }

    [Fact]
    public void A_finished_instance_accepts_nothing()
    {
        Answer(Complete("1"));
        Inbox.Accepts(_instance, Events.Raised(Now, "e", null)).ShouldBeFalse();
    }

    [Theory]
    [InlineData(253402300799, 999_999_999, "9999-12-31T23:59:59.9999999")]
    [InlineData(long.MaxValue, int.MaxValue, "9999-12-31T23:59:59.9999999")]
    [InlineData(long.MinValue, -1, "0001-01-01T00:00:00.0000000")]
    public void A_time_beyond_the_calendar_is_its_end(long seconds, int nanos, string time) =>
        Events.TimeOf(new Timestamp { Seconds = seconds, Nanos = nanos }).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff").ShouldBe(time);

    [Fact]
    public void A_snapshot_builds_the_same_state()
    {
        Commit(_instance, new WorkflowResponse { CustomStatus = "s", Actions = { Task(0), Task(1), Timer(2) } });
        Post(Events.TaskCompleted(Now, _instance.OpenTasks[1], "r"));
        var copy = new Instance("wf");
        copy.Apply(_instance.Snapshot());
        copy.History.ShouldBe(_instance.History);
        copy.Inbox.ShouldBe(_instance.Inbox);
        (copy.CustomStatus, copy.OpenTasks.Keys.Single(), copy.OpenTimers.Keys.Single()).ShouldBe(("s", 0, 2));
    }

    static Instance New(string id, string? parent = null)
    {
        var instance = new Instance(id);
        var started = new ExecutionStartedEvent
        {
            Name = "name",
            WorkflowInstance = new WorkflowInstance { InstanceId = id, ExecutionId = "execution-of-" + id },
            ParentInstance = parent is null ? null : new ParentInstanceInfo
            {
                TaskScheduledId = 3,
                WorkflowInstance = new WorkflowInstance { InstanceId = parent, ExecutionId = "execution-of-" + parent },
            },
        };
        Post(instance, Events.Started(Now, "app", started));
        return instance;
    }

    static void Post(Instance instance, HistoryEvent e)
    {
        var change = Turns.Change(instance, taken: 0);
        change.InboxAdded.Add(e);
        instance.Apply(change);
    }

    static Outcome Commit(Instance instance, WorkflowResponse response)
    {
        var outcome = TurnActions.Apply(instance, Turns.Begin(instance, Context), response, Context);
        instance.Apply(outcome.Change);
        return outcome;
    }

    static WorkflowAction Task(int id) => new() { Id = id, ScheduleTask = new ScheduleTaskAction { Name = "a" } };

    static WorkflowAction Timer(int id) => new() { Id = id, CreateTimer = new CreateTimerAction { FireAt = Now } };

    static WorkflowAction Complete(string result) => new() { CompleteWorkflow = new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.Completed, Result = result } };

    void Post(HistoryEvent e) => Post(_instance, e);

    Outcome Answer(params WorkflowAction[] actions) => Commit(_instance, new WorkflowResponse { Actions = { actions } });

    void Answer(WorkflowResponse response) => Commit(_instance, response);

    void Settle()
    {
        while (Turns.Control(_instance, turnInFlight: false, Context) is { } outcome)
            _instance.Apply(outcome.Change);
    }
}
