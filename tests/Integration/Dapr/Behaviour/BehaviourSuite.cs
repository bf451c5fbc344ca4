using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace LeanPipe.Integration.DaprBehaviour;

/// <summary>
/// What every Dapr sidecar does for a worker and a client, whoever made them. Nothing here knows our sidecar: what it differs in on purpose is not asked.
/// </summary>
public abstract class BehaviourSuite(Pair pair)
{
    readonly string _id = $"case-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_chain_of_activities_gives_its_result()
    {
        var seen = await RunAsync("chain", "bob");
        (seen.Status, seen.Name, seen.Input, seen.Output).ShouldBe(("Completed", "chain", "\"bob\"", "\"Hello Hello bob!!\""));
    }

    [Fact]
    public async Task Activities_fan_out_and_come_back_in_order() =>
        (await RunAsync("fan", 40)).Output.ShouldBe(JsonSerializer.Serialize(Enumerable.Range(1, 40).Select(i => i * i)));

    [Fact]
    public async Task A_timer_fires_and_not_before_its_time() => (await RunAsync("timer", 1)).Output.ShouldBe("true");

    [Fact]
    public async Task An_event_that_comes_while_it_is_awaited_goes_through()
    {
        var client = await StartAsync("waits", "go");
        await client.RaiseAsync(_id, "go", "now");
        var seen = await client.WaitForEndAsync(_id);
        (seen.Status, seen.Output, seen.CustomStatus).ShouldBe(("Completed", "\"now\"", "\"went on\""));
    }

    [Fact]
    public async Task An_event_that_comes_before_it_is_awaited_is_kept()
    {
        var client = await StartAsync("late", "go");
        await client.RaiseAsync(_id, "go", "early");
        (await client.WaitForEndAsync(_id)).Output.ShouldBe("\"early\"");
    }

    [Fact]
    public async Task An_events_name_has_no_case()
    {
        var client = await StartAsync("waits", "approval");
        await client.RaiseAsync(_id, "APPROVAL", "yes");
        (await client.WaitForEndAsync(_id)).Output.ShouldBe("\"yes\"");
    }

    [Fact]
    public async Task A_failed_activity_can_be_caught() => (await RunAsync("caught", "disk gone")).Output.ShouldBe("\"caught\"");

    [Fact]
    public async Task A_failure_that_nobody_catches_ends_the_instance_with_its_message()
    {
        var seen = await RunAsync("uncaught", "disk gone");
        seen.Status.ShouldBe("Failed");
        seen.Failure!.ShouldContain("disk gone");
    }

    [Fact]
    public async Task A_child_gives_its_result_or_its_failure() => (await RunAsync("parent", 5)).Output.ShouldBe("26");

    [Fact]
    public async Task Continue_as_new_carries_the_events_over_that_nobody_took()
    {
        var client = await StartAsync("rounds", Array.Empty<int>());
        for (var item = 1; item <= 3; item++)
            await client.RaiseAsync(_id, "item", item);
        (await client.WaitForEndAsync(_id)).Output.ShouldBe("[1,2,3]");
    }

    [Fact]
    public async Task A_custom_status_is_seen_while_the_instance_runs()
    {
        var client = await StartAsync("waits", "go");
        var seen = await client.GetAsync(_id);
        (seen!.Status, seen.CustomStatus, seen.Output).ShouldBe(("Running", "\"waiting\"", null));
        await client.TerminateAsync(_id, null);
    }

    [Fact]
    public async Task A_suspended_instance_stands_still_until_it_is_resumed()
    {
        var client = await StartAsync("waits", "go");
        await client.SuspendAsync(_id);
        await client.RaiseAsync(_id, "go", "meanwhile");
        var seen = await client.GetAsync(_id);
        (seen!.Status, seen.CustomStatus).ShouldBe(("Suspended", "\"waiting\""));
        await client.ResumeAsync(_id);
        (await client.WaitForEndAsync(_id)).Output.ShouldBe("\"meanwhile\"");
    }

    [Fact]
    public async Task A_terminated_instance_has_ended()
    {
        var client = await StartAsync("waits", "go");
        await client.TerminateAsync(_id, "enough");
        (await client.WaitForEndAsync(_id)).Status.ShouldBe("Terminated");
    }

    [Fact]
    public async Task A_finished_instance_can_be_purged_and_a_running_one_cannot()
    {
        var client = await StartAsync("waits", "go");
        await Should.ThrowAsync<Exception>(() => client.PurgeAsync(_id));
        await client.RaiseAsync(_id, "go", "now");
        await client.WaitForEndAsync(_id);
        (await client.PurgeAsync(_id)).ShouldBeTrue();
        (await client.GetAsync(_id)).ShouldBeNull();
    }

