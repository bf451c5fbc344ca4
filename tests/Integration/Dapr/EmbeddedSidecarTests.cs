using Dapr.Workflow;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Integration.DaprStandIns;

/// <summary>Worker and client of the stand-in against the embedded sidecar, over real sockets.</summary>
public sealed class EmbeddedSidecarTests
{
    static CancellationToken Out => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_chain_of_activities_gives_its_result()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await StartAsync(sidecar, Register);

        var id = await worker.Client.ScheduleNewWorkflowAsync("chain", input: 5);
        var state = await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out);

        (state.RuntimeStatus, state.WorkflowName, state.ReadInputAs<int>(), state.ReadOutputAs<int>(), state.ReadCustomStatusAs<string>())
            .ShouldBe((WorkflowRuntimeStatus.Completed, "chain", 5, 8, "last"));
    }

    [Fact]
    public async Task A_hundred_activities_fan_out_and_come_back_in_order()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await StartAsync(sidecar, options =>
        {
            Register(options);
            options.RegisterWorkflow<int, int[]>("fan", (context, count) =>
                Task.WhenAll(Enumerable.Range(0, count).Select(i => context.CallActivityAsync<int>("add-one", i))));
        });

        var id = await worker.Client.ScheduleNewWorkflowAsync("fan", input: 100);

        (await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out)).ReadOutputAs<int[]>().ShouldBe(Enumerable.Range(1, 100));
    }

    [Fact]
    public async Task A_failing_activity_is_retried_by_policy_with_a_durable_timer()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        var attempts = 0;
        await using var worker = await StartAsync(sidecar, options =>
        {
            options.RegisterActivity<object, int>("flaky", (_, _) => ++attempts < 3 ? throw new IOException($"attempt {attempts}") : Task.FromResult(attempts));
            options.RegisterWorkflow<object, int>("retry", (context, _) => context.CallActivityAsync<int>(
                "flaky", options: new WorkflowTaskOptions(new WorkflowRetryPolicy(5, TimeSpan.FromMilliseconds(20)))));
        });

        var id = await worker.Client.ScheduleNewWorkflowAsync("retry");

        (await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out)).ReadOutputAs<int>().ShouldBe(3);
    }

    [Fact]
    public async Task A_failure_ends_the_instance_with_its_details()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await StartAsync(sidecar, options =>
        {
            options.RegisterActivity<object, int>("broken", (_, _) => throw new IOException("disk gone"));
            options.RegisterWorkflow<object, int>("fails", (context, _) => context.CallActivityAsync<int>("broken"));
        });

        var id = await worker.Client.ScheduleNewWorkflowAsync("fails");
        var state = await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out);

        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Failed);
        (state.FailureDetails!.ErrorType, state.FailureDetails.ErrorMessage).ShouldBe(("Dapr.Workflow.WorkflowTaskFailedException", "Task failed: disk gone"));
    }

    [Fact]
    public async Task Timers_fire_and_events_win_or_lose_against_them()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await StartAsync(sidecar, options => options.RegisterWorkflow<object, string>("events", async (context, _) =>
        {
            await context.CreateTimer(TimeSpan.FromMilliseconds(20));
            var early = await context.WaitForExternalEventAsync<int>("APPROVAL", TimeSpan.FromMinutes(10));
            try
            {
                await context.WaitForExternalEventAsync<int>("never", TimeSpan.FromMilliseconds(20));
                return "unexpected";
            }
            catch (TaskCanceledException)
            {
                return $"{early}, then late";
            }
        }));

        var id = await worker.Client.ScheduleNewWorkflowAsync("events");
        await worker.Client.RaiseEventAsync(id, "approval", 7, Out);

        (await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out)).ReadOutputAs<string>().ShouldBe("7, then late");
    }

    [Fact]
    public async Task Children_run_and_their_failures_come_back()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await StartAsync(sidecar, options =>
        {
            Register(options);
            options.RegisterWorkflow<object, int>("bad-child", (_, _) => throw new InvalidOperationException("no"));
            options.RegisterWorkflow<int, string>("parent", async (context, input) =>
            {
                var results = await Task.WhenAll(Enumerable.Range(0, input).Select(i => context.CallChildWorkflowAsync<int>("chain", i)));
                try
                {
                    return $"{await context.CallChildWorkflowAsync<int>("bad-child")}";
                }
                catch (WorkflowTaskFailedException e)
                {
                    return $"{string.Join(',', results)}; {e.Message}";
                }
            });
        });

        var id = await worker.Client.ScheduleNewWorkflowAsync("parent", input: 3);

        (await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out)).ReadOutputAs<string>().ShouldBe("3,4,5; Child workflow 'bad-child' failed");
    }

    [Fact]
    public async Task Continue_as_new_starts_over_and_keeps_the_events()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await StartAsync(sidecar, options => options.RegisterWorkflow<int[], int[]>("collect", async (context, got) =>
        {
            int[] more = [.. got, await context.WaitForExternalEventAsync<int>("item")];
            if (more.Length < 4)
            {
                context.ContinueAsNew(more);
            }

            return more;
        }));

        var id = await worker.Client.ScheduleNewWorkflowAsync("collect", input: Array.Empty<int>());
        for (var i = 1; i <= 4; i++)
        {
            await worker.Client.RaiseEventAsync(id, "item", i, Out);
        }

        (await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out)).ReadOutputAs<int[]>().ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public async Task An_instance_is_suspended_resumed_terminated_and_purged()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await StartAsync(sidecar, options => options.RegisterWorkflow<object, int>("waits", async (context, _) =>
        {
            await context.WaitForExternalEventAsync<int>("go");
            context.SetCustomStatus("went");
            return await context.WaitForExternalEventAsync<int>("stop");
        }));
        var client = worker.Client;
        var id = await client.ScheduleNewWorkflowAsync("waits");

        await client.SuspendWorkflowAsync(id, "pause", Out);
        (await client.GetWorkflowStateAsync(id, cancellation: Out)).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Suspended);
        await client.RaiseEventAsync(id, "go", 1, Out);
        (await client.GetWorkflowStateAsync(id, cancellation: Out)).ReadCustomStatusAs<string>().ShouldBeNull();
        await client.ResumeWorkflowAsync(id, cancellation: Out);
        await client.TerminateWorkflowAsync(id, "enough", Out);

        var state = await client.WaitForWorkflowCompletionAsync(id, cancellation: Out);
        (state.RuntimeStatus, state.ReadOutputAs<string>()).ShouldBe((WorkflowRuntimeStatus.Terminated, "enough"));
        (await client.PurgeInstanceAsync(id, Out)).ShouldBeTrue();
        (await client.GetWorkflowStateAsync(id, cancellation: Out)).Exists.ShouldBeFalse();
    }

    [Fact]
    public async Task An_active_instance_is_not_started_twice()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await StartAsync(sidecar, options => options.RegisterWorkflow<object, int>("waits", (context, _) => context.WaitForExternalEventAsync<int>("go")));
        await worker.Client.ScheduleNewWorkflowAsync("waits", "one");
        var refusal = await Should.ThrowAsync<Exception>(() => worker.Client.ScheduleNewWorkflowAsync("waits", "one"));
        refusal.Message.ShouldContain("an active workflow with ID 'one' already exists");
    }

    [Fact]
    public async Task A_sidecar_that_restarts_in_the_middle_of_a_run_goes_on_where_it_was()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        var (reached, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var worker = await StartAsync(sidecar, options =>
        {
            Register(options);
            options.RegisterActivity<int, int>("gate", async (_, input) =>
            {
                reached.TrySetResult();
                await release.Task;
                return input;
            });
            options.RegisterWorkflow<int, int>("long", async (context, input) =>
            {
                var first = await context.CallActivityAsync<int>("add-one", input);
                var second = await context.CallActivityAsync<int>("gate", first);
                return await context.CallActivityAsync<int>("add-one", second);
            });
        });
        var id = await worker.Client.ScheduleNewWorkflowAsync("long", input: 1);
        await reached.Task.WaitAsync(Out);

        await sidecar.RestartAsync();
        release.SetResult();

        (await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out)).ReadOutputAs<int>().ShouldBe(3);
    }

    [Fact]
    public async Task Workflows_and_activities_are_made_from_the_hosts_services()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await WorkerHost.StartAsync(
            sidecar.Endpoint,
            options =>
            {
                options.RegisterWorkflow<GreetingWorkflow>("greeting");
                options.RegisterActivity<GreetActivity>();
            },
            time: TimeProvider.System,
            services: services => services.AddSingleton(new Greeting("Hello")));

        var id = await worker.Client.ScheduleNewWorkflowAsync("GREETING", input: new GreetingInput("lake"));

        (await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out)).ReadOutputAs<string>().ShouldBe("Hello, lake");
    }

    [Fact]
    public async Task History_can_be_looked_at()
    {
        await using var sidecar = await EmbeddedSidecar.StartAsync();
        await using var worker = await StartAsync(sidecar, Register);
        var id = await worker.Client.ScheduleNewWorkflowAsync("chain", "mine", 1);
        await worker.Client.WaitForWorkflowCompletionAsync(id, cancellation: Out);

        (await worker.Client.ListInstanceIdsAsync(cancellation: Out)).InstanceIds.ShouldBe(["mine"]);
        var history = await worker.Client.GetInstanceHistoryAsync(id, Out);
        history.Count(e => e.EventType == Dapr.Workflow.Client.WorkflowHistoryEventType.TaskScheduled).ShouldBe(3);
    }

    static Task<WorkerHost> StartAsync(EmbeddedSidecar sidecar, Action<WorkflowRuntimeOptions> configure) =>
        WorkerHost.StartAsync(sidecar.Endpoint, configure, time: TimeProvider.System);

    static void Register(WorkflowRuntimeOptions options)
    {
        options.RegisterActivity<int, int>("add-one", (_, input) => Task.FromResult(input + 1));
        options.RegisterWorkflow<int, int>("chain", async (context, input) =>
        {
            for (var i = 0; i < 3; i++)
            {
                context.SetCustomStatus(i == 2 ? "last" : "on the way");
                input = await context.CallActivityAsync<int>("add-one", input);
            }

            return input;
        });
    }

    sealed record Greeting(string Word);

    sealed record GreetingInput(string Name);

    sealed class GreetingWorkflow : Workflow<GreetingInput, string>
    {
        public override Task<string> RunAsync(WorkflowContext context, GreetingInput input) => context.CallActivityAsync<string>(nameof(GreetActivity), input);
    }

    sealed class GreetActivity(Greeting greeting) : WorkflowActivity<GreetingInput, string>
    {
        public override Task<string> RunAsync(WorkflowActivityContext context, GreetingInput input) => Task.FromResult($"{greeting.Word}, {input.Name}");
    }
}
