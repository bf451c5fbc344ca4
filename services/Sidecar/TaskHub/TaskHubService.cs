using Google.Protobuf;
using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.Workflows;
using Microsoft.AspNetCore.Http.Features;

namespace LeanPipe.Sidecar.TaskHub;

/// <summary>The gRPC port: who may call, the workflow service's worker and client calls, one path each, and the runtime service's beside them.</summary>
sealed class TaskHubService
{
    readonly WorkflowEngine _engine;
    readonly SidecarOptions _options;
    readonly CancellationToken _stopping;
    readonly ILogger<TaskHubService> _log;
    readonly SidecarEndpoints _endpoints;
    readonly UnaryCall _unary;
    readonly Dictionary<string, Dictionary<string, Func<HttpContext, Task>>> _callsByApp;

    public TaskHubService(
        WorkflowEngine engine,
        RuntimeService runtime,
        UnaryCall unary,
        SidecarOptions options,
        SidecarEndpoints endpoints,
        IHostApplicationLifetime lifetime,
        ILogger<TaskHubService> log)
    {
        (_engine, _options, _endpoints, _stopping, _log, _unary) = (engine, options, endpoints, lifetime.ApplicationStopping, log, unary);
        _callsByApp = options.Apps.Select(a => a.AppId).Append("").ToDictionary(a => a, a => AllCalls(a.Length == 0 ? null : a));

        Dictionary<string, Func<HttpContext, Task>> AllCalls(string? app) => new(Calls(app).Concat(runtime.Calls(app)), StringComparer.Ordinal);
    }

    // Who calls is told by the port: every app has its own.
    Dictionary<string, Func<HttpContext, Task>> Calls(string? app)
    {
        var client = new WorkflowClient(_engine, _options, app);
        return new Dictionary<string, Func<HttpContext, Task>>
        {
            [TaskHubPaths.Hello] = http => _unary.AnswerAsync(http, Google.Protobuf.WellKnownTypes.Empty.Parser, (_, _) => Done(new Google.Protobuf.WellKnownTypes.Empty())),
            [TaskHubPaths.GetWorkItems] = http => GetWorkItemsAsync(http, app),
            [TaskHubPaths.CompleteOrchestratorTask] = http => CompleteTurnAsync(http, app),
            [TaskHubPaths.CompleteWorkflowTask] = http => CompleteTurnAsync(http, app),
            [TaskHubPaths.CompleteActivityTask] = http => CompleteActivityAsync(http, app),
            [TaskHubPaths.StartInstance] = http => _unary.AnswerAsync(http, CreateInstanceRequest.Parser, (r, _) => StartAsync(client, r)),
            [TaskHubPaths.GetInstance] = http => _unary.AnswerAsync(http, GetInstanceRequest.Parser, async (r, _) =>
                Answer(View(await client.GetAsync(r.InstanceId, r.GetInputsAndOutputs)))),
            [TaskHubPaths.WaitForInstanceStart] = http => _unary.AnswerAsync(http, GetInstanceRequest.Parser, async (r, stop) =>
                Answer(View(await client.WaitForStartAsync(r.InstanceId, r.GetInputsAndOutputs, stop)))),
            [TaskHubPaths.WaitForInstanceCompletion] = http => _unary.AnswerAsync(http, GetInstanceRequest.Parser, async (r, stop) =>
                Answer(View(await client.WaitForCompletionAsync(r.InstanceId, r.GetInputsAndOutputs, stop)))),
            [TaskHubPaths.RaiseEvent] = http => _unary.AnswerAsync(http, RaiseEventRequest.Parser, async (r, _) =>
                Answer(new RaiseEventResponse(), await client.RaiseEventAsync(r.InstanceId, r.Name, r.Input))),
            [TaskHubPaths.TerminateInstance] = http => _unary.AnswerAsync(http, TerminateRequest.Parser, async (r, _) =>
                Answer(new TerminateResponse(), Prefixed("failed to submit termination request: ", await client.TerminateAsync(r.InstanceId, r.Output, r.Recursive)))),
            [TaskHubPaths.SuspendInstance] = http => _unary.AnswerAsync(http, SuspendRequest.Parser, async (r, stop) =>
                Answer(new SuspendResponse(), await client.SuspendAsync(r.InstanceId, r.Reason) ?? await HeldAsync(client, r.InstanceId, held: true, stop))),
            [TaskHubPaths.ResumeInstance] = http => _unary.AnswerAsync(http, ResumeRequest.Parser, async (r, stop) =>
                Answer(new ResumeResponse(), await client.ResumeAsync(r.InstanceId, r.Reason) ?? await HeldAsync(client, r.InstanceId, held: false, stop))),
            [TaskHubPaths.PurgeInstances] = http => _unary.AnswerAsync(http, PurgeInstancesRequest.Parser, (r, _) => PurgeAsync(client, r)),
            [TaskHubPaths.ListInstanceIDs] = http => _unary.AnswerAsync(http, ListInstanceIDsRequest.Parser, (r, _) => ListAsync(client, r)),
            [TaskHubPaths.GetInstanceHistory] = http => _unary.AnswerAsync(http, GetInstanceHistoryRequest.Parser, async (r, _) =>
                await client.HistoryAsync(r.InstanceId) is { } events
                    ? Answer(new GetInstanceHistoryResponse { Events = { events } })
                    : (null, new Fault(GrpcStatusCode.NotFound, $"workflow instance '{r.InstanceId}' not found"))),
            [TaskHubPaths.RerunWorkflowFromEvent] = http => _unary.AnswerAsync(http, RerunWorkflowFromEventRequest.Parser, (r, _) => RerunAsync(client, r)),
        };
    }