    [Fact]
    public async Task A_delayed_start_is_not_before_its_time()
    {
        var client = await pair.StartedAsync();
        var startAt = DateTimeOffset.UtcNow.AddSeconds(2);
        await client.StartAsync("clock", null, _id, startAt);
        var ran = long.Parse((await client.WaitForEndAsync(_id)).Output!);
        ran.ShouldBeGreaterThanOrEqualTo(startAt.ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task An_active_id_is_not_started_twice_and_a_finished_one_starts_anew()
    {
        var client = await StartAsync("waits", "go");
        var refusal = await Should.ThrowAsync<Exception>(() => client.StartAsync("waits", "go", _id));
        refusal.Message.ShouldContain("already exists");
        await client.RaiseAsync(_id, "go", "first");
        await client.WaitForEndAsync(_id);
        await client.StartAsync("chain", "again", _id);
        (await client.WaitForEndAsync(_id)).Output.ShouldBe("\"Hello Hello again!!\"");
    }

    [Fact]
    public async Task An_unknown_instance_is_nothing_and_takes_no_event()
    {
        var client = await pair.StartedAsync();
        (await client.GetAsync(_id)).ShouldBeNull();
        (await Should.ThrowAsync<Exception>(() => client.RaiseAsync(_id, "go", "x"))).Message.ShouldContain("no such instance exists");
    }

    [Fact]
    public async Task A_sidecar_that_restarts_goes_on_with_waiting_instances_and_timers()
    {
        SidecarUnderTest.RequireOwn("the sidecar at LEANPIPE_DAPR_GRPC is not this test's to restart");
        var client = await StartAsync("late", "go");
        await pair.RestartSidecarAsync();

        // A connection that broke is told by whoever notices; the call was not made.
        await RetryAsync(() => client.RaiseAsync(_id, "go", "after"));
        (await client.WaitForEndAsync(_id)).Output.ShouldBe("\"after\"");
    }

    [Fact]
    public async Task An_activity_whose_worker_is_killed_is_done_again_by_the_next_one()
    {
        var client = await pair.StartedAsync();
        var folder = Directory.CreateTempSubdirectory("leanpipe-behaviour-");
        try
        {
            var runs = new TaskCompletionSource();
            using var watcher = new FileSystemWatcher(folder.FullName) { EnableRaisingEvents = true };
            watcher.Created += (_, _) => runs.TrySetResult();
            await client.StartAsync("hangs", Path.Combine(folder.FullName, "runs"), _id);
            await runs.Task.WaitAsync(TestContext.Current.CancellationToken);
            await pair.ReplaceWorkerAsync();
            (await client.WaitForEndAsync(_id)).Output.ShouldBe("\"again\"");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("v1.0")]
    [InlineData("v1.0-beta1")]
    [InlineData("v1.0-alpha1")]
    public async Task An_instance_is_started_and_seen_over_HTTP_under_every_name_of_the_api(string version)
    {
        var client = await pair.StartedAsync();
        using var http = new HttpClient { BaseAddress = new Uri(pair.Sidecar.Http, $"/{version}/workflows/dapr/") };
        using var started = await http.PostAsJsonAsync($"chain/start?instanceID={_id}", "bob");
        (started.StatusCode, await started.Content.ReadAsStringAsync()).ShouldBe((HttpStatusCode.Accepted, $$"""{"instanceID":"{{_id}}"}"""));
        await client.WaitForEndAsync(_id);
        var seen = await http.GetFromJsonAsync<JsonElement>(_id);
        (seen.GetProperty("runtimeStatus").GetString(), seen.GetProperty("properties").GetProperty("dapr.workflow.output").GetString())
            .ShouldBe(("COMPLETED", "\"Hello Hello bob!!\""));
    }

    [Fact]
    public async Task Terminate_over_HTTP_takes_the_children_along()
    {
        var client = await StartAsync("nested", $"{_id}-child");
        await client.WaitForStartAsync($"{_id}-child");
        using var http = new HttpClient();
        using var answer = await http.PostAsync(new Uri(pair.Sidecar.Http, $"/v1.0/workflows/dapr/{_id}/terminate"), content: null);
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await client.WaitForEndAsync(_id)).Status.ShouldBe("Terminated");
        (await client.WaitForEndAsync($"{_id}-child")).Status.ShouldBe("Terminated");
    }

    static async Task RetryAsync(Func<Task> call)
    {
        while (true)
        {
            try
            {
                await call();
                return;
            }
            catch (Exception e) when (e.Message.Contains("Unavailable", StringComparison.OrdinalIgnoreCase) || e.Message.Contains("Cancelled", StringComparison.OrdinalIgnoreCase))
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    async Task<Seen> RunAsync(string workflow, object? input)
    {
        var client = await pair.StartedAsync();
        await client.StartAsync(workflow, input, _id);
        return await client.WaitForEndAsync(_id);
    }

    // The first turn is answered: the instance waits, or is on its way.
    async Task<IClient> StartAsync(string workflow, object? input)
    {
        var client = await pair.StartedAsync();
        await client.StartAsync(workflow, input, _id);
        await client.WaitForStartAsync(_id);
        return client;
    }
}
