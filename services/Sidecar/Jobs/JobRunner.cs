using LeanPipe.Contracts;
using LeanPipe.Sidecar.PubSub;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Jobs;

/// <summary>Triggers the app's jobs when they are due: POST /job/&lt;name&gt; on its port.</summary>
/// <remarks>
/// A job is durable before its caller gets an answer; what a trigger came to is recorded after the app's answer. So a crash between the two
/// triggers once more. A time that passed while nobody could be asked is made up for once; times missed besides are not.
/// </remarks>
sealed class JobRunner : IHostedService, IDisposable
{
    // A job that is overwritten again and again leaves its old triggers behind, each with its data.
    const int SweepAbove = 16;

    // A timer counts no further.
    const long LongestPauseMs = int.MaxValue;

    static readonly JobFailurePolicy Default = new() { IntervalMs = 1000, MaxRetries = 3 };

    readonly StateStore _store;
    readonly SidecarOptions _options;
    readonly SidecarEndpoints _endpoints;
    readonly TimeProvider _time;
    readonly ILogger<JobRunner> _log;
    readonly AppChannel _app;
    readonly TimerQueue<DueJob> _timers;
    readonly CancellationTokenSource _stop = new();
    readonly CancellationToken _stopping;

    public JobRunner(StateStore store, SidecarOptions options, SidecarEndpoints endpoints, TimeProvider time, ILogger<JobRunner> log)
    {
        (_store, _options, _endpoints, _time, _log) = (store, options, endpoints, time, log);
        _app = new AppChannel(options);
        _stopping = _stop.Token;
        _timers = new TimerQueue<DueJob>(time, Fire, IsCurrent, SweepAbove);
    }

    /// <param name="Job">The record that it is due by; another one under the same name is another job.</param>
    readonly record struct DueJob(string Name, JobRecord Job);

    /// <summary>Why nothing can be called so; null = it can. The name is a part of the path that the app is asked at.</summary>
    public static string? NameFault(string name) => string.IsNullOrWhiteSpace(name) ? "Name is empty"
        : name is "." or ".." ? $"Name '{name}' cannot be a part of a path" : null;

    public static string AlreadyExists(string name) => $"failed to schedule job due to: rpc error: code = AlreadyExists desc = job already exists: '{name}'";

    /// <summary>False when there is one of that name, and it is not to be replaced.</summary>
    public async Task<bool> ScheduleAsync(string name, JobRecord job, bool overwrite)
    {
        Task durable;
        lock (_store.Gate)
        {
            if (!overwrite && _store.Jobs.ContainsKey(name))
                return false;
            durable = Commit(new JobChange { Name = name, Job = job });
        }

        await durable;
        Arm(name, job);
        return true;
    }

    public async Task<JobRecord?> GetAsync(string name)
    {
        JobRecord? job;
        Task durable;
        lock (_store.Gate)
            (job, durable) = (_store.Jobs.GetValueOrDefault(name), _store.WhenDurable());
        await durable;
        return job;
    }

    public async Task DeleteAsync(string name)
    {
        Task durable;
        lock (_store.Gate)
            durable = _store.Jobs.ContainsKey(name) ? Commit(new JobChange { Name = name, Removed = true }) : _store.WhenDurable();
        await durable;
    }

    /// <summary>Triggers that have not come, of jobs that may be gone.</summary>
    public int Armed => _timers.Count;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        List<KeyValuePair<string, JobRecord>> jobs;
        lock (_store.Gate)
            jobs = [.. _store.Jobs];
        foreach (var (name, job) in jobs)
            Arm(name, job);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _stop.CancelAsync();

    public void Dispose()
    {
        _timers.Dispose();
        _app.Dispose();
        _stop.Dispose();
    }

    void Fire(IReadOnlyList<DueJob> due)
    {
        foreach (var job in due)
            _ = TriggerAsync(job);
    }

    void Arm(string name, JobRecord job) => _timers.Arm(new DueJob(name, job), DateTimeOffset.FromUnixTimeMilliseconds(job.NextAt));

    Task Commit(JobChange change)
    {
        _store.Apply(change);
        return _store.Commit(new Transaction { Jobs = { change } });
    }

    async Task TriggerAsync(DueJob due)
    {
        try
        {
            await AttemptAsync(due);
            await AdvanceAsync(due);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // It is due still, and is triggered after the next start.
        }
        catch (LeanPipeException e)
        {
            _log.JobNotRecorded(due.Name, e);
        }
    }

    async Task AttemptAsync(DueJob due)
    {
        var policy = due.Job.FailurePolicy ?? Default;
        var pause = _options.FirstRetryAfter;
        for (var attempt = 1; IsCurrent(due) && !IsOver(due.Job);)
        {
            var port = await _endpoints.WhenAppPortAsync(_stopping);
            var answer = await _app.TriggerAsync(port, due.Name, JobData.Body(due.Job), _stopping);
            if (answer.Verdict == Verdict.Done)
                return;

            // An app that is not there has refused nothing: the job waits for it.
            if (answer.Verdict == Verdict.Unreachable)
            {
                _log.JobNotTaken(due.Name, attempt, answer.Reason, pause);
                await Task.Delay(pause, _time, _stopping);
                pause = pause * 2 < _options.LastRetryAfter ? pause * 2 : _options.LastRetryAfter;
                continue;
            }

            if (answer.Verdict == Verdict.NoSuchPath || policy.Drop || (policy.HasMaxRetries && attempt > policy.MaxRetries))
            {
                _log.JobFailed(due.Name, attempt, answer.Reason);
                return;
            }

            var interval = TimeSpan.FromMilliseconds(Math.Min(policy.IntervalMs, LongestPauseMs));
            _log.JobNotTaken(due.Name, attempt, answer.Reason, interval);
            attempt++;
            await Task.Delay(interval, _time, _stopping);
        }
    }

    async Task AdvanceAsync(DueJob due)
    {
        var (last, now) = (DateTimeOffset.FromUnixTimeMilliseconds(due.Job.NextAt), _time.GetUtcNow());
        var next = due.Job.Clone();
        next.Triggered++;
        DateTimeOffset? at = null;
        if (JobSchedule.TryParse(due.Job.Schedule, _time.LocalTimeZone, out var schedule, out _) && !(next.HasRepeats && next.Triggered >= next.Repeats))
            at = schedule.Next(last, now);
        next.NextAt = at?.ToUnixTimeMilliseconds() ?? 0;

        var isOver = at is null || (next.ExpiresAt != 0 && next.NextAt > next.ExpiresAt);
        Task durable;
        lock (_store.Gate)
        {
            if (!IsCurrent(due))
                return;
            durable = Commit(isOver ? new JobChange { Name = due.Name, Removed = true } : new JobChange { Name = due.Name, Job = next });
        }

        await durable;
        if (!isOver)
            Arm(due.Name, next);
    }

    bool IsCurrent(DueJob due)
    {
        lock (_store.Gate)
            return ReferenceEquals(_store.Jobs.GetValueOrDefault(due.Name), due.Job);
    }

    bool IsOver(JobRecord job) => job.ExpiresAt != 0 && job.ExpiresAt < _time.GetUtcNow().ToUnixTimeMilliseconds();
}
