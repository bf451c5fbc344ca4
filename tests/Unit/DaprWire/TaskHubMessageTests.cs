using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;

namespace LeanPipe.Unit.DaprWire;

/// <summary>Byte vectors written by hand from the protocol's field numbers.</summary>
public sealed class TaskHubMessageTests
{
    static readonly Timestamp Second = new() { Seconds = 1 };

    [Fact]
    public void A_turn_start_event_has_id_minus_one_and_field_14()
    {
        var e = new HistoryEvent { EventId = -1, Timestamp = Second, WorkflowStarted = new WorkflowStartedEvent() };
        Hex(e).ShouldBe("08FFFFFFFFFFFFFFFFFF01" + "12020801" + "7200");
    }

    [Fact]
    public void The_router_of_an_event_is_field_30()
    {
        var e = new HistoryEvent { Router = new TaskRouter { SourceAppID = "a", TargetAppID = "b" } };
        Hex(e).ShouldBe("F20106" + "0A0161" + "120162");
    }

    [Fact]
    public void The_newest_events_are_fields_31_and_32()
    {
        Hex(new HistoryEvent { ExecutionStalled = new ExecutionStalledEvent { Reason = StalledReason.VersionNotAvailable } }).ShouldBe("FA01020801");
        Hex(new HistoryEvent { DetachedWorkflowInstanceCreated = new() { InstanceId = "d" } }).ShouldBe("8202030A0164");
    }

    [Fact]
    public void An_activity_item_and_its_token_are_fields_2_and_10()
    {
        var item = new WorkItem
        {
            ActivityRequest = new ActivityRequest { Name = "n", Input = "1", WorkflowInstance = new() { InstanceId = "i" }, TaskId = 1, TaskExecutionId = "x" },
            CompletionToken = "t",
        };
        Hex(item).ShouldBe("1212" + "0A016E" + "1A030A0131" + "22030A0169" + "2801" + "3A0178" + "520174");
    }

    [Fact]
    public void A_present_empty_string_value_differs_from_an_absent_one()
    {
        Hex(new WorkflowResponse { InstanceId = "i", CustomStatus = "" }).ShouldBe("0A0169" + "1A00");
        Hex(new WorkflowResponse { InstanceId = "i" }).ShouldBe("0A0169");
        WorkflowResponse.Parser.ParseFrom(Convert.FromHexString("0A01691A00")).CustomStatus.ShouldBe("");
    }

    [Fact]
    public void Actions_keep_their_numbers()
    {
        Hex(new WorkflowAction { Id = 1, ScheduleTask = new() { Name = "n" } }).ShouldBe("0801" + "12030A016E");
        Hex(new WorkflowAction { CreateTimer = new() { FireAt = Second, ExternalEvent = new() { Name = "e" } } }).ShouldBe("2209" + "0A020801" + "22030A0165");
        Hex(new WorkflowAction { CompleteWorkflow = new() { WorkflowStatus = OrchestrationStatus.ContinuedAsNew } }).ShouldBe("32020802");
        Hex(new WorkflowAction { WorkflowVersionNotAvailable = new() }).ShouldBe("5200");
        Hex(new WorkflowAction { CreateDetachedWorkflow = new() { InstanceId = "d" } }).ShouldBe("5A030A0164");
    }

    [Fact]
    public void An_action_decodes_whatever_the_order_of_its_fields()
    {
        var action = WorkflowAction.Parser.ParseFrom(Convert.FromHexString("4A030A0161" + "5200" + "0807"));
        action.WorkflowActionTypeCase.ShouldBe(WorkflowAction.WorkflowActionTypeOneofCase.WorkflowVersionNotAvailable);
        action.Id.ShouldBe(7);
        action.Router.SourceAppID.ShouldBe("a");
    }

    static string Hex(IMessage message) => Convert.ToHexString(message.ToByteArray());
}
