namespace DuckDB.NET.Data;

/// <summary>DuckDB counts from 1970-01-01 in its own units; the largest and smallest (plus one) numbers mean infinity.</summary>
internal static class Moment
{
    public static readonly int EpochDay = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;

    public static long ToMicros(DateTime value) => (value.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <param name="count">Units since the epoch.</param>
    /// <param name="perTick">How many ticks a unit has, or, when negative, how many units a tick has.</param>
    public static DateTime ToDateTime(long count, long perTick, DateTimeKind kind)
    {
        if (count is long.MaxValue or -long.MaxValue)
            throw new InvalidOperationException("The timestamp is infinite: System.DateTime cannot hold it; cast it to VARCHAR.");
        try
        {
            // Nanoseconds are cut to the 100 ns of a tick, downwards, also before 1970.
            var ticks = perTick < 0 ? (long)Math.Floor((decimal)count / -perTick) : checked(count * perTick);
            return new DateTime(checked(DateTime.UnixEpoch.Ticks + ticks), kind);
        }
        catch (Exception tooFar) when (tooFar is OverflowException or ArgumentOutOfRangeException)
        {
            throw new InvalidOperationException("The timestamp is outside of the years 1 to 9999: System.DateTime cannot hold it; cast it to VARCHAR.", tooFar);
        }
    }

    public static DateOnly ToDateOnly(int days) => days is int.MaxValue or -int.MaxValue
        ? throw new InvalidOperationException("The date is infinite: System.DateOnly cannot hold it; cast it to VARCHAR.")
        : (long)days + EpochDay is >= 0 and var number && number <= DateOnly.MaxValue.DayNumber
            ? DateOnly.FromDayNumber((int)number)
            : throw new InvalidOperationException("The date is outside of the years 1 to 9999: System.DateOnly cannot hold it; cast it to VARCHAR.");

    public static TimeSpan ToTimeSpan(Native.IntervalStruct interval) => interval.Months == 0
        ? new TimeSpan(checked(interval.Days * TimeSpan.TicksPerDay + interval.Micros * TimeSpan.TicksPerMicrosecond))
        : throw new InvalidOperationException("The interval has months, which have no fixed length: System.TimeSpan cannot hold it; cast it to VARCHAR.");
}
