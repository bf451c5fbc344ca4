using LeanPipe.DaprWire;

namespace Dapr.Workflow.Replay;

/// <summary>Exceptions to the wire and back. Inner exceptions are not sent.</summary>
static class Failures
{
    public const string WorkflowNameMissing = "WorkflowNameMissing";
    public const string WorkflowNotFound = "WorkflowNotFound";
    public const string ActivityNotFound = "ActivityNotFoundException";

    public static TaskFailureDetails From(Exception e) => new()
    {
        // Told by its bare name: the type is internal, so nobody could catch it by its full one.
        ErrorType = e is NonDeterministicWorkflowException ? nameof(NonDeterministicWorkflowException) : e.GetType().FullName ?? e.GetType().Name,
        ErrorMessage = e.Message,
        StackTrace = e.StackTrace,
    };

    public static WorkflowTaskFailedException Activity(TaskFailureDetails? details) => Failed("Task failed: ", details);

    public static WorkflowTaskFailedException Child(string name, TaskFailureDetails? details) =>
        new($"Child workflow '{name}' failed", Details(details));

    /// <summary>The answer to a turn that ended the instance in failure; nothing else of the turn counts.</summary>
    public static WorkflowResponse Turn(string instanceId, TaskFailureDetails details)
    {
        details.IsNonRetriable = true;
        return Completion(instanceId, new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.Failed, FailureDetails = details });
    }

    public static TaskFailureDetails AnswerTooLarge(int bytes) => new()
    {
        ErrorType = nameof(AnswerTooLarge),
        ErrorMessage = $"The answer has {bytes} bytes, more than a message to the sidecar may have. Return a reference to the data instead of the data.",
        IsNonRetriable = true,
    };

    public static WorkflowResponse Completion(string instanceId, CompleteWorkflowAction completion) =>
        new() { InstanceId = instanceId, Actions = { new WorkflowAction { CompleteWorkflow = completion } } };

    static WorkflowTaskFailedException Failed(string prefix, TaskFailureDetails? details) => new(prefix + details?.ErrorMessage, Details(details));

    static WorkflowTaskFailureDetails Details(TaskFailureDetails? details) =>
        new(details?.ErrorType ?? string.Empty, details?.ErrorMessage ?? string.Empty, details?.StackTrace);
}
