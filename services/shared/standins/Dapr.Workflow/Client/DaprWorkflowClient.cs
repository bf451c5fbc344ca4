using Dapr.Workflow.Client;
using Dapr.Workflow.Grpc;
using Dapr.Workflow.Serialization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;

namespace Dapr.Workflow;

/// <inheritdoc cref="IDaprWorkflowClient"/>
public sealed class DaprWorkflowClient : IDaprWorkflowClient
{
    static readonly TimeSpan FirstWaitRetry = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan LongestWaitRetry = TimeSpan.FromSeconds(15);

    readonly SidecarChannel _channel;
    readonly Payloads _payloads;
    readonly TimeProvider _time;

    // The channel is shared with the worker and other clients; the container disposes it.
    internal DaprWorkflowClient(SidecarChannel channel, Payloads payloads, TimeProvider time)
    {
        _channel = channel;
        _payloads = payloads;
        _time = time;
    }

    public Task<string> ScheduleNewWorkflowAsync(string name, string? instanceId = null, object? input = null) =>
        ScheduleNewWorkflowAsync(name, instanceId, input, (DateTimeOffset?)null);

    public Task<string> ScheduleNewWorkflowAsync(string name, string? instanceId, object? input, DateTime? startTime) =>
        ScheduleNewWorkflowAsync(name, instanceId, input, startTime is { } time ? new DateTimeOffset(time) : null);

    public async Task<string> ScheduleNewWorkflowAsync(
        string name, string? instanceId, object? input, DateTimeOffset? startTime, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var request = new CreateInstanceRequest
        {
            Name = name,
            InstanceId = string.IsNullOrEmpty(instanceId) ? $"{Guid.NewGuid()}" : instanceId,
            Input = _payloads.Write(input),
            ScheduledStartTimestamp = startTime?.ToTimestamp(),
        };
        return (await _channel.CallAsync(TaskHubPaths.StartInstance, request, CreateInstanceResponse.Parser, cancellation)).InstanceId;
    }

    public async Task<WorkflowState> GetWorkflowStateAsync(
        string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default) =>
        new(await CallAsync(TaskHubPaths.GetInstance, instanceId, getInputsAndOutputs, cancellation), _payloads);

    public async Task<WorkflowState> WaitForWorkflowStartAsync(
        string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default) =>
        Existing(instanceId, await WaitAsync(TaskHubPaths.WaitForInstanceStart, instanceId, getInputsAndOutputs, cancellation));

    public async Task<WorkflowState> WaitForWorkflowCompletionAsync(
        string instanceId, bool getInputsAndOutputs = true, CancellationToken cancellation = default)
    {
        var ended = await WaitAsync(TaskHubPaths.WaitForInstanceCompletion, instanceId, getInputsAndOutputs: false, cancellation);
        var state = getInputsAndOutputs ? await WaitAsync(TaskHubPaths.GetInstance, instanceId, getInputsAndOutputs: true, cancellation) : ended;
        return Existing(instanceId, state);
    }

    public Task RaiseEventAsync(
        string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(eventName);
        var request = new RaiseEventRequest { InstanceId = Checked(instanceId), Name = eventName, Input = _payloads.Write(eventPayload) };
        return _channel.CallAsync(TaskHubPaths.RaiseEvent, request, RaiseEventResponse.Parser, cancellation);
    }

    public Task TerminateWorkflowAsync(string instanceId, object? output = null, CancellationToken cancellation = default)
    {
        var request = new TerminateRequest { InstanceId = Checked(instanceId), Output = _payloads.Write(output), Recursive = true };
        return _channel.CallAsync(TaskHubPaths.TerminateInstance, request, TerminateResponse.Parser, cancellation);
    }

    public Task SuspendWorkflowAsync(string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        var request = new SuspendRequest { InstanceId = Checked(instanceId), Reason = reason ?? string.Empty };
        return _channel.CallAsync(TaskHubPaths.SuspendInstance, request, SuspendResponse.Parser, cancellation);
    }

