using System.Net;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>A Job per attempt, one pod each.</summary>
/// <remarks>
/// The Job's name follows from the attempt, so whoever asks again, this life of the service or the next, finds the one that is there: an attempt runs once. A stop of
/// this service leaves its Jobs alone; the next life attaches to them. An attempt has ended when its pod has, or, sooner, when its outcome is in the lake and says that it succeeded: nothing
/// of it is written after that, and what is left of the pod is its leaving. Durable order of an attempt that failed: its log's end into the lake, then the answer; the Job
/// itself stays until its time to live is over, unless waiting longer for it is no use.
/// </remarks>
sealed class KubernetesLauncher(
    KubernetesApi api, JobWatch watch, KubernetesOptions options, IObjectStore lake, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<KubernetesLauncher> log) : ILauncher
{
    // The pod's end and the Job's arrive on two streams.
    static readonly TimeSpan PodAfterJob = TimeSpan.FromSeconds(5);
    const int LogLines = 200;

    readonly string _template = File.ReadAllText(options.JobTemplate);
    Task<string?>? _owner;

    public async Task<LaunchEnd> RunAsync(TaskAttempt attempt, Action<string> output, CancellationToken cancel)
    {
        var stopping = lifetime.ApplicationStopping;
        stopping.ThrowIfCancellationRequested();
        var name = TaskJob.Name(attempt, options.Owner, lake.Root);
        // Before the Job is there, so that nothing of it is missed.
        using var waiting = watch.Follow(name);
        if (await CreateAsync(attempt, name, stopping) is { } refused) return refused;
        log.JobCreated(attempt, name);
        return await WaitAsync(attempt, name, waiting, cancel, stopping);
    }

    public async Task<LaunchEnd?> AttachAsync(TaskAttempt attempt)
    {
        var stopping = lifetime.ApplicationStopping;
        var name = TaskJob.Name(attempt, options.Owner, lake.Root);
        using var waiting = watch.Follow(name);
        var found = await api.GetJobAsync(name, stopping);
        if (found.Code == HttpStatusCode.NotFound) return null;
        if (!found.Succeeded) throw new LeanPipeException("kubernetes.refused", $"Job {name} cannot be looked at ({(int)found.Code}): {found.Message}", isTransient: true);
        log.JobAttached(attempt, name);
        return await WaitAsync(attempt, name, waiting, CancellationToken.None, stopping);
    }

    /// <returns>Null when the Job is there and ours.</returns>
    async Task<LaunchEnd?> CreateAsync(TaskAttempt attempt, string name, CancellationToken stopping)
    {
        var job = TaskJob.Build(_template, name, attempt, options, await OwnerAsync(stopping));
        var began = time.GetTimestamp();
        while (true)
        {
            var answer = await api.CreateJobAsync(job, stopping);
            if (answer.Succeeded) return null;
            if (answer.Code == HttpStatusCode.Conflict)
            {
                // Made by an earlier call whose answer was lost, or by an earlier life.
                var found = await api.GetJobAsync(name, stopping);
                if (found.Succeeded && found.Body.Text("metadata", "annotations", TaskJob.AttemptAnnotation) != attempt.ToString())
                    return new(-1, false, "", new("task.job_name_taken", $"A Job {name} is there already and is not this attempt's. Delete it, then start the run again under its id.", Transient: false));
                if (found.Succeeded && found.Body.At("metadata", "deletionTimestamp").ValueKind == System.Text.Json.JsonValueKind.Undefined) return null;
            }
            else if (answer.Code != HttpStatusCode.Forbidden || !answer.Message.Contains("exceeded quota", StringComparison.Ordinal))
            {
                return PodEnds.Refused(name, answer);
            }
            // A quota that is used up, or a Job of this name that is being deleted: both pass.
            if (time.GetElapsedTime(began) > options.UnschedulableAfter) return PodEnds.Refused(name, answer);
            log.JobWaits(attempt, name, "Refused", answer.Message);
            await Task.Delay(options.LastRetry, time, stopping);
        }
    }

    async Task<LaunchEnd> WaitAsync(TaskAttempt attempt, string name, Waiting waiting, CancellationToken cancel, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, stopping);
        var began = time.GetTimestamp();
        var (view, since, pod) = (default(PodView), began, "");
        var looks = new OutcomeLooks(new(lake, attempt.Run, attempt.Step, attempt.Task), attempt.Attempt, options, time);
        LaunchEnd? byJob = null;
        while (true)
        {
            var patience = byJob is not null ? PodAfterJob : Patience(view.Stage);
            var within = TimeSpan.FromTicks(Math.Min((patience - time.GetElapsedTime(since)).Ticks, (TaskJob.Longest(attempt, options) - time.GetElapsedTime(began)).Ticks));
            var look = looks.Next < within;
            Sighting? sighting;
            try
            {
                sighting = await waiting.NextAsync(look ? looks.Next : within, time, either.Token);
                if (look && sighting is null)
                {
                    if (await looks.SucceededAsync(either.Token)) return new(0, false, "");
                    continue;
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested && !stopping.IsCancellationRequested)
            {
                await DeleteAsync(attempt, name, stopping);
                return new(143, false, "");
            }
            if (sighting is null)
            {
                if (byJob is { } verdict) return await KeepLogAsync(attempt, pod, verdict, stopping);
                var (stage, waited) = (view.Stage, time.GetElapsedTime(since));
                await DeleteAsync(attempt, name, stopping);
                return stage == PodStage.Running ? new(-1, true, "") : PodEnds.GivenUp(view, name, waited);
            }
            if (sighting is { What: Sighted.Gap })
            {
                // A Job that came and went between two lists was never told of.
                if ((await api.GetJobAsync(name, stopping)).Code == HttpStatusCode.NotFound) return PodEnds.Gone($"Job {name}");
                continue;
            }
            if (sighting is { What: Sighted.Job } ofJob)
            {
                if (ofJob.Gone) return PodEnds.Gone($"Job {name}");
                if (JobEnd(name, ofJob.Object) is { } end) (byJob, since) = (byJob ?? end, time.GetTimestamp());
                continue;
            }

            var seen = PodView.Of(sighting.Value.Object);
            pod = sighting.Value.Object.Name();
            if (seen.Stage == PodStage.Ended) return await KeepLogAsync(attempt, pod, PodEnds.Ended(seen, attempt.Limits, Tail(seen)), stopping);
            if (sighting.Value.Gone)
            {
                // The Job's word, if it has one, may come on its stream a little later. It goes too: a second pod would write under the prefix of the one that may still linger.
                byJob ??= await api.GetJobAsync(name, stopping) is { Succeeded: true } found ? JobEnd(name, found.Body) : null;
                await DeleteAsync(attempt, name, stopping);
                return byJob ?? PodEnds.Gone($"The pod of Job {name}");
            }
            if (seen.Stage == PodStage.Broken)
            {
                await DeleteAsync(attempt, name, stopping);
                return PodEnds.GivenUp(seen, name, time.GetElapsedTime(began));
            }
            if (seen.Stage != view.Stage)
            {
                // ErrImagePull and ImagePullBackOff take turns: one stage, one patience. A pod between them has not got further.
                if (!(view.Stage == PodStage.Unstartable && seen.Stage == PodStage.Pending)) (view, since) = (seen, time.GetTimestamp());
                if (seen.Stage == PodStage.Running) looks.Begin();
                if (seen.Stage is PodStage.Unschedulable or PodStage.Unstartable) log.JobWaits(attempt, name, seen.Reason, seen.Message);
            }
        }
    }

    TimeSpan Patience(PodStage stage) => stage switch
    {
        PodStage.Unschedulable => options.UnschedulableAfter,
        PodStage.Leaving => options.LeavingAfter,
        PodStage.Running => TimeSpan.MaxValue,
        // A large image on a slow line is pulled without any word; only a Job without a pod, and one that is refused, are given up early.
        PodStage.Pending => options.UnstartableAfter + options.UnschedulableAfter,
        _ => options.UnstartableAfter,
    };

    static LaunchEnd? JobEnd(string name, System.Text.Json.JsonElement job) =>
        job.Condition("Failed") is { } failed ? PodEnds.JobFailed(name, failed.Text("reason"), failed.Text("message"))
        : job.Condition("Complete") is not null ? new LaunchEnd(0, false, "")
        : null;

    /// <summary>The log of an attempt that failed, for whoever asks why when the pod is long gone.</summary>
    async Task<LaunchEnd> KeepLogAsync(TaskAttempt attempt, string pod, LaunchEnd end, CancellationToken stopping)
    {
        if (end.ExitCode == 0 || pod.Length == 0) return end;
        try
        {
            if (await api.LogTailAsync(pod, LogLines, stopping) is not { Length: > 0 } tail) return end;
            await lake.PutAsync(LakeLayout.AttemptLog(attempt.Run, attempt.Step, attempt.Task, attempt.Attempt), System.Text.Encoding.UTF8.GetBytes(tail), stopping);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or LeanPipeException || (e is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            // What it wrote last came with its status; the attempt's end is not held up for the rest.
            log.LogNotKept(attempt, pod, e.Message);
        }
        return end;
    }

    async Task DeleteAsync(TaskAttempt attempt, string name, CancellationToken stopping)
    {
        var answer = await api.DeleteJobAsync(name, stopping);
        if (answer.Succeeded || answer.Code == HttpStatusCode.NotFound) log.JobDeleted(attempt, name);
        else log.JobNotDeleted(attempt, name, $"{(int)answer.Code} {answer.Message}");
    }

    /// <summary>The Deployment's uid, asked for once. Without it Jobs outlive an uninstall until their time to live is over.</summary>
    async Task<string?> OwnerAsync(CancellationToken stopping)
    {
        var asked = _owner ??= AskAsync();
        try
        {
            return await asked;
        }
        catch (Exception)
        {
            _owner = null;
            throw;
        }

        async Task<string?> AskAsync()
        {
            var answer = await api.GetDeploymentAsync(options.Owner, stopping);
            if (answer.Succeeded) return answer.Body.Text("metadata", "uid");
            log.OwnerUnknown(options.Owner, $"{(int)answer.Code} {answer.Message}");
            return null;
        }
    }

    static string Tail(PodView pod) => string.Join('\n', pod.Message.Split('\n').Where(l => !l.StartsWith("{\"progress\"", StringComparison.Ordinal))).Trim();
}
