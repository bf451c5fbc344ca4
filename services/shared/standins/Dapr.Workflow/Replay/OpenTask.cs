using LeanPipe.DaprWire;

namespace Dapr.Workflow.Replay;

/// <summary>The kinds of calls that the history records under a number.</summary>
enum TaskKind
{
    Activity,
    Timer,
    ChildWorkflow,
    SentEvent,
    ContinueAsNew,
}

/// <summary>A numbered call of the workflow: the action for the sidecar, and the task that the workflow may await.</summary>
/// <remarks>
/// The action is sent as long as the history has not recorded it. The task's continuations run inline on the thread that feeds the history:
/// that is what makes a replay one thread.
/// </remarks>
abstract class OpenTask(TaskKind kind, string name, WorkflowAction action)
{
    public TaskKind Kind => kind;

    /// <summary>The activity's, child's or event's name; empty for a timer.</summary>
    public string Name => name;

    public WorkflowAction Action => action;

    public int Id => action.Id;

    public bool IsRecorded { get; set; }

    public abstract bool IsDone { get; }

    public abstract void Complete(string? json);

    public abstract void Fail(Exception failure);

    public abstract void Cancel(CancellationToken cancellationToken);

    /// <summary>As a message names it: activity 'plan', timer, ….</summary>
    public override string ToString() => Describe(kind, name);

    public static string Describe(TaskKind kind, string name)
    {
        var words = kind switch
        {
            TaskKind.Activity => "activity",
            TaskKind.Timer => "timer",
            TaskKind.ChildWorkflow => "child workflow",
            TaskKind.SentEvent => "sent event",
            _ => "continue-as-new",
        };
        return name.Length == 0 ? words : $"{words} '{name}'";
    }
}

sealed class OpenTask<T>(TaskKind kind, string name, WorkflowAction action, Func<string?, T> read) : OpenTask(kind, name, action)
{
    readonly TaskCompletionSource<T> _end = new();

    public Task<T> Task => _end.Task;

    public override bool IsDone => _end.Task.IsCompleted;

    public override void Complete(string? json)
    {
        T value;
        try
        {
            value = read(json);
        }
        catch (Exception e)
        {
            // A result that is not what the code expects is the workflow's failure, at the place that awaits it.
            _end.TrySetException(e);
            return;
        }

        _end.TrySetResult(value);
    }

    public override void Fail(Exception failure) => _end.TrySetException(failure);

    public override void Cancel(CancellationToken cancellationToken) => _end.TrySetCanceled(cancellationToken);
}
