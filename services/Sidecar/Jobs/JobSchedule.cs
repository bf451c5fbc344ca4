using System.Diagnostics.CodeAnalysis;

namespace LeanPipe.Sidecar.Jobs;

/// <summary>When a job recurs: a cron expression, <c>@every 1h30m</c>, or a name for one of them.</summary>
sealed class JobSchedule
{
    const string EveryPrefix = "@every ";

    readonly CronSchedule? _cron;
    readonly TimeSpan _every;

    JobSchedule(CronSchedule? cron, TimeSpan every) => (_cron, _every) = (cron, every);

    /// <inheritdoc cref="CronSchedule.TryParse"/>
    public static bool TryParse(string text, TimeZoneInfo local, [NotNullWhen(true)] out JobSchedule? schedule, [NotNullWhen(false)] out string? error)
    {
        (schedule, error) = (null, null);
        if (text.StartsWith(EveryPrefix, StringComparison.Ordinal))
        {
            if (!JobTimes.TryGoDuration(text[EveryPrefix.Length..].Trim(), out var every) || every < TimeSpan.FromMilliseconds(1))
            {
                error = $"'{text}' names no duration of at least 1ms such as 1h30m or 500ms";
                return false;
            }

            schedule = new JobSchedule(cron: null, every);
            return true;
        }

        var expression = text switch
        {
            "@yearly" or "@annually" => "0 0 0 1 1 *",
            "@monthly" => "0 0 0 1 * *",
            "@weekly" => "0 0 0 * * 0",
            "@daily" or "@midnight" => "0 0 0 * * *",
            "@hourly" => "0 0 * * * *",
            _ => text,
        };
        if (CronSchedule.TryParse(expression, local, out var cron, out var wrong))
            schedule = new JobSchedule(cron, every: default);
        else
            error = $"the schedule '{text}' is not usable: {wrong}";
        return schedule is not null;
    }

    /// <summary>The first time after <paramref name="now"/>; null when there is none.</summary>
    /// <param name="last">
    /// When it was last due: an interval counts from there, so that it does not drift, but what was missed is not made up for. A clock that is set back while the app works
    /// does not bring the same time again.
    /// </param>
    /// <param name="now">The time.</param>
    public DateTimeOffset? Next(DateTimeOffset last, DateTimeOffset now)
    {
        if (_cron is not null)
            return _cron.Next(last > now ? last : now);
        if (_every >= DateTimeOffset.MaxValue - now)
            return null;
        var next = last + _every;
        return next > now ? next : now + _every;
    }
}