    public async Task HandleAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "";
        if (!GrpcCall.IsGrpc(http))
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        try
        {
            // A message is refused by the length that it announces, so the request's own limit would only take the answer from its sender.
            if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
                limit.MaxRequestBodySize = null;
            if (ApiToken.Fault(http, _options.ApiToken) is { } denied)
                GrpcCall.Fail(http, denied);
            else if (_callsByApp[_endpoints.AppAt(http.Connection.LocalPort) ?? ""].TryGetValue(path, out var call))
                await call(http);
            else
                GrpcCall.Fail(http, new Fault(GrpcStatusCode.Unimplemented, $"the method {path} is not served by this sidecar"));
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone; nobody reads an answer.
        }
        catch (LeanPipeException e)
        {
            GrpcCall.Fail(http, new Fault(e.IsTransient ? GrpcStatusCode.Unavailable : GrpcStatusCode.Internal, e.Message));
        }
        catch (Exception e) when (e is not (IOException or BadHttpRequestException))
        {
            _log.CallFailed(path, e);
            GrpcCall.Fail(http, new Fault(GrpcStatusCode.Internal, "the call failed inside the sidecar; its log has the cause"));
        }
    }

    static Task<(T?, Fault?)> Done<T>(T message)
        where T : class, IMessage => Task.FromResult(Answer(message));

    static (T?, Fault?) Answer<T>(T message, Fault? fault = null)
        where T : class, IMessage => fault is null ? (message, null) : (null, fault);

    static GetInstanceResponse View(WorkflowState? state) => state is null ? new GetInstanceResponse() : new GetInstanceResponse { Exists = true, WorkflowState = state };

    static Fault? Prefixed(string prefix, Fault? fault) => fault is null ? null : fault with { Message = prefix + fault.Message };

    static async Task<Fault?> HeldAsync(WorkflowClient client, string instanceId, bool held, CancellationToken stop)
    {
        await client.WaitForHoldAsync(instanceId, held, stop);
        return null;
    }

    static async Task<(CreateInstanceResponse?, Fault?)> StartAsync(WorkflowClient client, CreateInstanceRequest request)
    {
        if (request.InstanceId.Length == 0)
            request.InstanceId = Guid.NewGuid().ToString();
        return Answer(new CreateInstanceResponse { InstanceId = request.InstanceId }, await client.StartAsync(request));
    }

    static async Task<(RerunWorkflowFromEventResponse?, Fault?)> RerunAsync(WorkflowClient client, RerunWorkflowFromEventRequest request)
    {
        var (newId, fault) = await client.RerunAsync(request);
        return fault is null ? (new RerunWorkflowFromEventResponse { NewInstanceID = newId }, null) : (null, fault);
    }

    static async Task<(PurgeInstancesResponse?, Fault?)> PurgeAsync(WorkflowClient client, PurgeInstancesRequest request)
    {
        if (request.RequestCase == PurgeInstancesRequest.RequestOneofCase.PurgeInstanceFilter)
            return (null, new Fault(GrpcStatusCode.Unimplemented, "purging by filter is not implemented; name one instance"));
        var (deleted, fault) = await client.PurgeAsync(request.InstanceId, request.Recursive, request.Force);
        return Answer(
            new PurgeInstancesResponse { DeletedInstanceCount = deleted, IsComplete = true }, Prefixed("failed to purge workflow state: ", fault));
    }

    static async Task<(ListInstanceIDsResponse?, Fault?)> ListAsync(WorkflowClient client, ListInstanceIDsRequest request)
    {
        if (request.HasPageSize && request.PageSize is 0 or > int.MaxValue - 1)
            return (null, new Fault(GrpcStatusCode.InvalidArgument, $"page size {request.PageSize} is not usable; ask for at least 1"));
        var (ids, next) = await client.ListAsync(
            request.HasContinuationToken ? request.ContinuationToken : null, request.HasPageSize ? (int)request.PageSize : null);
        var response = new ListInstanceIDsResponse { InstanceIds = { ids } };
        if (next is not null)
            response.ContinuationToken = next;
        return Answer(response);
    }

    Task CompleteTurnAsync(HttpContext http, string? app) => _unary.AnswerAsync(
        http,
        WorkflowResponse.Parser,
        async (response, _) =>
        {
            await _engine.CompleteTurnAsync(app, response);
            return Answer(new CompleteTaskResponse());
        },
        async (start, bytes) =>
        {
            if (OversizedAnswer.ReadTurn(start, bytes, _options.MaxMessageBytes) is not { } failed)
                return;
            _log.AnswerTooLarge(failed.InstanceId, bytes, _options.MaxMessageBytes);
            await _engine.CompleteTurnAsync(app, failed);
        });

    Task CompleteActivityAsync(HttpContext http, string? app) => _unary.AnswerAsync(
        http,
        ActivityResponse.Parser,
        async (response, _) =>
        {
            await _engine.CompleteActivityAsync(app, response);
            return Answer(new CompleteTaskResponse());
        },
        async (start, bytes) =>
        {
            if (OversizedAnswer.ReadActivity(start, bytes, _options.MaxMessageBytes) is not { } failed)
                return;
            _log.AnswerTooLarge(failed.InstanceId, bytes, _options.MaxMessageBytes);
            await _engine.CompleteActivityAsync(app, failed);
        });

    async Task GetWorkItemsAsync(HttpContext http, string? app)
    {
        if (await GrpcCall.ReadAsync(http, GetWorkItemsRequest.Parser, _options.MaxMessageBytes) is null)
            return;

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _stopping);
        var worker = _engine.Connect(app);
        _log.WorkerConnected(_engine.ConnectedWorkers(app));
        try
        {
            // Whoever is told that the stream is open is a connected worker.
            await GrpcCall.BeginStreamAsync(http);
            await foreach (var item in worker.Items.ReadAllAsync(stop.Token))
            {
                GrpcFrames.Write(http.Response.BodyWriter, item);
                await http.Response.BodyWriter.FlushAsync(stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            GrpcCall.Fail(http, new Fault(GrpcStatusCode.Cancelled, "shutting down"));
        }
        finally
        {
            var unanswered = worker.Outstanding.Count;
            _engine.Disconnect(worker);
            _log.WorkerDisconnected(_engine.ConnectedWorkers(app), unanswered);
        }
    }
}
