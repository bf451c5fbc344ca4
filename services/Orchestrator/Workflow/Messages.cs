using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>The names that histories hold. A name stays as long as an instance may have it in its history; a change of what a workflow asks for in which order gets a new one.</summary>
static class WorkflowNames
{
    public const string Pipeline = EventNames.PipelineWorkflow;
    public const string Tasks = "pipeline-tasks";
    public const string Plan = "plan";
    public const string PlanStep = "plan-step";
    public const string RunTask = "run-task";
    public const string CommitStep = "commit-step";
    public const string Publish = "publish";
    public const string Finish = "finish";
    public const string Cancel = "cancel";

    /// <summary>The event that tells a run that waits in the queue to ask again.</summary>
    public const string Admitted = "admitted";
}

/// <summary>Why a run cannot go on, as a value: what it said is for a person, and trying the same again would say the same.</summary>
sealed record Failure(string Code, string Message, StepName? Step = null, int? Task = null)
{
    // A history holds it up to three times.
    const int MaxLength = 2000;

    public string Message { get; } = Message.Length <= MaxLength ? Message : $"{Message[..MaxLength]} … ({Message.Length} characters)";

    public static Failure Of(LeanPipeException e, StepName? step = null, int? task = null) => new(e.Code, e.Message, step, task);

    public override string ToString() => (Step, Task) switch
    {
        ({ } step, { } task) => $"Step '{step}', task {new TaskId(task)}: {Message} [{Code}]",
        ({ } step, null) => $"Step '{step}': {Message} [{Code}]",
        _ => $"{Message} [{Code}]",
    };
}

sealed record PlanTicket(RunId Run, RunRequest Request);

/// <param name="Position">The run's place in the queue: nothing was planned, and it has to ask again.</param>
/// <param name="Timeout">From now on.</param>
sealed record PlanReply(IReadOnlyList<StepNode> Steps, Failure? Failure = null, int? Position = null, TimeSpan? Timeout = null);

sealed record CancelTicket(RunId Run, TimeSpan Timeout);

/// <param name="Needs">Indexes of steps before it.</param>
sealed record StepNode(StepName Name, IReadOnlyList<int> Needs, bool Publishes);

sealed record StepTicket(RunId Run, StepName Step);

/// <param name="Committed">The step's manifest is there already: nothing of it is left to run.</param>
/// <param name="AtOnce">So many of its tasks are asked for at a time. Told here, because a workflow reads no configuration.</param>
sealed record StepReply(int Tasks, bool Committed, Failure? Failure = null, int AtOnce = TaskFanOut.Width);

sealed record TaskTicket(RunId Run, StepName Step, int Task);

/// <summary>Tasks <paramref name="First"/> to <paramref name="First"/> + <paramref name="Count"/> - 1 of a step, <paramref name="AtOnce"/> of them at a time.</summary>
sealed record TaskRange(RunId Run, StepName Step, int First, int Count, int AtOnce);

sealed record CommitTicket(RunId Run, StepName Step, int Tasks);

/// <summary>The answer of an activity that has nothing to say but how it went.</summary>
sealed record Reply(Failure? Failure = null);

sealed record PublishReply(PublishedTable? Table, Failure? Failure = null);

sealed record Ending(RunId Run, RunRequest Request, IReadOnlyList<PublishedTable> Published, Failure? Failure);

/// <summary>The workflow's output: what a person who waited for it wants to see first.</summary>
sealed record RunSummary(RunId Run, PipelineName Pipeline, WindowId Window, int Steps, IReadOnlyList<PublishedTable> Published);

/// <summary>Ends the workflow as failed. Its message names the step and carries what the step said.</summary>
sealed class RunFailedException(Failure failure) : LeanPipeException(failure.Code, failure.ToString());
