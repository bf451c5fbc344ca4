using Dapr.Workflow.Replay;
using Dapr.Workflow.Serialization;
using LeanPipe.DaprWire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Worker;

/// <summary>Answers the turn of a workflow. Whatever goes wrong is an answer too: the instance fails, the worker goes on.</summary>
sealed partial class TurnRunner(WorkflowRuntimeOptions options, Payloads payloads, IServiceScopeFactory scopes, ILoggerFactory loggers)
{
    readonly ILogger _logger = loggers.CreateLogger<TurnRunner>();

    public async Task<WorkflowResponse> AnswerAsync(WorkflowRequest request)
    {
        var response = await RunAsync(TurnHistory.Of(request));
        if (response.Actions is [{ CompleteWorkflow: { WorkflowStatus: OrchestrationStatus.Failed, FailureDetails: { } failure } }])
        {
            LogFailed(_logger, request.InstanceId, failure.ErrorType, failure.ErrorMessage);
        }

        return response;
    }

    async Task<WorkflowResponse> RunAsync(TurnHistory history)
    {
        if (Turn.Terminated(history) is { } terminated)
        {
            return terminated;
        }

        if (history.Name.Length == 0)
        {
            return Failed(history, Failures.WorkflowNameMissing, $"The history of instance '{history.InstanceId}' names no workflow.");
        }

        if (options.Registry.Workflow(history.Name) is not { } make)
        {
            return Failed(history, Failures.WorkflowNotFound, $"Workflow '{history.Name}' is not registered with this worker.");
        }

        try
        {
            await using var scope = scopes.CreateAsyncScope();
            return Turn.Run(history, make(scope.ServiceProvider), payloads, loggers);
        }
        catch (Exception e)
        {
            return Failures.Turn(history.InstanceId, Failures.From(e));
        }
    }

    static WorkflowResponse Failed(TurnHistory history, string errorType, string message) =>
        Failures.Turn(history.InstanceId, new TaskFailureDetails { ErrorType = errorType, ErrorMessage = message });

    [LoggerMessage(10, LogLevel.Warning, "Workflow instance '{InstanceId}' failed with {ErrorType}: {ErrorMessage}")]
    static partial void LogFailed(ILogger logger, string instanceId, string errorType, string errorMessage);
}