    public Task ResumeWorkflowAsync(string instanceId, string? reason = null, CancellationToken cancellation = default)
    {
        var request = new ResumeRequest { InstanceId = Checked(instanceId), Reason = reason ?? string.Empty };
        return _channel.CallAsync(TaskHubPaths.ResumeInstance, request, ResumeResponse.Parser, cancellation);
    }

    public async Task<bool> PurgeInstanceAsync(string instanceId, CancellationToken cancellation = default)
    {
        var request = new PurgeInstancesRequest { InstanceId = Checked(instanceId), Recursive = true };
        var response = await _channel.CallAsync(TaskHubPaths.PurgeInstances, request, PurgeInstancesResponse.Parser, cancellation);
        return response.DeletedInstanceCount > 0;
    }

    public async Task<WorkflowInstancePage> ListInstanceIdsAsync(
        string? continuationToken = null, int? pageSize = null, CancellationToken cancellation = default)
    {
        var request = new ListInstanceIDsRequest();
        if (continuationToken is not null)
        {
            request.ContinuationToken = continuationToken;
        }

        if (pageSize is { } size)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(pageSize));
            request.PageSize = (uint)size;
        }

        var response = await _channel.CallAsync(TaskHubPaths.ListInstanceIDs, request, ListInstanceIDsResponse.Parser, cancellation);
        return new WorkflowInstancePage([.. response.InstanceIds], response.HasContinuationToken ? response.ContinuationToken : null);
    }

    public async Task<IReadOnlyList<WorkflowHistoryEvent>> GetInstanceHistoryAsync(
        string instanceId, CancellationToken cancellation = default)
    {
        var request = new GetInstanceHistoryRequest { InstanceId = Checked(instanceId) };
        var response = await _channel.CallAsync(TaskHubPaths.GetInstanceHistory, request, GetInstanceHistoryResponse.Parser, cancellation);
        return [.. response.Events.Select(HistoryEvents.ToPublic)];
    }

    public async Task<string> RerunWorkflowFromEventAsync(
        string sourceInstanceId, uint eventId, RerunWorkflowFromEventOptions? options = null, CancellationToken cancellation = default)
    {
        var request = new RerunWorkflowFromEventRequest { SourceInstanceID = Checked(sourceInstanceId), EventID = eventId };
        if (options is { Input: not null, OverwriteInput: false })
        {
            throw new ArgumentException("An input for the rerun is given, but OverwriteInput is false; set it to true.", nameof(options));
        }

        if (options?.NewInstanceId is { } newInstanceId)
        {
            request.NewInstanceID = newInstanceId;
        }

        if (options is { OverwriteInput: true })
        {
            (request.OverwriteInput, request.Input) = (true, _payloads.Write(options.Input));
        }

        return (await _channel.CallAsync(
            TaskHubPaths.RerunWorkflowFromEvent, request, RerunWorkflowFromEventResponse.Parser, cancellation)).NewInstanceID;
    }

    public void Dispose()
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    static string Checked(string instanceId)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        return instanceId;
    }

    WorkflowState Existing(string instanceId, GetInstanceResponse response) =>
        response.Exists ? new WorkflowState(response, _payloads) : throw new InvalidOperationException($"There is no workflow instance '{instanceId}'.");

    Task<GetInstanceResponse> CallAsync(string path, string instanceId, bool getInputsAndOutputs, CancellationToken cancellation)
    {
        var request = new GetInstanceRequest { InstanceId = Checked(instanceId), GetInputsAndOutputs = getInputsAndOutputs };
        return _channel.CallAsync(path, request, GetInstanceResponse.Parser, cancellation);
    }

    // A wait may outlive the sidecar it was asked of: it goes on with the next one until the caller has had enough.
    async Task<GetInstanceResponse> WaitAsync(string path, string instanceId, bool getInputsAndOutputs, CancellationToken cancellation)
    {
        var backoff = new Backoff(FirstWaitRetry, LongestWaitRetry);
        while (true)
        {
            try
            {
                return await CallAsync(path, instanceId, getInputsAndOutputs, cancellation);
            }
            catch (SidecarCallException e) when (e.IsTransient)
            {
                await Task.Delay(backoff.Next(), _time, cancellation);
            }
        }
    }
}
