using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <summary>Whether a pass may believe its clock when it says that something is old.</summary>
/// <remarks>
/// A clock that leaps ahead makes everything old at once. It shows as a silence: between the last pass and now there is a time, longer than <see cref="LongestSilence"/>, in which nothing was written to the lake. An
/// installation that stood still for so long looks the same, so a person decides (<see cref="HousekeepingOptions.ClockIsRight"/>). What was written since a leap has the wrong time, too, and hides it from
/// who looks only at the newest object; therefore every pass notes when it was, and the next one looks at the whole time since. A clock that goes back makes things younger, which loses nothing.
/// </remarks>
static class PassClock
{
    public const string Key = "housekeeping/clock.json";

    /// <summary>A month, for who works once a month and tidies by hand, and some days.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromDays(35);

    /// <returns>Why nothing may go; null when the clock is believed.</returns>
    public static async Task<string?> DoubtAsync(LakeSnapshot lake, CancellationToken cancellationToken)
    {
        var last = (await lake.Documents.GetAsync(Key, HousekeepingJson.Default.PassTime, cancellationToken))?.At;
        var signs = new SortedSet<DateTimeOffset>();
        foreach (var item in lake.Cache.Concat(lake.Runs.SelectMany(r => r.Objects))) Add(item);
        foreach (var prefix in (string[])["windows/", "rejected/"])
            await foreach (var item in lake.Store.ListAsync(prefix, cancellationToken)) Add(item);

        var before = last ?? (signs.Count > 0 ? signs.Min : lake.Now);
        foreach (var sign in signs.Append(lake.Now).Where(s => s > before && s <= lake.Now))
        {
            if (sign - before > LongestSilence)
                return $"Nothing is removed: the clock went from {before:yyyy-MM-dd} to {sign:yyyy-MM-dd}, and nothing was written to the lake in these {(sign - before).TotalDays:0} days (more than {LongestSilence.TotalDays:0}). " +
                    $"Either the installation stood still for so long, or the clock is ahead and young objects look old. It is {lake.Now:yyyy-MM-dd HH:mm} UTC by this machine: if that is right, say so once with 'leanpipe housekeeping --clock-is-right'.";
            before = sign;
        }
        return null;

        // An hour is as good as the instant, and there are fewer of them.
        void Add(ListedObject item) => signs.Add(item.LastModified.AddTicks(-(item.LastModified.Ticks % TimeSpan.TicksPerHour)));
    }

    /// <summary>This pass believes the clock; the next one looks at the time from here.</summary>
    public static ValueTask NoteAsync(LakeSnapshot lake, CancellationToken cancellationToken) => lake.Store.PutJsonAsync(Key, new(lake.Now), HousekeepingJson.Default.PassTime, cancellationToken);
}

/// <summary>When the last pass was whose clock was believed.</summary>
sealed record PassTime(DateTimeOffset At)
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
}
