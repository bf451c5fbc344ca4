using Dapr.Workflow;
using LeanPipe.DaprWire;
using LeanPipe.Integration.DaprStandIns;

namespace LeanPipe.Integration.DaprPeer;

/// <summary>Our worker's answers, decoded by the official SDK's stubs (which know no completion tokens), and its life with a stream that grpc-js serves.</summary>
public sealed class JsTaskHubWorkerTests
{
    // HTTP/2 error codes, RFC 9113, section 7.
    const int InternalError = 2;
    const int Cancel = 8;

    [Fact]
    public async Task Every_action_is_what_the_stubs_read()
    {
        await using var hub = await JsTaskHub.StartAsync();
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, options => options.RegisterWorkflow<int, int>("all", async (context, input) =>
        {
            context.SetCustomStatus("half");
            context.SendEvent("other", "go", 1);
            await Task.WhenAll(
                context.CallActivityAsync<int>("A", input),
                context.CallChildWorkflowAsync<int>("C", input, new ChildWorkflowTaskOptions("child-1")),
                context.CreateTimer(TimeSpan.FromSeconds(5)));
            return 0;
        }));
        await OpenedAsync(hub);
        await hub.SendAsync(Turn("all", "7"));

        var answer = await hub.NextAsync("completeOrchestratorTask");

        // The stubs are older than the key of an activity's execution and the origin of a timer, and leave them out.
        Json.Same(answer.Message, """
            {
              "instanceid": "i", "customstatus": { "value": "\"half\"" },
              "actionsList": [
                { "id": 0, "sendevent": { "instance": { "instanceid": "other" }, "name": "go", "data": { "value": "1" } } },
                { "id": 1, "scheduletask": { "name": "A", "input": { "value": "7" } } },
                { "id": 2, "createsuborchestration": { "instanceid": "child-1", "name": "C", "input": { "value": "7" } } },
                { "id": 3, "createtimer": { "fireat": { "seconds": 1005, "nanos": 0 } } }
              ]
            }
            """);
    }

    [Fact]
    public async Task An_end_a_failure_and_a_continuation_are_what_the_stubs_read_to_the_last_byte()
    {
        await using var hub = await JsTaskHub.StartAsync();
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, options =>
        {
            options.RegisterWorkflow<int, int>("ends", (_, input) => Task.FromResult(input * 2));
            options.RegisterWorkflow<int, int>("again", (context, input) =>
            {
                context.ContinueAsNew(input + 1);
                return Task.FromResult(0);
            });
            options.RegisterActivity<int, int>("square", (_, input) => Task.FromResult(input * input));
        });
        await OpenedAsync(hub);

        await hub.SendAsync(Turn("ends", "21"));
        Json.Same((await hub.NextAsync("completeOrchestratorTask")).Whole(), """
            {"instanceid":"i","actionsList":[{"completeorchestration":{"orchestrationstatus":1,"result":{"value":"42"}}}]}
            """);

        await hub.SendAsync(Turn("again", "1", new HistoryEvent { EventId = -1, EventRaised = new() { Name = "y", Input = "2" } }));
        Json.Same((await hub.NextAsync("completeOrchestratorTask")).Whole(), """
            {"instanceid":"i","actionsList":[{"completeorchestration":{"orchestrationstatus":2,"result":{"value":"2"},
              "carryovereventsList":[{"eventid":-1,"eventraised":{"name":"y","input":{"value":"2"}}}]}}]}
            """);

        await hub.SendAsync(Turn("nobody", "1"));
        (await hub.NextAsync("completeOrchestratorTask")).Whole().ShouldContain("WorkflowNotFound");

        await hub.SendAsync(Activity("square", "9"));
        Json.Same((await hub.NextAsync("completeActivityTask")).Whole(), """{"instanceid":"i","taskid":3,"result":{"value":"81"}}""");
    }

    [Theory]
    [InlineData("ended")]
    [InlineData("shutting down")]
    [InlineData("unavailable")]
    [InlineData("message too large")]
    [InlineData("reset")]
    [InlineData("reset with an error")]
    [InlineData("connection gone")]
    public async Task However_a_stream_ends_the_worker_opens_another_and_goes_on(string ending)
    {
        await using var hub = await JsTaskHub.StartAsync();
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, options => options.RegisterActivity<int, int>("square", (_, input) => Task.FromResult(input * input)));
        await OpenedAsync(hub);
        await hub.SendAsync(Activity("square", "2"));
        await hub.NextAsync("completeActivityTask");

        await (ending switch
        {
            "shutting down" => hub.EndStreamAsync(1, "shutting down"),
            "unavailable" => hub.EndStreamAsync(14, "gone"),
            "message too large" => hub.EndStreamAsync(8, "trying to send message larger than max (6291688 vs. 4194304)"),
            "reset" => hub.ResetStreamAsync(Cancel),
            "reset with an error" => hub.ResetStreamAsync(InternalError),
            "connection gone" => hub.DropConnectionAsync(),
            _ => hub.EndStreamAsync(),
        });

        await OpenedAsync(hub);
        await hub.SendAsync(Activity("square", "3"));
        (await hub.NextAsync("completeActivityTask")).Whole().ShouldContain("\"9\"");
    }

    [Fact]
    public async Task A_worker_that_is_not_let_in_tries_again_until_it_is()
    {
        await using var hub = await JsTaskHub.StartAsync("next week's");
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, options => options.RegisterActivity<int, int>("square", (_, input) => Task.FromResult(input * input)), "today's");
        await OpenedAsync(hub);
        await OpenedAsync(hub);
        await hub.RequireTokenAsync("today's");
        await hub.AcceptedAsync();
        await hub.SendAsync(Activity("square", "3"));
        await hub.NextAsync("completeActivityTask");
    }

    // As daprd does it: nothing at all, not even headers, before the first item.
    [Fact]
    public async Task A_stream_without_headers_is_a_stream_that_waits()
    {
        await using var hub = await JsTaskHub.StartAsync();
        await using var host = await WorkerHost.StartAsync(hub.Endpoint, options => options.RegisterActivity<int, int>("square", (_, input) => Task.FromResult(input * input)));
        await OpenedAsync(hub);
        for (var keepAlives = 0; keepAlives < 20; keepAlives++)
            (await hub.NextNameAsync()).ShouldBe("hello", "the worker opened another stream while one was waiting");
        await hub.SendAsync(Activity("square", "3"));
        (await hub.NextAsync("completeActivityTask")).Whole().ShouldContain("\"9\"");
    }

    static async Task OpenedAsync(JsTaskHub hub) => (await hub.NextAsync("getWorkItems")).Whole().ShouldBe("{}");

    static WorkItem Turn(string workflow, string input, params HistoryEvent[] more) => new()
    {
        WorkflowRequest = new()
        {
            InstanceId = "i",
            NewEvents =
            {
                new HistoryEvent { EventId = -1, Timestamp = new() { Seconds = 1000 }, WorkflowStarted = new() },
                new HistoryEvent { EventId = -1, ExecutionStarted = new() { Name = workflow, Input = input, WorkflowInstance = new() { InstanceId = "i" } } },
                more,
            },
        },
    };

    static WorkItem Activity(string name, string input) => new()
    {
        ActivityRequest = new() { Name = name, Input = input, WorkflowInstance = new() { InstanceId = "i" }, TaskId = 3 },
    };
}
