namespace LeanPipe.Contracts;

/// <summary>How long a window is: a day, an hour, or whole minutes that divide an hour (1, 5, 15, …), so that windows line up with the clock.</summary>
public readonly record struct WindowSize
{
    public static readonly WindowSize Hour = new(TimeSpan.FromHours(1));
    public static readonly WindowSize Day = new(TimeSpan.FromDays(1));

    public WindowSize(TimeSpan length)
    {
        if (!IsValid(length))
            throw new LeanPipeException("contracts.bad_window_size", $"{length} is no window size: expected a day, an hour, or whole minutes that divide an hour.");
        Length = length;
    }

    public TimeSpan Length { get; }

    internal int Granularity => Length == TimeSpan.FromDays(1) ? 0 : Length == TimeSpan.FromHours(1) ? 1 : 2;

    public static bool IsValid(TimeSpan length) => length == TimeSpan.FromDays(1) ||
        (length > TimeSpan.Zero && length <= TimeSpan.FromHours(1) && length.Ticks % TimeSpan.TicksPerMinute == 0 && TimeSpan.TicksPerHour % length.Ticks == 0);
}
