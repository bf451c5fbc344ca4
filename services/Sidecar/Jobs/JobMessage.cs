using System.Diagnostics.CodeAnalysis;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Jobs;

/// <summary>A job as its message: in when it is scheduled over gRPC, out when it is asked for.</summary>
static class JobMessage
{
    /// <summary>Durations count from <paramref name="now"/>.</summary>
    public static bool TryRead(
        Job message, DateTimeOffset now, TimeZoneInfo local, [NotNullWhen(true)] out JobRecord? job, [NotNullWhen(false)] out JobFault? fault)
    {
        job = new JobRecord { CreatedAt = now.ToUnixTimeMilliseconds(), Schedule = message.Schedule, DueTime = message.DueTime, Ttl = message.Ttl };
        if (message.HasRepeats)
            job.Repeats = message.Repeats;
        if (message.FailurePolicy is { } policy)
            job.FailurePolicy = Policy(policy);
        fault = message.Data is { } data && !JobData.TryTake(data, job, out var error)
            ? new JobFault(400, "DAPR_SCHEDULER_SCHEDULE_JOB", error)
            : JobBody.Check(job, now, local);
        return fault is null;
    }

    public static Job Write(string name, JobRecord job)
    {
        var message = new Job { Name = name, Data = JobData.ToAny(job) };
        if (job.Schedule.Length > 0)
            message.Schedule = job.Schedule;
        if (job.HasRepeats)
            message.Repeats = job.Repeats;
        if (job.DueTime.Length > 0)
            message.DueTime = job.DueTime;
        if (job.Ttl.Length > 0)
            message.Ttl = job.Ttl;
        if (job.FailurePolicy is { } policy)
            message.FailurePolicy = Policy(policy);
        return message;
    }

    static JobFailurePolicy Policy(FailurePolicy policy)
    {
        if (policy.Constant is not { } constant)
            return new JobFailurePolicy { Drop = true };
        var read = new JobFailurePolicy { IntervalMs = Milliseconds(constant.Interval) };
        if (constant.HasMaxRetries)
            read.MaxRetries = constant.MaxRetries;
        return read;
    }

    static FailurePolicy Policy(JobFailurePolicy policy)
    {
        if (policy.Drop)
            return new FailurePolicy { Drop = new FailurePolicyDrop() };
        var constant = new FailurePolicyConstant { Interval = TimeSpan.FromMilliseconds(policy.IntervalMs).ToDuration() };
        if (policy.HasMaxRetries)
            constant.MaxRetries = policy.MaxRetries;
        return new FailurePolicy { Constant = constant };
    }

    // A peer's duration: not below zero, and no longer than a timer can be.
    static long Milliseconds(Duration? interval) => interval is null
        ? 0
        : (Math.Clamp(interval.Seconds, 0, int.MaxValue / 1000) * 1000) + (Math.Clamp(interval.Nanos, 0, 999_999_999) / 1_000_000);
}
