using DuckDB.NET.Native;

namespace DuckDB.NET.Data;

internal sealed unsafe class DateColumn(string name) : Column<DateOnly>(name, TypeId.Date)
{
    public override DateOnly Value(ulong row) => Moment.ToDateOnly(((int*)Data)[row]);

    public override object GetAs(ulong row, Type target) =>
        target == typeof(DateTime) ? Value(row).ToDateTime(TimeOnly.MinValue) : base.GetAs(row, target);
}

internal sealed unsafe class TimeColumn(string name) : Column<TimeOnly>(name, TypeId.Time)
{
    public override TimeOnly Value(ulong row) => new(((long*)Data)[row] * TimeSpan.TicksPerMicrosecond);

    public override object GetAs(ulong row, Type target) =>
        target == typeof(TimeSpan) ? Value(row).ToTimeSpan() : base.GetAs(row, target);
}

/// <summary>TIME WITH TIME ZONE: 40 bits of microseconds, then 24 bits of 57599 seconds minus the offset.</summary>
internal sealed unsafe class TimeTzColumn(string name) : Column<DateTimeOffset>(name, TypeId.TimeTz)
{
    const int LargestOffsetSeconds = 16 * 60 * 60 - 1;

    public override DateTimeOffset Value(ulong row)
    {
        var bits = ((ulong*)Data)[row];
        var offset = TimeSpan.FromSeconds(LargestOffsetSeconds - (int)(bits & 0xFF_FFFF));
        return new DateTimeOffset(new DateTime((long)(bits >> 24) * TimeSpan.TicksPerMicrosecond).AddDays(1), offset);
    }
}

internal sealed unsafe class TimestampColumn(string name, TypeId type) : Column<DateTime>(name, type)
{
    readonly long _perTick = type switch
    {
        TypeId.TimestampS => TimeSpan.TicksPerSecond,
        TypeId.TimestampMs => TimeSpan.TicksPerMillisecond,
        TypeId.TimestampNs => -TimeSpan.NanosecondsPerTick,
        _ => TimeSpan.TicksPerMicrosecond,
    };

    readonly DateTimeKind _kind = type == TypeId.TimestampTz ? DateTimeKind.Utc : DateTimeKind.Unspecified;

    public override DateTime Value(ulong row) => Moment.ToDateTime(((long*)Data)[row], _perTick, _kind);

    public override object GetAs(ulong row, Type target) =>
        target == typeof(DateTimeOffset) ? new DateTimeOffset(DateTime.SpecifyKind(Value(row), DateTimeKind.Utc)) : base.GetAs(row, target);
}

internal sealed unsafe class IntervalColumn(string name) : Column<TimeSpan>(name, TypeId.Interval)
{
    public override TimeSpan Value(ulong row) => Moment.ToTimeSpan(((IntervalStruct*)Data)[row]);
}
