using System.Globalization;
using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>
/// An event-time window in UTC. Its text carries its granularity and is safe in keys and ids: <c>2026-01-01</c> (a day), <c>2026-01-01T10</c> (an hour),
/// <c>2026-01-01T1005</c> (a part of an hour, named by its first minute).
/// </summary>
[JsonConverter(typeof(IdConverter<WindowId>))]
public readonly record struct WindowId : IId<WindowId>, IComparable<WindowId>
{
    static readonly string[] Formats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH", "yyyy-MM-dd'T'HHmm"];

    WindowId(string value, DateTimeOffset start) => (Value, Start) = (value, start);

    public string Value { get; }

    /// <summary>The first instant of the window, UTC.</summary>
    public DateTimeOffset Start { get; }

    /// <summary>The window of <paramref name="size"/> that holds an instant.</summary>
    public static WindowId Of(DateTimeOffset instant, WindowSize size)
    {
        var utc = instant.UtcTicks;
        var start = new DateTimeOffset(utc - utc % size.Length.Ticks, TimeSpan.Zero);
        return new(start.ToString(Formats[size.Granularity], CultureInfo.InvariantCulture), start);
    }

    public static bool IsValid(string text) => TryStart(text, out _);

    public static WindowId Parse(string text) => TryStart(text, out var start)
        ? new(text, start)
        : throw new LeanPipeException(
            "contracts.bad_window", $"'{text}' is no window: expected a day (2026-01-01), an hour (2026-01-01T10) or a minute (2026-01-01T1005), UTC.");

    static bool TryStart(string text, out DateTimeOffset start) =>
        DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out start);

    public int CompareTo(WindowId other) => Start.CompareTo(other.Start);

    public static bool operator <(WindowId left, WindowId right) => left.CompareTo(right) < 0;

    public static bool operator >(WindowId left, WindowId right) => left.CompareTo(right) > 0;

    public static bool operator <=(WindowId left, WindowId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(WindowId left, WindowId right) => left.CompareTo(right) >= 0;

    public override string ToString() => Value;
}
