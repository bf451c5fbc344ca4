using System.Globalization;
using LeanPipe.Sidecar.Jobs;

namespace LeanPipe.Unit.Sidecar;

public sealed class CronScheduleTests
{
    [Theory]
    [InlineData("0 30 * * * *", "2026-01-01T00:30:00Z", "2026-01-01T01:30:00Z", "2026-01-01T02:30:00Z")]
    [InlineData("0 15 3 * * *", "2026-01-01T03:15:00Z", "2026-01-02T03:15:00Z", "2026-01-03T03:15:00Z")]
    [InlineData("*/20 * * * * *", "2026-01-01T00:00:20Z", "2026-01-01T00:00:40Z", "2026-01-01T00:01:00Z")]
    [InlineData("50/5 59 23 31 12 ?", "2026-12-31T23:59:50Z", "2026-12-31T23:59:55Z", "2027-12-31T23:59:50Z")]
    [InlineData("5/2147483647 * * * * *", "2026-01-01T00:00:05Z", "2026-01-01T00:01:05Z", "2026-01-01T00:02:05Z")]
    [InlineData("0 0 9-17/4 * * mon-fri", "2026-01-01T09:00:00Z", "2026-01-01T13:00:00Z", "2026-01-01T17:00:00Z")]
    [InlineData("0 0 0 1,15 feb,MAR *", "2026-02-01T00:00:00Z", "2026-02-15T00:00:00Z", "2026-03-01T00:00:00Z")]
    [InlineData("0 0 0 29 2 *", "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z")]
    [InlineData("0 0 0 13 * 5", "2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z")]
    [InlineData("0 0 0 * * 7", "2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z", "2026-01-18T00:00:00Z")]
    [InlineData("0 0 0 */10 * 0", "2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z", "2026-01-18T00:00:00Z")]
    [InlineData("@hourly", "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z")]
    [InlineData("@daily", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z")]
    [InlineData("@midnight", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z")]
    [InlineData("@weekly", "2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z", "2026-01-18T00:00:00Z")]
    [InlineData("@monthly", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")]
    [InlineData("@yearly", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z")]
    [InlineData("@every 1h30m", "2026-01-01T01:30:00Z", "2026-01-01T03:00:00Z", "2026-01-01T04:30:00Z")]
    [InlineData("@every 500ms", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01.5Z")]
    [InlineData("CRON_TZ=Asia/Tokyo 0 0 6 * * *", "2026-01-01T21:00:00Z", "2026-01-02T21:00:00Z", "2026-01-03T21:00:00Z")]
    public void The_next_three_times_after_new_year_are(string schedule, string first, string second, string third) =>
        After("2026-01-01T00:00:00Z", schedule, 3).ShouldBe([Time(first), Time(second), Time(third)]);

    [Fact]
    public void A_time_that_the_zone_skips_does_not_occur() =>
        After("2026-03-28T00:00:00Z", "CRON_TZ=Europe/Zurich 0 30 2 * * *", 3)
            .ShouldBe([Time("2026-03-28T01:30:00Z"), Time("2026-03-30T00:30:00Z"), Time("2026-03-31T00:30:00Z")]);

    [Fact]
    public void A_time_that_the_zone_repeats_occurs_twice() =>
        After("2026-10-24T12:00:00Z", "CRON_TZ=Europe/Zurich 0 30 2 * * *", 3)
            .ShouldBe([Time("2026-10-25T00:30:00Z"), Time("2026-10-25T01:30:00Z"), Time("2026-10-26T01:30:00Z")]);

    [Fact]
    public void An_hourly_schedule_runs_evenly_through_both_changes_of_the_clock()
    {
        foreach (var from in new[] { "2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z" })
            After(from, "CRON_TZ=Europe/Zurich 0 0 * * * *", 12).ShouldBe(Enumerable.Range(1, 12).Select(h => Time(from).AddHours(h)));
    }

    [Fact]
    public void A_date_that_does_not_exist_never_comes() => After("2026-01-01T00:00:00Z", "0 0 0 30 2 *", 1).ShouldBeEmpty();

    [Fact]
    public void An_interval_keeps_its_beat_and_leaves_out_what_was_missed()
    {
        JobSchedule.TryParse("@every 10s", TimeZoneInfo.Utc, out var schedule, out _).ShouldBeTrue();
        schedule!.Next(Time("2026-01-01T00:00:00Z"), Time("2026-01-01T00:00:03Z")).ShouldBe(Time("2026-01-01T00:00:10Z"));
        schedule.Next(Time("2026-01-01T00:00:00Z"), Time("2026-01-01T05:00:03Z")).ShouldBe(Time("2026-01-01T05:00:13Z"));
    }

    [Theory]
    [InlineData("", "fields")]
    [InlineData("* * * * *", "5 fields")]
    [InlineData("0 0 0 0 * *", "day of month '0'")]
    [InlineData("60 * * * * *", "second '60'")]
    [InlineData("* * 5-3 * * *", "hour '5-3'")]
    [InlineData("* */0 * * * *", "minute '*/0'")]
    [InlineData("* * * * foo *", "month 'foo'")]
    [InlineData("* * * * * 8", "day of week '8'")]
    [InlineData("* * 1- * * *", "hour '1-'")]
    [InlineData("* * -1 * * *", "hour '-1'")]
    [InlineData("CRON_TZ=Mars/Olympus 0 0 0 * * *", "Mars/Olympus")]
    [InlineData("@every", "6 are expected")]
    [InlineData("@every soon", "soon")]
    [InlineData("@every 0s", "at least 1ms")]
    [InlineData("@fortnightly", "6 are expected")]
    public void What_is_no_schedule_is_told_with_what_is_wrong(string text, string told)
    {
        JobSchedule.TryParse(text, TimeZoneInfo.Utc, out _, out var error).ShouldBeFalse();
        error!.ShouldContain(told);
    }

    [Theory]
    [InlineData("1h30m", 5400)]
    [InlineData("1.5s", 1.5)]
    [InlineData(".5m", 30)]
    [InlineData("250ms", 0.25)]
    [InlineData("10us", 0.00001)]
    [InlineData("0", 0)]
    [InlineData("2h45m30.5s", 9930.5)]
    public void A_go_duration_is(string text, double seconds)
    {
        JobTimes.TryGoDuration(text, out var duration).ShouldBeTrue();
        duration.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("5d")]
    [InlineData("99999999999999999h")]
    public void This_is_no_go_duration(string text) => JobTimes.TryGoDuration(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData("2027-01-31T06:00:00Z", "2027-01-31T06:00:00Z")]
    [InlineData("2027-01-31T06:00:00.25+02:00", "2027-01-31T04:00:00.25Z")]
    [InlineData("90m", "2026-01-01T01:30:00Z")]
    [InlineData("PT90M", "2026-01-01T01:30:00Z")]
    [InlineData("P1DT1S", "2026-01-02T00:00:01Z")]
    public void A_point_in_time_is(string text, string time)
    {
        JobTimes.TryTime(text, Time("2026-01-01T00:00:00Z"), out var found).ShouldBeTrue();
        found.ShouldBe(Time(time));
    }

    [Theory]
    [InlineData("tomorrow")]
    [InlineData("P")]
    [InlineData("-PT5S")]
    [InlineData("2027-13-01T00:00:00Z")]
    public void This_is_no_point_in_time(string text) => JobTimes.TryTime(text, Time("2026-01-01T00:00:00Z"), out _).ShouldBeFalse();

    static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    static List<DateTimeOffset> After(string from, string text, int count)
    {
        JobSchedule.TryParse(text, TimeZoneInfo.Utc, out var schedule, out var error).ShouldBeTrue(error);
        var times = new List<DateTimeOffset>();
        for (var at = Time(from); times.Count < count && schedule!.Next(at, at) is { } next; at = next)
            times.Add(next);
        return times;
    }
}
