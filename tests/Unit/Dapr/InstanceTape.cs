using Dapr.Workflow;
using Dapr.Workflow.Replay;
using Dapr.Workflow.Serialization;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Unit.DaprStandIns;

/// <summary>One turn as it went over the wire: what was past, what was new, what was answered.</summary>
sealed record TapedTurn(int PastCount, HistoryEvent[] New, WorkflowResponse Answer);

/// <summary>
/// An instance's history that grows turn by turn, as a sidecar grows it: the turn's start, its new events, then an event per action answered.
/// </summary>
sealed class InstanceTape(IWorkflow workflow, string instanceId = "net-1")
{
    static readonly DateTime Start = new(2026, 1, 1, 10, 0, 0, DateTimeKind.Utc);

    public List<HistoryEvent> Past { get; } = [];

    public List<TapedTurn> Turns { get; } = [];

    public WorkflowResponse LastAnswer => Turns[^1].Answer;

    public CompleteWorkflowAction? Completion => Turns.Count == 0 ? null : LastAnswer.Actions.Select(action => action.CompleteWorkflow).SingleOrDefault(a => a is not null);

    public static InstanceTape Of<TInput, TOutput>(Func<WorkflowContext, TInput, Task<TOutput>> body, string instanceId = "net-1") =>
        new(new Body<TInput, TOutput>(body), instanceId);

    public WorkflowResponse Begin(string? input = null, string? sourceAppId = null) => Next(Events.Started("w", input, sourceAppId));

    /// <summary>Takes a turn one minute after the one before.</summary>
    public WorkflowResponse Next(params HistoryEvent[] inbox)
    {
        HistoryEvent[] fresh = [Events.TurnStarted(Start.AddMinutes(Turns.Count)), .. inbox];
        var answer = Replay(Past, fresh);
        Turns.Add(new TapedTurn(Past.Count, fresh, answer));
        Past.AddRange(fresh);
        Past.AddRange(answer.Actions.Select(Events.RecordOf).OfType<HistoryEvent>());
        return answer;
    }

    public WorkflowResponse Replay(IEnumerable<HistoryEvent> past, IEnumerable<HistoryEvent> fresh)
    {
        var request = new WorkflowRequest { InstanceId = instanceId, PastEvents = { past }, NewEvents = { fresh } };
        var history = TurnHistory.Of(request);
        return Turn.Terminated(history) ?? Turn.Run(history, workflow, Payloads.Json, NullLoggerFactory.Instance);
    }

    sealed class Body<TInput, TOutput>(Func<WorkflowContext, TInput, Task<TOutput>> body) : Workflow<TInput, TOutput>
    {
        public override Task<TOutput> RunAsync(WorkflowContext context, TInput input) => body(context, input);
    }
}

static class Events
{
    public static HistoryEvent TurnStarted(DateTime time) => new() { EventId = -1, Timestamp = time.ToTimestamp(), WorkflowStarted = new() };

    public static HistoryEvent Started(string name, string? input = null, string? sourceAppId = null) => new()
    {
        EventId = -1,
        ExecutionStarted = new() { Name = name, Input = input },
        Router = sourceAppId is null ? null : new TaskRouter { SourceAppID = sourceAppId },
    };

    public static HistoryEvent Completed(int id, string? result = null) => new() { EventId = -1, TaskCompleted = new() { TaskScheduledId = id, Result = result } };

    public static HistoryEvent Failed(int id, string type = "System.Exception", string message = "broken") => new()
    {
        EventId = -1,
        TaskFailed = new() { TaskScheduledId = id, FailureDetails = new() { ErrorType = type, ErrorMessage = message } },
    };

    public static HistoryEvent ChildCompleted(int id, string? result = null) => new()
    {
        EventId = -1,
        ChildWorkflowInstanceCompleted = new() { TaskScheduledId = id, Result = result },
    };

    public static HistoryEvent ChildFailed(int id, string message = "broken") => new()
    {
        EventId = -1,
        ChildWorkflowInstanceFailed = new() { TaskScheduledId = id, FailureDetails = new() { ErrorType = "E", ErrorMessage = message } },
    };

    public static HistoryEvent Fired(int id) => new() { EventId = -1, TimerFired = new() { TimerId = id } };

    public static HistoryEvent Raised(string name, string? json = null) => new() { EventId = -1, EventRaised = new() { Name = name, Input = json } };

    public static HistoryEvent Suspended() => new() { EventId = -1, ExecutionSuspended = new() };

    public static HistoryEvent Resumed() => new() { EventId = -1, ExecutionResumed = new() };

    public static HistoryEvent Terminated() => new() { EventId = -1, ExecutionTerminated = new() };

    /// <summary>The event that a sidecar writes for an action; null for a completion.</summary>
    public static HistoryEvent? RecordOf(WorkflowAction action) => action.WorkflowActionTypeCase switch
    {
        WorkflowAction.WorkflowActionTypeOneofCase.ScheduleTask => new()
        {
            EventId = action.Id,
            TaskScheduled = new() { Name = action.ScheduleTask.Name, Input = action.ScheduleTask.Input, TaskExecutionId = action.ScheduleTask.TaskExecutionId },
        },
        WorkflowAction.WorkflowActionTypeOneofCase.CreateTimer => new() { EventId = action.Id, TimerCreated = new() { FireAt = action.CreateTimer.FireAt } },
        WorkflowAction.WorkflowActionTypeOneofCase.CreateChildWorkflow => new()
        {
            EventId = action.Id,
            ChildWorkflowInstanceCreated = new() { Name = action.CreateChildWorkflow.Name, InstanceId = action.CreateChildWorkflow.InstanceId },
        },
        WorkflowAction.WorkflowActionTypeOneofCase.SendEvent => new()
        {
            EventId = action.Id,
            EventSent = new() { Name = action.SendEvent.Name, InstanceId = action.SendEvent.Instance.InstanceId },
        },
        _ => null,
    };
}

static class Answers
{
    /// <summary>An answer in one line: <c>0:A(1) 1:timer done</c>.</summary>
    public static string Short(this WorkflowResponse response) => string.Join(' ', response.Actions.Select(Short));

    static string Short(WorkflowAction action) => action.WorkflowActionTypeCase switch
    {
        WorkflowAction.WorkflowActionTypeOneofCase.ScheduleTask => $"{action.Id}:{action.ScheduleTask.Name}({action.ScheduleTask.Input})",
        WorkflowAction.WorkflowActionTypeOneofCase.CreateTimer => $"{action.Id}:timer",
        WorkflowAction.WorkflowActionTypeOneofCase.CreateChildWorkflow => $"{action.Id}:child {action.CreateChildWorkflow.Name}({action.CreateChildWorkflow.Input})",
        WorkflowAction.WorkflowActionTypeOneofCase.SendEvent => $"{action.Id}:send {action.SendEvent.Name}",
        _ => $"{action.Id}:{action.CompleteWorkflow.WorkflowStatus}({action.CompleteWorkflow.Result ?? action.CompleteWorkflow.FailureDetails?.ErrorType})",
    };
}
