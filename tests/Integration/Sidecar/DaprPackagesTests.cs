using Dapr.Workflow;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Integration.Sidecar;

/// <summary>The Dapr packages that the services use, as worker, client and subscriber of the embedded sidecar.</summary>
public sealed class DaprPackagesTests
{
    [Fact]
    public async Task A_worker_and_a_client_run_workflows_of_every_kind()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        using var host = Worker(sidecar.Endpoints.GrpcPort);
        await host.StartAsync();
        var client = host.Services.GetRequiredService<DaprWorkflowClient>();

        (await RunAsync<string>(client, "chain", "bob")).ShouldBe("Hello Hello bob!!");
        (await RunAsync<int>(client, "fan", 30)).ShouldBe(30);
        (await RunAsync<string>(client, "retries", "x")).ShouldBe("third time");
        (await RunAsync<string>(client, "timeout", "x")).ShouldBe("timed out");
        (await RunAsync<string>(client, "parent", "kid")).ShouldBe("child says Hello Hello kid!!");
        (await RunAsync<int>(client, "again", 1)).ShouldBe(5);

        var id = await client.ScheduleNewWorkflowAsync("waiter", "w1");
        await client.WaitForWorkflowStartAsync(id);
        await client.SuspendWorkflowAsync(id, "pause");
        await client.RaiseEventAsync(id, "GO", 42);
        (await client.GetWorkflowStateAsync(id)).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Suspended);
        await client.ResumeWorkflowAsync(id);
        var done = await client.WaitForWorkflowCompletionAsync(id);
        done.ReadOutputAs<int>().ShouldBe(42);
        done.ReadCustomStatusAs<string>().ShouldBe("waiting");

        id = await client.ScheduleNewWorkflowAsync("waiter", "w2");
        await client.WaitForWorkflowStartAsync(id);
        await client.TerminateWorkflowAsync(id, "enough");
        (await client.WaitForWorkflowCompletionAsync(id)).RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Terminated);
        (await client.PurgeInstanceAsync(id)).ShouldBeTrue();
        (await client.GetWorkflowStateAsync(id)).Exists.ShouldBeFalse();
        await host.StopAsync();
    }

    [Fact]
    public async Task A_worker_survives_a_restart_of_its_sidecar()
    {
        var state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");
        var (http, grpc) = (FreePort.Next(), FreePort.Next());
        var first = await SidecarApp.StartAsync(o => o with { HttpPort = http, GrpcPort = grpc }, state.FullName);
        using var host = Worker(grpc);
        await host.StartAsync();
        var client = host.Services.GetRequiredService<DaprWorkflowClient>();
        await client.ScheduleNewWorkflowAsync("waiter", "w1");
        await client.WaitForWorkflowStartAsync("w1");
        await first.DisposeAsync();

        await using (var second = await SidecarApp.StartAsync(o => o with { HttpPort = http, GrpcPort = grpc }, state.FullName))
        {
            await second.Hub.RaiseAsync("w1", "go", "7");
            (await second.Hub.WaitAsync("w1")).Output.ShouldBe("7");
            await host.StopAsync();
        }

        state.Delete(recursive: true);
    }

    [Fact]
    public async Task A_subscriber_with_topics_gets_the_data_of_the_event()
    {
        var got = new TaskCompletionSource<Order>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = LoopbackApp.Create();
        app.UseCloudEvents();
        app.MapSubscribeHandler();
        app.MapPost("/orders", (Order order) => got.TrySetResult(order)).WithTopic("pubsub", "orders");
        await app.StartAsync();

        await using var sidecar = await SidecarApp.StartAsync();
        sidecar.Endpoints.AppPort = app.Address().Port;
        using var content = new StringContent("""{"id":"o1","amount":3}""", System.Text.Encoding.UTF8, "application/json");
        (await sidecar.Http.PostAsync("/v1.0/publish/pubsub/orders", content)).EnsureSuccessStatusCode();
        (await got.Task.WaitAsync(TimeSpan.FromMinutes(2))).ShouldBe(new Order("o1", 3));
    }

    internal sealed record Order(string Id, int Amount);

    static IHost Worker(int grpcPort)
    {
        var attempts = 0;
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new("DAPR_GRPC_PORT", grpcPort.ToString()), new("DAPR_GRPC_ENDPOINT", $"http://127.0.0.1:{grpcPort}")]);
        builder.Services.AddDaprWorkflow(options =>
        {
            options.RegisterActivity<string, string>("hello", (_, name) => Task.FromResult($"Hello {name}!"));
            options.RegisterActivity<string, string>("flaky", (_, _) => ++attempts < 3 ? throw new InvalidOperationException("not yet") : Task.FromResult("third time"));
            options.RegisterWorkflow<string, string>("chain", async (c, name) =>
                await c.CallActivityAsync<string>("hello", await c.CallActivityAsync<string>("hello", name)));
            options.RegisterWorkflow<int, int>("fan", async (c, n) =>
                (await Task.WhenAll(Enumerable.Range(0, n).Select(i => c.CallActivityAsync<string>("hello", $"x{i}")))).Distinct(StringComparer.Ordinal).Count());
            options.RegisterWorkflow<string, string>("retries", (c, x) =>
                c.CallActivityAsync<string>("flaky", x, new WorkflowTaskOptions(new WorkflowRetryPolicy(5, TimeSpan.FromMilliseconds(20)))));
            options.RegisterWorkflow<string, string>("timeout", async (c, _) =>
            {
                try
                {
                    return await c.WaitForExternalEventAsync<string>("never", TimeSpan.FromMilliseconds(50));
                }
                catch (TaskCanceledException)
                {
                    return "timed out";
                }
            });
            options.RegisterWorkflow<string, string>("parent", async (c, name) => "child says " + await c.CallChildWorkflowAsync<string>("chain", name));
            options.RegisterWorkflow<int, int>("again", async (c, n) =>
            {
                await c.CreateTimer(TimeSpan.FromMilliseconds(5));
                if (n < 5)
                    c.ContinueAsNew(n + 1);
                return n;
            });
            options.RegisterWorkflow<string, int>("waiter", (c, _) =>
            {
                c.SetCustomStatus("waiting");
                return c.WaitForExternalEventAsync<int>("go");
            });
        });
        return builder.Build();
    }

    static async Task<T?> RunAsync<T>(DaprWorkflowClient client, string name, object input)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var id = await client.ScheduleNewWorkflowAsync(name, input: input);
        var state = await client.WaitForWorkflowCompletionAsync(id, cancellation: limit.Token);
        state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, state.FailureDetails?.ToString());
        return state.ReadOutputAs<T>();
    }
}
