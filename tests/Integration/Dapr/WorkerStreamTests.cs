using Dapr.Workflow;
using LeanPipe.DaprWire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Integration.DaprStandIns;

/// <summary>How the worker lives with its stream of work items, against a scripted server.</summary>
public sealed class WorkerStreamTests
{
    static CancellationToken Out => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_turn_is_answered_with_its_token()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.NextStream(Send(TurnOf("double", "21", "token-1")));
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, Register);

        var answer = await sidecar.NextAsync(TaskHubPaths.CompleteOrchestratorTask, WorkflowResponse.Parser);

        (answer.InstanceId, answer.CompletionToken).ShouldBe(("i-double", "token-1"));
        answer.Actions.ShouldHaveSingleItem().CompleteWorkflow.Result.ShouldBe("42");
    }

    [Fact]
    public async Task An_activity_is_answered_with_its_token_its_task_and_its_key()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.NextStream(Send(ActivityOf("key", taskId: 7, "token-2")));
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, Register);

        var answer = await sidecar.NextAsync(TaskHubPaths.CompleteActivityTask, ActivityResponse.Parser);

        (answer.InstanceId, answer.TaskId, answer.CompletionToken, answer.Result).ShouldBe(("i", 7, "token-2", "\"key|execution-7|i\""));
    }

    [Fact]
    public async Task An_answer_that_is_refused_as_too_large_is_answered_as_a_failure_once()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        var refusals = 1;
        sidecar.Answer(TaskHubPaths.CompleteActivityTask, (context, _) => Interlocked.Decrement(ref refusals) == 0
            ? ScriptedSidecar.TrailersOnly(context, GrpcStatusCode.ResourceExhausted, "grpc: received message larger than max")
            : ScriptedSidecar.OkAsync(context, new CompleteTaskResponse()));
        sidecar.NextStream(Send(ActivityOf("key", taskId: 7, "token-2")));
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, Register);

        (await sidecar.NextAsync(TaskHubPaths.CompleteActivityTask, ActivityResponse.Parser)).Result.ShouldNotBeNull();
        var second = await sidecar.NextAsync(TaskHubPaths.CompleteActivityTask, ActivityResponse.Parser);
        (second.InstanceId, second.TaskId, second.CompletionToken, second.Result).ShouldBe(("i", 7, "token-2", null));
        (second.FailureDetails.ErrorType, second.FailureDetails.IsNonRetriable).ShouldBe(("AnswerTooLarge", true));
    }

    [Fact]
    public async Task Messages_beyond_the_limits_that_were_set_are_neither_taken_nor_sent()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.NextStream(Send(TurnOf("double", "21", new string('t', 5000))));
        sidecar.NextStream(Send(TurnOf("double", "21", "token-1")));
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, Register, services: services =>
            services.AddDaprWorkflowBuilder(null).WithGrpcMessageSizeLimits(maxReceiveMessageSize: 4096, maxSendMessageSize: 4096));

        (await sidecar.NextAsync(TaskHubPaths.CompleteOrchestratorTask, WorkflowResponse.Parser)).CompletionToken.ShouldBe("token-1");
        var refusal = await Should.ThrowAsync<Exception>(() => worker.Client.ScheduleNewWorkflowAsync("double", "x", new string('x', 5000)));
        refusal.Message.ShouldContain("Sending message exceeds");
    }

    [Fact]
    public async Task What_is_not_registered_is_answered_as_a_failure()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.NextStream(Send(TurnOf("nobody")));
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });

        var turn = await sidecar.NextAsync(TaskHubPaths.CompleteOrchestratorTask, WorkflowResponse.Parser);
        turn.Actions.ShouldHaveSingleItem().CompleteWorkflow.FailureDetails.ShouldSatisfyAllConditions(
            failure => failure.ErrorType.ShouldBe("WorkflowNotFound"), failure => failure.IsNonRetriable.ShouldBeTrue());

        sidecar.NextStream(Send(ActivityOf("nobody", 1)));
        await using var second = await WorkerHost.StartAsync(sidecar.Endpoint, _ => { });
        var activity = await sidecar.NextAsync(TaskHubPaths.CompleteActivityTask, ActivityResponse.Parser);
        activity.FailureDetails.ErrorType.ShouldBe("ActivityNotFoundException");
    }

    [Fact]
    public async Task An_activity_that_throws_is_answered_with_the_exception()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.NextStream(Send(ActivityOf("throw", 1)));
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, Register);

        var answer = await sidecar.NextAsync(TaskHubPaths.CompleteActivityTask, ActivityResponse.Parser);

        (answer.FailureDetails.ErrorType, answer.FailureDetails.ErrorMessage).ShouldBe(("System.InvalidOperationException", "no"));
        answer.FailureDetails.StackTrace.ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("ok")]
    [InlineData("cancelled")]
    [InlineData("unavailable")]
    [InlineData("resource exhausted")]
    [InlineData("unauthenticated, trailers only")]
    [InlineData("http 503")]
    [InlineData("cut")]
    [InlineData("half a frame")]
    public async Task However_a_stream_ends_the_next_one_is_opened(string ending)
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            sidecar.NextStream(context => EndAsync(context, ending));
        }

        sidecar.NextStream(Send(TurnOf("double", "1")));
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, Register);

        (await sidecar.NextAsync(TaskHubPaths.CompleteOrchestratorTask, WorkflowResponse.Parser)).InstanceId.ShouldBe("i-double");
    }

    [Fact]
    public async Task Items_that_came_before_a_stream_broke_are_still_answered()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        sidecar.NextStream(async context =>
        {
            await ScriptedSidecar.SendAsync(context, TurnOf("double", "3"));
            ScriptedSidecar.End(context, GrpcStatusCode.Cancelled, "going down");
        });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, Register);
        (await sidecar.NextAsync(TaskHubPaths.CompleteOrchestratorTask, WorkflowResponse.Parser)).Actions[0].CompleteWorkflow.Result.ShouldBe("6");
    }

    [Fact]
    public async Task A_sidecar_that_starts_after_the_worker_is_found()
    {
        var port = FreePort.Next();
        await using var worker = await WorkerHost.StartAsync($"http://127.0.0.1:{port}", Register);
        await Should.ThrowAsync<Exception>(() => worker.Client.GetWorkflowStateAsync("i", cancellation: Out));
        await using var sidecar = await ScriptedSidecar.StartAsync(port);
        sidecar.NextStream(Send(TurnOf("double", "1")));
        (await sidecar.NextAsync(TaskHubPaths.CompleteOrchestratorTask, WorkflowResponse.Parser)).InstanceId.ShouldBe("i-double");
    }

    [Fact]
    public async Task A_stream_whose_headers_are_held_back_is_kept_alive_and_ends_with_the_host()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        var gone = new TaskCompletionSource();
        sidecar.NextStream(async context =>
        {
            await ScriptedSidecar.HoldAsync(context);
            gone.SetResult();
        });
        await using (await WorkerHost.StartAsync(sidecar.Endpoint, Register))
        {
            await foreach (var call in sidecar.Received.Reader.ReadAllAsync(Out))
            {
                call.Path.ShouldBe(TaskHubPaths.Hello);
                break;
            }
        }

        await gone.Task.WaitAsync(Out);
    }

    [Fact]
    public async Task A_stop_finishes_what_is_in_flight_before_it_closes_the_stream()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        var (started, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var closed = new TaskCompletionSource<bool>();
        var answered = false;
        sidecar.Answer(TaskHubPaths.CompleteActivityTask, (context, _) =>
        {
            answered = true;
            return ScriptedSidecar.OkAsync(context, new CompleteTaskResponse());
        });
        sidecar.NextStream(async context =>
        {
            await ScriptedSidecar.SendAsync(context, ActivityOf("slow", 1));
            await ScriptedSidecar.HoldAsync(context);
            closed.SetResult(answered);
        });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, options => options.RegisterActivity<object, int>("slow", async (_, _) =>
        {
            started.SetResult();
            await release.Task;
            return 1;
        }));

        await started.Task.WaitAsync(Out);
        var stopping = worker.StopAsync(Out);
        release.SetResult();
        await stopping;

        (await closed.Task.WaitAsync(Out)).ShouldBeTrue("the answer comes first, then the stream ends");
    }

    [Fact]
    public async Task A_stop_that_runs_out_of_time_closes_the_stream_without_what_is_in_flight()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        var (started, release, closed) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        sidecar.NextStream(async context =>
        {
            await ScriptedSidecar.SendAsync(context, ActivityOf("stuck", 1));
            await ScriptedSidecar.HoldAsync(context);
            closed.SetResult();
        });
        await using var worker = await WorkerHost.StartAsync(sidecar.Endpoint, options => options.RegisterActivity<object, int>("stuck", async (_, _) =>
        {
            started.SetResult();
            await release.Task;
            return 1;
        }));
        await started.Task.WaitAsync(Out);
        using var outOfTime = new CancellationTokenSource();
        outOfTime.Cancel();

        await worker.StopAsync(outOfTime.Token);

        await closed.Task.WaitAsync(Out);
        release.SetResult();
    }

    [Fact]
    public async Task An_answer_that_was_refused_is_not_sent_again()
    {
        await using var sidecar = await ScriptedSidecar.StartAsync();
        var (refusals, refused) = (0, new TaskCompletionSource());
        sidecar.Answer(TaskHubPaths.CompleteActivityTask, (context, _) =>
        {
            refusals++;
            refused.TrySetResult();
            return ScriptedSidecar.TrailersOnly(context, GrpcStatusCode.Unavailable, "busy");
        });
        sidecar.NextStream(async context =>
        {
            await ScriptedSidecar.SendAsync(context, ActivityOf("key", 1));
            await refused.Task;
            await ScriptedSidecar.SendAsync(context, TurnOf("double", "2"));
            await ScriptedSidecar.HoldAsync(context);
        });
        await using (await WorkerHost.StartAsync(sidecar.Endpoint, Register))
        {
            await sidecar.NextAsync(TaskHubPaths.CompleteOrchestratorTask, WorkflowResponse.Parser);
        }

        refusals.ShouldBe(1, "the worker has ended, so nothing more can come");
    }

    static void Register(WorkflowRuntimeOptions options)
    {
        options.RegisterWorkflow<int, int>("double", (_, input) => Task.FromResult(input * 2));
        options.RegisterActivity<object, string>("KEY", (context, _) =>
            Task.FromResult($"{context.Identifier.Name}|{context.TaskExecutionKey}|{context.InstanceId}"));
        options.RegisterActivity<object, int>("throw", (_, _) => throw new InvalidOperationException("no"));
    }

    static Func<HttpContext, Task> Send(params WorkItem[] items) => async context =>
    {
        foreach (var item in items)
        {
            await ScriptedSidecar.SendAsync(context, item);
        }

        await ScriptedSidecar.HoldAsync(context);
    };

    static async Task EndAsync(HttpContext context, string ending)
    {
        switch (ending)
        {
            case "ok":
                ScriptedSidecar.End(context, GrpcStatusCode.Ok);
                break;
            case "cancelled":
                await context.Response.Body.FlushAsync();
                ScriptedSidecar.End(context, GrpcStatusCode.Cancelled, "stopping");
                break;
            case "unavailable":
                ScriptedSidecar.End(context, GrpcStatusCode.Unavailable);
                break;
            case "resource exhausted":
                ScriptedSidecar.End(context, GrpcStatusCode.ResourceExhausted, "received message larger than max");
                break;
            case "unauthenticated, trailers only":
                await ScriptedSidecar.TrailersOnly(context, GrpcStatusCode.Unauthenticated, "missing api token in request metadata");
                break;
            case "http 503":
                context.Response.StatusCode = 503;
                break;
            case "half a frame":
                await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 9, 1 });
                ScriptedSidecar.End(context, GrpcStatusCode.Ok);
                break;
            default:
                await context.Response.Body.FlushAsync();
                context.Abort();
                break;
        }
    }

    static WorkItem TurnOf(string name, string? input = null, string token = "") => new()
    {
        CompletionToken = token,
        WorkflowRequest = new WorkflowRequest
        {
            InstanceId = $"i-{name}",
            NewEvents =
            {
                new HistoryEvent { EventId = -1, WorkflowStarted = new() },
                new HistoryEvent { EventId = -1, ExecutionStarted = new() { Name = name, Input = input } },
            },
        },
    };

    static WorkItem ActivityOf(string name, int taskId, string token = "") => new()
    {
        CompletionToken = token,
        ActivityRequest = new ActivityRequest
        {
            Name = name,
            TaskId = taskId,
            TaskExecutionId = $"execution-{taskId}",
            WorkflowInstance = new WorkflowInstance { InstanceId = "i" },
        },
    };
}
