using System.Text;
using System.Text.Json;
using LeanPipe.Cli.Demo;

namespace LeanPipe.Unit.Cli;

public sealed class TelemetryTests
{
    static readonly TelemetryOptions Options = new(20_000);

    [Fact]
    public void A_record_is_the_same_whoever_asks_for_it_and_in_whatever_order()
    {
        Telemetry.FrameOf(Options, 777).ShouldBe(Telemetry.FrameOf(new(20_000), 777));
        Telemetry.FrameOf(Options, 777).ShouldNotBe(Telemetry.FrameOf(Options with { Seed = 2 }, 777));
    }

    [Fact]
    public void About_one_in_a_hundred_is_bad_in_one_of_five_ways()
    {
        var kinds = Numbers().Select(n => Telemetry.BadKindOf(Options, n)).Where(k => k != BadKind.None).ToList();
        kinds.Count.ShouldBeInRange(150, 250);
        kinds.Distinct().Count().ShouldBe(5);
    }

    [Fact]
    public void Every_frame_is_one_line_and_only_a_truncated_one_is_no_JSON()
    {
        foreach (var n in Numbers())
        {
            var frame = Encoding.UTF8.GetString(Telemetry.FrameOf(Options, n));
            frame.IndexOf('\n', StringComparison.Ordinal).ShouldBe(frame.Length - 1);
            if (Telemetry.BadKindOf(Options, n) == BadKind.TruncatedJson) Should.Throw<JsonException>(() => JsonDocument.Parse(frame));
            else JsonDocument.Parse(frame).Dispose();
        }
    }

    [Fact]
    public void Readings_fill_three_hours_and_late_ones_fall_into_the_first_when_the_third_is_under_way()
    {
        var end = TelemetryOptions.Start.AddHours(3);
        Numbers().Select(n => Telemetry.ReadingOf(Options, n).At).ShouldAllBe(at => at >= TelemetryOptions.Start && at < end);
        var late = Numbers().Where(n => Telemetry.IsLate(Options, n)).ToList();
        late.Count.ShouldBeGreaterThan(100);
        late.ShouldAllBe(n => Telemetry.ReadingOf(Options, n).At < TelemetryOptions.Start.AddHours(1));
        Telemetry.ReadingOf(Options, late[0] - 1).At.ShouldBeGreaterThan(TelemetryOptions.Start.AddHours(2));
    }

    [Fact]
    public void Apart_from_the_late_ones_no_reading_is_further_back_than_the_streams_lateness()
    {
        var newest = DateTimeOffset.MinValue;
        foreach (var n in Numbers().Where(n => !Telemetry.IsLate(Options, n)))
        {
            var at = Telemetry.ReadingOf(Options, n).At;
            (newest - at).ShouldBeLessThan(TimeSpan.FromMinutes(5));
            newest = at > newest ? at : newest;
        }
    }

    [Fact]
    public void The_answer_counts_every_good_temperature_once_and_notices_any_difference()
    {
        var expected = Expectation.Of(Options);
        expected.Rows.Count.ShouldBe(TelemetryOptions.Sensors * TelemetryOptions.Hours);
        (expected.Records + expected.Rejects).ShouldBe(Options.Records);
        expected.Rows.Sum(r => r.Readings).ShouldBe(Numbers().LongCount(n => Telemetry.BadKindOf(Options, n) == BadKind.None && Telemetry.ReadingOf(Options, n).Kind == "Temperature"));

        expected.Difference([.. expected.Rows.Reverse()]).ShouldBeNull();
        expected.Difference([.. expected.Rows.Skip(1)]).ShouldNotBeNull();
        expected.Difference([expected.Rows[0] with { Readings = 0 }, .. expected.Rows.Skip(1)]).ShouldNotBeNull();
    }

    static IEnumerable<long> Numbers()
    {
        for (var n = 0L; n < Options.Records; n++) yield return n;
    }
}
