using System.Threading.Channels;
using LeanPipe.DaprWire;

namespace LeanPipe.Integration.Sidecar;

/// <summary>A worker that answers turns and activities as a test says. Every item it gets is also put into <see cref="Seen"/>.</summary>
sealed class ScriptedWorker : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly TaskHubClient _hub;
    readonly HttpResponseMessage _stream;
    readonly Task _loop;
    readonly Channel<WorkItem> _seen = Channel.CreateUnbounded<WorkItem>();
    readonly Channel<RpcException> _refused = Channel.CreateUnbounded<RpcException>();

    ScriptedWorker(TaskHubClient hub, HttpResponseMessage stream, Func<TurnView, IEnumerable<WorkflowAction>?> turn, Func<ActivityRequest, string?> activity)
    {
        (_hub, _stream) = (hub, stream);
        _loop = RunAsync(turn, activity);
    }

    public ChannelReader<WorkItem> Seen => _seen.Reader;

    /// <summary>Answers that were too large.</summary>
    public ChannelReader<RpcException> Refused => _refused.Reader;

    /// <summary>Echoes the completion token, as newer SDKs do; older ones do not.</summary>
    public bool EchoesTokens { get; init; } = true;

    /// <param name="hub">The sidecar.</param>
    /// <param name="turn">Actions for a turn; null = never answer.</param>
    /// <param name="activity">A result; null = never answer; an exception = failed.</param>
    /// <param name="echoesTokens">See <see cref="EchoesTokens"/>.</param>
    public static async Task<ScriptedWorker> ConnectAsync(
        TaskHubClient hub, Func<TurnView, IEnumerable<WorkflowAction>?> turn, Func<ActivityRequest, string?>? activity = null, bool echoesTokens = true) =>
        new(hub, await hub.OpenWorkItemsAsync(), turn, activity ?? (a => $"{a.Name}({a.Input})")) { EchoesTokens = echoesTokens };

    public async Task<T> NextAsync<T>(Func<WorkItem, T?> pick)
        where T : class
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await foreach (var item in _seen.Reader.ReadAllAsync(limit.Token))
        {
            if (pick(item) is { } picked)
                return picked;
        }

        throw new InvalidOperationException("the stream ended first");
    }

    /// <summary>Ends the stream as a killed worker does.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _stream.Dispose();
        await _loop;
        _stop.Dispose();
    }

    async Task RunAsync(Func<TurnView, IEnumerable<WorkflowAction>?> turn, Func<ActivityRequest, string?> activity)
    {
        try
        {
            var stream = await _stream.Content.ReadAsStreamAsync(_stop.Token);
            while (true)
            {
                var frame = await GrpcFrames.ReadAsync(stream, int.MaxValue, _stop.Token);
                if (!frame.HasMessage)
                    break;
                frame.TryParse(WorkItem.Parser, out WorkItem item).ShouldBeTrue();
                _seen.Writer.TryWrite(item);
                var token = EchoesTokens ? item.CompletionToken : "";
                if (item.ActivityRequest is { } request)
                    await AnswerAsync(request, token, activity);
                else if (turn(new TurnView(item.WorkflowRequest)) is { } actions)
                    await SendAsync(
                        TaskHubPaths.CompleteOrchestratorTask, new WorkflowResponse { InstanceId = item.WorkflowRequest.InstanceId, Actions = { actions }, CompletionToken = token });
            }
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException or ObjectDisposedException or RpcException)
        {
            // The stream ended; what was not answered is the sidecar's to offer again.
        }
        finally
        {
            _seen.Writer.TryComplete();
        }
    }

    async Task AnswerAsync(ActivityRequest request, string token, Func<ActivityRequest, string?> activity)
    {
        var response = new ActivityResponse { InstanceId = request.WorkflowInstance.InstanceId, TaskId = request.TaskId, CompletionToken = token };
        try
        {
            response.Result = activity(request);
            if (response.Result is null)
                return;
        }
        catch (InvalidOperationException e)
        {
            response.FailureDetails = new TaskFailureDetails { ErrorType = e.GetType().FullName, ErrorMessage = e.Message };
        }

        await SendAsync(TaskHubPaths.CompleteActivityTask, response);
    }

    // As the official workers: an answer that is refused is not repeated, and the next item is taken.
    async Task SendAsync(string path, Google.Protobuf.IMessage answer)
    {
        try
        {
            await _hub.CallAsync(path, answer, CompleteTaskResponse.Parser, _stop.Token);
        }
        catch (RpcException e) when (e.Code == GrpcStatusCode.ResourceExhausted)
        {
            _refused.Writer.TryWrite(e);
        }
    }
}

/// <summary>What a turn shows, and the actions a script needs.</summary>
sealed class TurnView(WorkflowRequest request)
{
    public WorkflowRequest Request { get; } = request;

    public IReadOnlyList<HistoryEvent> Events { get; } = [.. request.PastEvents, .. request.NewEvents];

    public ExecutionStartedEvent Started => Events.Last(e => e.ExecutionStarted is not null).ExecutionStarted;

    public IReadOnlyList<string> Results => [.. Events.Where(e => e.TaskCompleted is not null).OrderBy(e => e.TaskCompleted.TaskScheduledId).Select(e => e.TaskCompleted.Result)];

    public IReadOnlyList<string> Raised => [.. Events.Where(e => e.EventRaised is not null).Select(e => e.EventRaised.Input)];

    public bool Has(Func<HistoryEvent, object?> kind) => Events.Any(e => kind(e) is not null);

    public static WorkflowAction Task(int id, string name, string? input = null) => new() { Id = id, ScheduleTask = new ScheduleTaskAction { Name = name, Input = input } };

    public static WorkflowAction Complete(string? result, int id = 0) => new()
    {
        Id = id,
        CompleteWorkflow = new CompleteWorkflowAction { WorkflowStatus = OrchestrationStatus.Completed, Result = result },
    };
}
