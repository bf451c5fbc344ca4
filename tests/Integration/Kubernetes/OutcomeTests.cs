using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Integration.Kubernetes;

/// <summary>What the lake says of an attempt before the cluster does.</summary>
public sealed class OutcomeTests
{
    static readonly TaskAttempt Attempt = LauncherLab.Attempt();

    static KubernetesOptions Soon(KubernetesOptions options) => options with { FirstLook = TimeSpan.Zero, LookEvery = TimeSpan.FromMilliseconds(1) };

    [Fact]
    public async Task An_attempt_whose_outcome_says_that_it_succeeded_has_ended_whatever_its_pod_still_does()
    {
        await using var lab = await LauncherLab.StartAsync(Soon);
        var run = lab.RunAsync(Attempt);
        var job = await lab.Cluster.NextJobAsync();
        lab.Cluster.Pod(job, """{"phase":"Running","containerStatuses":[{"state":{"running":{}}}]}""");
        await WriteAsync(lab.Lake, null);
        (await run).ShouldBe(new LaunchEnd(0, false, ""));
        lab.Cluster.Jobs.ShouldBe([job]);
    }

    [Fact]
    public async Task An_earlier_life_s_attempt_ends_with_its_outcome_too()
    {
        await using var lab = await LauncherLab.StartAsync(Soon);
        var run = lab.RunAsync(Attempt);
        await lab.Cluster.NextJobAsync();
        await lab.NextLifeAsync();
        await Should.ThrowAsync<OperationCanceledException>(run);
        var attached = lab.Launcher.AttachAsync(Attempt);
        await WriteAsync(lab.Lake, null);
        (await attached).ShouldBe(new LaunchEnd(0, false, ""));
    }

    [Fact]
    public async Task Of_an_attempt_that_failed_the_pod_s_end_is_waited_for_and_its_log_kept()
    {
        var looked = new TaskCompletionSource();
        await using var lab = await LauncherLab.StartAsync(Soon, lake: store => new SeenStore(store, found => { if (found) looked.TrySetResult(); }));
        await WriteAsync(lab.Lake, new("step.sql", "no such column", Transient: false));
        var run = lab.RunAsync(Attempt);
        var job = await lab.Cluster.NextJobAsync();
        await looked.Task;
        lab.Cluster.PodEnds(job, 1, message: "steprunner: step.sql: no such column");
        (await run).ShouldBe(new LaunchEnd(1, false, "steprunner: step.sql: no such column"));
        (await lab.LogAsync(Attempt)).ShouldBe(lab.Cluster.Log);
    }

    [Fact]
    public async Task While_the_lake_does_not_answer_the_pod_s_word_counts()
    {
        var looked = new TaskCompletionSource();
        await using var lab = await LauncherLab.StartAsync(Soon, lake: store => new SeenStore(store, _ =>
        {
            looked.TrySetResult();
            throw new LakeException("lake.unavailable", "It is away.", isTransient: true);
        }));
        var run = lab.RunAsync(Attempt);
        var job = await lab.Cluster.NextJobAsync();
        await looked.Task;
        lab.Cluster.PodEnds(job, 0);
        (await run).ShouldBe(new LaunchEnd(0, false, ""));
    }

    static async Task WriteAsync(IObjectStore lake, TaskError? error)
    {
        var outcome = new TaskOutcome { Run = Attempt.Run, Step = Attempt.Step, Task = Attempt.Task, Attempt = 1, Error = error, Timings = new(), Engine = "duckdb", StartedAt = DateTimeOffset.UnixEpoch };
        await lake.PutJsonIfAbsentAsync(LakeLayout.Outcome(Attempt.Run, Attempt.Step, Attempt.Task, 1), outcome, ContractsJson.Default.TaskOutcome, default);
    }

    /// <summary>Tells of every object that is read whether it was there, before whoever reads it knows.</summary>
    sealed class SeenStore(IObjectStore inner, Action<bool> seen) : ForwardingStore(inner)
    {
        public override async ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken)
        {
            var found = await base.GetAsync(key, cancellationToken);
            seen(found is not null);
            return found;
        }
    }
}
