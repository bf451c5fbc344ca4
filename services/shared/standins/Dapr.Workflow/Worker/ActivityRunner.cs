using Dapr.Workflow.Abstractions;
using Dapr.Workflow.Replay;
using Dapr.Workflow.Serialization;
using LeanPipe.DaprWire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Worker;

/// <summary>Does an activity, in a scope of its own. An exception is an answer: the workflow sees it and decides.</summary>
sealed partial class ActivityRunner(WorkflowRuntimeOptions options, Payloads payloads, IServiceScopeFactory scopes, ILogger<ActivityRunner> logger)
{
    public async Task<ActivityResponse> AnswerAsync(ActivityRequest request)
    {
        var instanceId = request.WorkflowInstance?.InstanceId ?? string.Empty;
        var response = new ActivityResponse { InstanceId = instanceId, TaskId = request.TaskId };
        if (options.Registry.Activity(request.Name) is not { } make)
        {
            response.FailureDetails = new TaskFailureDetails
            {
                ErrorType = Failures.ActivityNotFound,
                ErrorMessage = $"Activity '{request.Name}' is not registered with this worker.",
            };
            return response;
        }

        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var activity = make(scope.ServiceProvider);
            var context = new ActivityContext(request.Name, TaskExecutionKey(request), instanceId);
            response.Result = payloads.Write(await activity.RunAsync(context, payloads.Read(request.Input, activity.InputType)));
        }
        catch (Exception e)
        {
            LogFailed(logger, request.Name, instanceId, request.TaskId, e);
            response.FailureDetails = Failures.From(e);
        }

        return response;
    }

    // Sidecars older than the execution id tell the tasks of an instance apart by number only.
    static string TaskExecutionKey(ActivityRequest request) =>
        string.IsNullOrEmpty(request.TaskExecutionId) ? $"{request.TaskId}" : request.TaskExecutionId;

    [LoggerMessage(20, LogLevel.Warning, "Activity '{Activity}' of instance '{InstanceId}', task {TaskId}, failed")]
    static partial void LogFailed(ILogger logger, string activity, string instanceId, int taskId, Exception exception);

    sealed class ActivityContext(string name, string taskExecutionKey, string instanceId) : WorkflowActivityContext
    {
        public override TaskIdentifier Identifier { get; } = new(name);

        public override string TaskExecutionKey => taskExecutionKey;

        public override string InstanceId => instanceId;
    }
}
