using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LeanPipe.Sidecar.Jobs;

/// <summary>
/// The times of a cron expression: second, minute, hour, day of month, month, day of week; <c>*</c>, <c>?</c>, lists, ranges, steps, names.
/// When both days are restricted, either is enough. A prefix <c>CRON_TZ=Europe/Zurich</c> (or <c>TZ=</c>) names the time zone.
/// </summary>
/// <remarks>Times that a zone skips do not occur, and times that it repeats occur twice, as in the official scheduler.</remarks>
sealed class CronSchedule
{
    // February 29 on a given day of the week is at most this far away: a leap year is left out at the turn of most centuries.
    const int MostDaysAhead = 366 * 41;

    static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    static readonly string[] Weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    readonly CronField _seconds;
    readonly CronField _minutes;
    readonly CronField _hours;
    readonly CronField _days;
    readonly CronField _months;
    readonly CronField _weekdays;
    readonly TimeZoneInfo _zone;

    CronSchedule(CronField[] fields, TimeZoneInfo zone)
    {
        (_seconds, _minutes, _hours, _days, _months, _weekdays) = (fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
        _zone = zone;
    }

    /// <param name="text">The expression.</param>
    /// <param name="local">The zone of an expression that names none.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="error">What is wrong, and what was expected.</param>
    public static bool TryParse(string text, TimeZoneInfo local, [NotNullWhen(true)] out CronSchedule? schedule, [NotNullWhen(false)] out string? error)
    {
        (schedule, error) = (null, null);
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToList();
        if (words.Count > 0 && words[0].Split('=') is [("CRON_TZ" or "TZ"), var name])
        {
            if (!TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone))
            {
                error = $"the time zone '{name}' is not known here";
                return false;
            }

            local = zone;
            words.RemoveAt(0);
        }

        if (words.Count != 6)
        {
            error = $"it has {words.Count} fields; 6 are expected: second minute hour day-of-month month day-of-week";
            return false;
        }

        (string Name, int From, int To, string[]? Names)[] shapes =
            [("second", 0, 59, null), ("minute", 0, 59, null), ("hour", 0, 23, null), ("day of month", 1, 31, null), ("month", 1, 12, Months), ("day of week", 0, 7, Weekdays)];
        var fields = new CronField[shapes.Length];
        for (var i = 0; i < shapes.Length; i++)
        {
            if (!CronField.TryParse(words[i], shapes[i].From, shapes[i].To, shapes[i].Names, out fields[i]))
            {
                error = $"its {shapes[i].Name} '{words[i]}' is not made of numbers from {shapes[i].From} to {shapes[i].To}, ranges a-b, steps /n and commas";
                return false;
            }
        }

        // Sunday has two numbers.
        if (fields[5].Has(7))
            fields[5] = fields[5].With(0);
        schedule = new CronSchedule(fields, local);
        return true;
    }

    /// <summary>The first time after <paramref name="after"/>; null when there is none.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        var from = new DateTimeOffset(after.UtcTicks - (after.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero).AddSeconds(1);
        while (true)
        {
            // Local time runs evenly until the zone's offset changes: look in this stretch, then in the next.
            var offset = _zone.GetUtcOffset(from);
            if (NextLocal((from + offset).DateTime) is not { } local)
                return null;
            var found = new DateTimeOffset(local, TimeSpan.Zero) - offset;
            if (FirstOther(from, found, offset) is not { } change)
                return found;
            from = change;
        }
    }

    // The second in which the offset becomes another one, when that is not after `until`.
    DateTimeOffset? FirstOther(DateTimeOffset from, DateTimeOffset until, TimeSpan offset)
    {
        var (same, other) = (from, from);
        while (_zone.GetUtcOffset(other) == offset)
        {
            if (other >= until)
                return null;
            same = other;
            other = until - other > TimeSpan.FromDays(1) ? other.AddDays(1) : until;
        }

        while (other - same > TimeSpan.FromSeconds(1))
        {
            var middle = same.AddSeconds(Math.Floor((other - same).TotalSeconds / 2));
            if (_zone.GetUtcOffset(middle) == offset)
                same = middle;
            else
                other = middle;
        }

        return other;
    }

    DateTime? NextLocal(DateTime from)
    {
        var day = from.Date;
        for (var ahead = 0; ahead < MostDaysAhead && day < DateTime.MaxValue.Date; ahead++, day = day.AddDays(1))
        {
            if (IsDay(day) && NextTime(day == from.Date ? from.TimeOfDay : TimeSpan.Zero) is { } time)
                return day + time;
        }

        return null;
    }

    bool IsDay(DateTime day)
    {
        if (!_months.Has(day.Month))
            return false;
        var (ofMonth, ofWeek) = (_days.Has(day.Day), _weekdays.Has((int)day.DayOfWeek));
        return _days.IsAny || _weekdays.IsAny ? ofMonth && ofWeek : ofMonth || ofWeek;
    }

    TimeSpan? NextTime(TimeSpan from)
    {
        for (var hour = _hours.AtLeast(from.Hours); hour is { } h; hour = _hours.AtLeast(h + 1))
        {
            for (var minute = _minutes.AtLeast(h == from.Hours ? from.Minutes : 0); minute is { } m; minute = _minutes.AtLeast(m + 1))
            {
                if (_seconds.AtLeast(h == from.Hours && m == from.Minutes ? from.Seconds : 0) is { } second)
                    return new TimeSpan(h, m, second);
            }
        }

        return null;
    }

    /// <summary>A set of small numbers.</summary>
    readonly record struct CronField(ulong Bits, bool IsAny)
    {
        public static bool TryParse(string text, int from, int to, string[]? names, out CronField field)
        {
            field = new CronField(0, IsAny: false);
            foreach (var part in text.Split(','))
            {
                var (range, step, isAny) = (part, 1, false);
                var slash = part.IndexOf('/', StringComparison.Ordinal);
                if (slash >= 0 && (!int.TryParse(part.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out step) || step == 0))
                    return false;
                if (slash >= 0)
                    range = part[..slash];

                var ends = range.Split('-');
                int first, last;
                if (range is "*" or "?")
                    (first, last, isAny) = (from, to, step == 1);
                else if (ends.Length > 2 || !TryNumber(ends[0], from, to, names, out first))
                    return false;
                else if (ends.Length == 1)
                    last = slash >= 0 ? to : first;
                else if (!TryNumber(ends[1], from, to, names, out last) || last < first)
                    return false;

                var bits = field.Bits;
                // Counted in long: a step may be as large as an int.
                for (long n = first; n <= last; n += step)
                    bits |= 1UL << (int)n;
                field = new CronField(bits, field.IsAny || isAny);
            }

            return true;
        }

        public bool Has(int number) => (Bits >> number & 1) != 0;

        public CronField With(int number) => this with { Bits = Bits | 1UL << number };

        public int? AtLeast(int number)
        {
            var rest = number > 63 ? 0 : Bits >> number;
            return rest == 0 ? null : number + System.Numerics.BitOperations.TrailingZeroCount(rest);
        }

        static bool TryNumber(string text, int from, int to, string[]? names, out int number)
        {
            var name = names is null ? -1 : Array.FindIndex(names, n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
            if (name >= 0)
            {
                number = name + from;
                return true;
            }

            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= from && number <= to;
        }
    }
}
