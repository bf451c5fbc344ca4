using Dapr.Workflow.Grpc;
using Dapr.Workflow.Replay;
using Google.Protobuf;
using LeanPipe.DaprWire;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Worker;

/// <summary>Runs work items side by side, each on the thread pool, and sends each one's answer exactly once.</summary>
/// <remarks>
/// An answer that does not get through is dropped: whether the sidecar has it is unknown, and the sidecar hands out again what it has no answer for.
/// Turns and activities have slots of their own, so that activities that wait for hours never keep a turn from being answered.
/// </remarks>
sealed partial class WorkItems(TurnRunner turns, ActivityRunner activities, SidecarChannel channel, ILogger<WorkItems> logger) : IDisposable
{
    // As many as the official worker has.
    const int Slots = 100;

    readonly SemaphoreSlim _turnSlots = new(Slots);
    readonly SemaphoreSlim _activitySlots = new(Slots);
    readonly HashSet<Task> _running = [];

    /// <summary>Starts an item; returns at once.</summary>
    public void Start(WorkItem item, CancellationToken cancellationToken)
    {
        var work = item.RequestCase switch
        {
            WorkItem.RequestOneofCase.WorkflowRequest => Task.Run(() => TurnAsync(item, cancellationToken), CancellationToken.None),
            WorkItem.RequestOneofCase.ActivityRequest => Task.Run(() => ActivityAsync(item, cancellationToken), CancellationToken.None),
            _ => null,
        };
        if (work is null)
        {
            LogUnknownItem(logger);
            return;
        }

        lock (_running)
        {
            _running.Add(work);
        }

        _ = work.ContinueWith(
            ended =>
            {
                lock (_running)
                {
                    _running.Remove(ended);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>Ends when every item that was started has been answered, or dropped.</summary>
    public Task DrainAsync()
    {
        lock (_running)
        {
            return Task.WhenAll(_running);
        }
    }

    public void Dispose()
    {
        _turnSlots.Dispose();
        _activitySlots.Dispose();
    }

    Task TurnAsync(WorkItem item, CancellationToken cancellationToken) => InSlotAsync(
        _turnSlots,
        TaskHubPaths.CompleteOrchestratorTask,
        item.WorkflowRequest.InstanceId,
        async () =>
        {
            await FetchPastAsync(item.WorkflowRequest, cancellationToken);
            var response = await turns.AnswerAsync(item.WorkflowRequest);
            response.CompletionToken = item.CompletionToken;
            return response;
        },
        failure =>
        {
            var response = Failures.Turn(item.WorkflowRequest.InstanceId, failure);
            response.CompletionToken = item.CompletionToken;
            return response;
        },
        cancellationToken);

    Task ActivityAsync(WorkItem item, CancellationToken cancellationToken) => InSlotAsync(
        _activitySlots,
        TaskHubPaths.CompleteActivityTask,
        item.ActivityRequest.WorkflowInstance?.InstanceId ?? string.Empty,
        async () =>
        {
            var response = await activities.AnswerAsync(item.ActivityRequest);
            response.CompletionToken = item.CompletionToken;
            return response;
        },
        failure => new ActivityResponse
        {
            InstanceId = item.ActivityRequest.WorkflowInstance?.InstanceId ?? string.Empty,
            TaskId = item.ActivityRequest.TaskId,
            FailureDetails = failure,
            CompletionToken = item.CompletionToken,
        },
        cancellationToken);

    async Task InSlotAsync(SemaphoreSlim slots, string path, string instanceId, Func<Task<IMessage>> answer, Func<TaskFailureDetails, IMessage> refused, CancellationToken cancellationToken)
    {
        try
        {
            await slots.WaitAsync(cancellationToken);
            try
            {
                await SendAsync(path, instanceId, await answer(), refused, cancellationToken);
            }
            finally
            {
                slots.Release();
            }
        }
        catch (SidecarCallException e)
        {
            LogAnswerLost(logger, instanceId, path, e.Status, e.Detail);
        }
        catch (OperationCanceledException)
        {
            LogAnswerDropped(logger, instanceId, path);
        }
    }

    // A message that is too large was not taken and never will be: doing the work again would end the same way, so the workflow hears why.
    async Task SendAsync(string path, string instanceId, IMessage answer, Func<TaskFailureDetails, IMessage> refused, CancellationToken cancellationToken)
    {
        try
        {
            await channel.CallAsync(path, answer, CompleteTaskResponse.Parser, cancellationToken);
        }
        catch (SidecarCallException e) when (e is { Status: GrpcStatusCode.ResourceExhausted, InnerException: null })
        {
            var bytes = answer.CalculateSize();
            LogAnswerTooLarge(logger, instanceId, path, bytes, e.Detail);
            await channel.CallAsync(path, refused(Failures.AnswerTooLarge(bytes)), CompleteTaskResponse.Parser, cancellationToken);
        }
    }

    // Asked for by a sidecar that does not send the past along.
    async Task FetchPastAsync(WorkflowRequest request, CancellationToken cancellationToken)
    {
        if (request.RequiresHistoryStreaming)
        {
            var past = await channel.CallAsync(
                TaskHubPaths.GetInstanceHistory,
                new GetInstanceHistoryRequest { InstanceId = request.InstanceId },
                GetInstanceHistoryResponse.Parser,
                cancellationToken);
            request.PastEvents.Clear();
            request.PastEvents.AddRange(past.Events);
        }
    }

    [LoggerMessage(30, LogLevel.Warning, "The sidecar sent a work item of a kind that this worker does not know; it is ignored")]
    static partial void LogUnknownItem(ILogger logger);

    [LoggerMessage(31, LogLevel.Warning, "The answer for instance '{InstanceId}' to {Path} did not get through, the sidecar will hand the item out again: {Status}, {Detail}")]
    static partial void LogAnswerLost(ILogger logger, string instanceId, string path, GrpcStatusCode status, string detail);

    [LoggerMessage(33, LogLevel.Error, "The answer for instance '{InstanceId}' to {Path} has {Bytes} bytes and was refused; it counts as failed. Return references instead of data: {Detail}")]
    static partial void LogAnswerTooLarge(ILogger logger, string instanceId, string path, int bytes, string detail);

    [LoggerMessage(32, LogLevel.Information, "The host stopped before an item of instance '{InstanceId}' was answered to {Path}; the sidecar will hand it out again")]
    static partial void LogAnswerDropped(ILogger logger, string instanceId, string path);
}
