using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

/// <summary>kill -9 of the real program, then a start on the same state.</summary>
public sealed class KillTests : IDisposable
{
    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");

    public void Dispose() => _state.Delete(recursive: true);

    [Fact]
    public async Task Activities_timers_events_and_messages_go_on_after_a_kill()
    {
        await using var app = await SubscriberApp.StartAsync(_ => Microsoft.AspNetCore.Http.Results.Ok());
        using (var sidecar = await SidecarProcess.StartAsync(_state.FullName))
        {
            // The worker takes the activity and never answers; the timer is not due; nobody takes the message.
            await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Decide, _ => null);
            foreach (var name in new[] { "activity", "timer", "event" })
                await sidecar.Hub.StartAsync(name, name);
            await worker.NextAsync(i => i.ActivityRequest);
            await sidecar.Hub.RaiseAsync("event", "first", "1");
            (await sidecar.Http.PostAsync("/v1.0/publish/pubsub/orders", new StringContent("hello"))).EnsureSuccessStatusCode();
            sidecar.Kill();
        }

        using (var sidecar = await SidecarProcess.StartAsync(_state.FullName, app.Port))
        {
            (await app.NextAsync()).Event.GetProperty("data").GetString().ShouldBe("hello");
            await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Decide);
            (await sidecar.Hub.WaitAsync("activity")).Output.ShouldBe("a()");
            (await sidecar.Hub.WaitAsync("timer")).Output.ShouldBe("fired");
            await sidecar.Hub.RaiseAsync("event", "second", "2");
            (await sidecar.Hub.WaitAsync("event")).Output.ShouldBe("1,2");
        }

        static IEnumerable<WorkflowAction> Decide(TurnView turn) => turn.Started.Name switch
        {
            "activity" when turn.Results.Count == 0 => turn.Has(e => e.TaskScheduled) ? [] : [Task(0, "a")],
            "activity" => [Complete(turn.Results[0])],
            "timer" when turn.Has(e => e.TimerFired) => [Complete("fired")],
            "timer" => turn.Has(e => e.TimerCreated) ? [] : [new WorkflowAction { CreateTimer = new CreateTimerAction { FireAt = DateTime.UtcNow.AddSeconds(2).ToTimestamp() } }],
            _ => turn.Raised.Count == 2 ? [Complete(string.Join(',', turn.Raised))] : [],
        };
    }

    [Fact]
    public async Task Jobs_are_scheduled_deleted_and_triggered_across_kills()
    {
        await using var app = await JobApp.StartAsync();
        using (var sidecar = await SidecarProcess.StartAsync(_state.FullName))
        {
            foreach (var (name, job) in new[] { ("once", """{"dueTime":"1s","data":1}"""), ("often", """{"schedule":"@every 1s","repeats":2}"""), ("gone", """{"dueTime":"1s"}""") })
                (await sidecar.Http.PostAsync($"/v1.0/jobs/{name}", new StringContent(job))).EnsureSuccessStatusCode();
            (await sidecar.Http.DeleteAsync("/v1.0/jobs/gone")).EnsureSuccessStatusCode();
            sidecar.Kill();
        }

        // Killed while the app has both, unanswered: they come again.
        using (var sidecar = await SidecarProcess.StartAsync(_state.FullName, app.Port))
        {
            new[] { await app.NextAsync(), await app.NextAsync() }.ShouldBe([("once", "1"), ("often", "")], ignoreOrder: true);
            sidecar.Kill();
        }

        using (var sidecar = await SidecarProcess.StartAsync(_state.FullName, app.Port))
        {
            new[] { await app.NextAsync(), await app.NextAsync() }.ShouldBe([("once", "1"), ("often", "")], ignoreOrder: true);
            app.Answer(200);
            app.Answer(200);
            (await app.NextAsync()).ShouldBe(("often", ""));
            app.Answer(200);
            foreach (var name in new[] { "once", "often", "gone" })
            {
                while ((await sidecar.Http.GetAsync($"/v1.0/jobs/{name}")).StatusCode != System.Net.HttpStatusCode.NoContent)
                    TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            }

            sidecar.Kill();
        }

        using var last = await SidecarProcess.StartAsync(_state.FullName, app.Port);
        foreach (var name in new[] { "once", "often", "gone" })
            (await last.Http.GetAsync($"/v1.0/jobs/{name}")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Killed_at_many_moments_of_a_run_every_instance_completes_with_the_same_result()
    {
        const int Instances = 20;
        const int Steps = 5;
        var started = 0;
        for (var kill = 0; kill < 6; kill++)
        {
            using var sidecar = await SidecarProcess.StartAsync(_state.FullName);
            var turns = 0;
            var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

            // Each round is cut after another number of turns, so the kill meets starts, turns and results in all orders.
            var limit = 7 + (kill * 11);
            await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn =>
            {
                if (Interlocked.Increment(ref turns) == limit)
                    enough.TrySetResult();
                return Decide(turn);
            });
            try
            {
                for (; started < Instances; started++)
                {
                    await sidecar.Hub.StartAsync("chain", $"c{started}", started.ToString());
                    if (enough.Task.IsCompleted)
                        break;
                }

                if (started < Instances)
                    await enough.Task.WaitAsync(TimeSpan.FromMinutes(2));
            }
            catch (RpcException e) when (e.Code == GrpcStatusCode.AlreadyExists)
            {
                // The last round's start was durable before its answer was lost.
                started++;
            }

            sidecar.Kill();
        }

        using var last = await SidecarProcess.StartAsync(_state.FullName);
        await using var rest = await ScriptedWorker.ConnectAsync(last.Hub, Decide);
        for (; started < Instances; started++)
            await last.Hub.StartAsync("chain", $"c{started}", started.ToString());
        for (var i = 0; i < Instances; i++)
        {
            var state = await last.Hub.WaitAsync($"c{i}");
            state.Output.ShouldBe(string.Join(',', Enumerable.Repeat($"a({i})", Steps)));
            var history = await last.Hub.CallAsync(TaskHubPaths.GetInstanceHistory, new GetInstanceHistoryRequest { InstanceId = $"c{i}" }, GetInstanceHistoryResponse.Parser);
            history.Events.Where(e => e.TaskCompleted is not null).Select(e => e.TaskCompleted.TaskScheduledId).ShouldBe(Enumerable.Range(0, Steps));
        }

        static IEnumerable<WorkflowAction> Decide(TurnView turn) =>
            turn.Results.Count == Steps ? [Complete(string.Join(',', turn.Results))] : [Task(turn.Results.Count, "a", turn.Started.Input)];
    }

    [Fact]
    public async Task What_was_acknowledged_before_a_kill_is_there_after_it()
    {
        var acknowledged = new List<string>();
        using (var sidecar = await SidecarProcess.StartAsync(_state.FullName))
        {
            var killer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var starting = Enumerable.Range(0, 8).Select(async lane =>
            {
                try
                {
                    for (var i = 0; ; i++)
                    {
                        var id = await sidecar.Hub.StartAsync("w", $"w{lane}-{i}");
                        lock (acknowledged)
                        {
                            acknowledged.Add(id);
                            if (acknowledged.Count == 200)
                                killer.SetResult();
                        }
                    }
                }
                catch (Exception e) when (e is HttpRequestException or IOException or RpcException)
                {
                    // Killed under the call: whether this start counts is unknown to its caller.
                }
            }).ToList();
            await killer.Task.WaitAsync(TimeSpan.FromMinutes(2));
            sidecar.Kill();
            await System.Threading.Tasks.Task.WhenAll(starting);
        }

        using var again = await SidecarProcess.StartAsync(_state.FullName);
        foreach (var id in acknowledged)
            (await again.Hub.GetAsync(id)).Exists.ShouldBeTrue(id);
    }
}
