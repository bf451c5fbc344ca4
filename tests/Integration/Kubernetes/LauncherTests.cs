using LeanPipe.Orchestrator;

namespace LeanPipe.Integration.Kubernetes;

public sealed class LauncherTests
{
    [Fact]
    public async Task A_task_is_a_Job_and_ends_with_its_pod()
    {
        await using var lab = await LauncherLab.StartAsync();
        var run = lab.RunAsync(LauncherLab.Attempt());
        var job = await lab.Cluster.NextJobAsync();
        job.ShouldStartWith("lp-by-sensor-00000-1-");
        lab.Cluster.Pod(job, """{"phase":"Pending"}""");
        lab.Cluster.Pod(job, """{"phase":"Running","containerStatuses":[{"state":{"running":{}}}]}""");
        lab.Cluster.PodEnds(job, 0, "Completed");
        (await run).ShouldBe(new LaunchEnd(0, false, ""));
        lab.Cluster.Job(job)["metadata"]!["ownerReferences"]![0]!["uid"]!.ToString().ShouldBe("uid-1");
        lab.Cluster.Jobs.ShouldBe([job]);
    }

    [Fact]
    public async Task A_failed_attempt_leaves_the_end_of_its_log_in_the_lake()
    {
        await using var lab = await LauncherLab.StartAsync();
        var attempt = LauncherLab.Attempt();
        var run = lab.RunAsync(attempt);
        lab.Cluster.PodEnds(await lab.Cluster.NextJobAsync(), 3, message: "{\"progress\":0.5}\nsteprunner: lake.unavailable: away\n");
        (await run).ShouldBe(new LaunchEnd(3, false, "steprunner: lake.unavailable: away"));
        (await lab.LogAsync(attempt)).ShouldBe(lab.Cluster.Log);
    }

    [Theory]
    [InlineData("""{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}""", "task.oom_killed", true, "256 MiB")]
    [InlineData("""{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory."}""", "task.evicted", true, "low on resource: memory")]
    [InlineData("""{"phase":"Failed","reason":"Evicted","message":"Usage of EmptyDir volume \"scratch\" exceeds the limit \"1Gi\"."}""", "task.evicted", false, "exceeds the limit")]
    [InlineData("""{"phase":"Failed","reason":"NodeShutdown","message":"Pod was terminated in response to imminent node shutdown."}""", "task.node_gone", true, "NodeShutdown")]
    [InlineData("""{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"exitCode":128,"reason":"StartError","message":"exec: no such file"}}}]}""", "task.unstartable", false, "no such file")]
    [InlineData("""{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"InvalidImageName","message":"couldn't parse image"}}}]}""", "task.unstartable", false, "couldn't parse image")]
    public async Task A_pod_s_end_is_told_in_words(string status, string code, bool transient, string words)
    {
        await using var lab = await LauncherLab.StartAsync();
        var run = lab.RunAsync(LauncherLab.Attempt());
        lab.Cluster.Pod(await lab.Cluster.NextJobAsync(), status);
        var error = (await run).Error.ShouldNotBeNull();
        error.Code.ShouldBe(code);
        error.Transient.ShouldBe(transient);
        error.Message.ShouldContain(words);
    }

    [Theory]
    [InlineData("""{"phase":"Failed","reason":"DeadlineExceeded","message":"Pod was active on the node longer than the specified deadline"}""", null)]
    [InlineData(null, "DeadlineExceeded")]
    public async Task A_deadline_that_passed_is_a_time_out(string? pod, string? job)
    {
        await using var lab = await LauncherLab.StartAsync();
        var run = lab.RunAsync(LauncherLab.Attempt());
        var name = await lab.Cluster.NextJobAsync();
        lab.Cluster.Pod(name, """{"phase":"Running"}""");
        if (pod is not null) lab.Cluster.Pod(name, pod);
        if (job is not null)
        {
            lab.Cluster.JobEnds(name, "Failed", job);
            lab.Cluster.Remove("pods", $"{name}-x1");
        }
        (await run).TimedOut.ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes are available: 1 Insufficient memory."}]}""", "task.unschedulable", "1 Insufficient memory")]
    [InlineData("""{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image"}}}]}""", "task.unstartable", "ImagePullBackOff")]
    [InlineData("""{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"CreateContainerConfigError","message":"secret \"lake\" not found"}}}]}""", "task.unstartable", "secret \"lake\" not found")]
    [InlineData(null, "task.no_pod", "kubectl describe job")]
    public async Task A_pod_that_does_not_come_up_is_given_up_with_the_reason_and_its_Job_deleted(string? status, string code, string words)
    {
        // Only the patience that the case is about is short: a slow machine must not give the pod up for another reason.
        var (soon, never) = (TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        await using var lab = await LauncherLab.StartAsync(o => o with { UnschedulableAfter = code == "task.unstartable" ? never : soon, UnstartableAfter = code == "task.unschedulable" ? never : soon });
        var run = lab.RunAsync(LauncherLab.Attempt());
        var job = await lab.Cluster.NextJobAsync();
        if (status is not null) lab.Cluster.Pod(job, status);
        var error = (await run).Error.ShouldNotBeNull();
        error.Code.ShouldBe(code);
        error.Message.ShouldContain(words);
        error.Transient.ShouldBeFalse();
        lab.Cluster.Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pod_that_somebody_deletes_ends_the_attempt_and_no_second_pod_writes_under_its_prefix()
    {
        await using var lab = await LauncherLab.StartAsync();
        var run = lab.RunAsync(LauncherLab.Attempt());
        var job = await lab.Cluster.NextJobAsync();
        lab.Cluster.Pod(job, """{"phase":"Running","containerStatuses":[{"state":{"running":{}}}]}""");
        lab.Cluster.Remove("pods", $"{job}-x1");
        (await run).Error.ShouldNotBeNull().Code.ShouldBe("task.pod_deleted");
        lab.Cluster.Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_pod_whose_node_is_gone_is_lost_after_a_while()
    {
        await using var lab = await LauncherLab.StartAsync(o => o with { LeavingAfter = TimeSpan.FromMilliseconds(100) });
        var run = lab.RunAsync(LauncherLab.Attempt());
        lab.Cluster.Pod(await lab.Cluster.NextJobAsync(), """{"phase":"Running","containerStatuses":[{"state":{"running":{}}}]}""", deleting: "2026-01-01T00:00:00Z");
        (await run).Error.ShouldNotBeNull().Code.ShouldBe("task.node_gone");
    }

    [Fact]
    public async Task Cancelling_deletes_the_Job()
    {
        await using var lab = await LauncherLab.StartAsync();
        using var cancel = new CancellationTokenSource();
        var run = lab.RunAsync(LauncherLab.Attempt(), cancel.Token);
        await lab.Cluster.NextJobAsync();
        await cancel.CancelAsync();
        (await run).ExitCode.ShouldBe(143);
        lab.Cluster.Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_stop_leaves_the_Job_and_the_next_life_waits_for_it()
    {
        await using var lab = await LauncherLab.StartAsync();
        var attempt = LauncherLab.Attempt();
        var run = lab.RunAsync(attempt);
        var job = await lab.Cluster.NextJobAsync();
        await lab.NextLifeAsync();
        await Should.ThrowAsync<OperationCanceledException>(run);
        lab.Cluster.Jobs.ShouldBe([job]);

        var attached = lab.Launcher.AttachAsync(attempt);
        lab.Cluster.PodEnds(job, 0);
        (await attached).ShouldBe(new LaunchEnd(0, false, ""));
        (await lab.Launcher.AttachAsync(LauncherLab.Attempt(number: 2))).ShouldBeNull();
    }

    [Fact]
    public async Task A_Job_that_ended_while_nobody_looked_is_found_ended()
    {
        await using var lab = await LauncherLab.StartAsync();
        var attempt = LauncherLab.Attempt();
        var run = lab.RunAsync(attempt);
        var job = await lab.Cluster.NextJobAsync();
        await lab.EndAsync();
        await Should.ThrowAsync<OperationCanceledException>(run);
        lab.Cluster.PodEnds(job, 137, "OOMKilled");
        await lab.NextLifeAsync();
        (await lab.Launcher.AttachAsync(attempt)).ShouldNotBeNull().Error!.Code.ShouldBe("task.oom_killed");
    }

    [Fact]
    public async Task Fifty_tasks_cost_one_call_each_beside_two_lists_and_two_watches()
    {
        await using var lab = await LauncherLab.StartAsync();
        var runs = Enumerable.Range(0, 50).Select(i => lab.RunAsync(LauncherLab.Attempt(task: i))).ToList();
        foreach (var _ in runs) lab.Cluster.PodEnds(await lab.Cluster.NextJobAsync(), 0);
        (await Task.WhenAll(runs)).ShouldAllBe(end => end.ExitCode == 0);
        lab.Cluster.Calls.Count.ShouldBe(50 + 1 + 2 + 2, string.Join('\n', lab.Cluster.Calls));
    }
}
