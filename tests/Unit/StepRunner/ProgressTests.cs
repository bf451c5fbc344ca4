using LeanPipe.StepRunner;

namespace LeanPipe.Unit.StepRunner;

public sealed class ProgressTests
{
    [Fact]
    public void A_phase_is_told_at_once_and_then_once_a_second()
    {
        var time = new SteppedTime();
        var output = new StringWriter { NewLine = "\n" };
        var progress = new Progress(output, time);
        progress.Report("fetch", 0);
        progress.Report("fetch", 0.5);
        progress.Report("sql", 0.123);
        time.Now += TimeSpan.FromSeconds(1);
        progress.Report("sql", 1.7);
        output.ToString().ShouldBe(
            """
            {"progress":0,"phase":"fetch"}
            {"progress":0.12,"phase":"sql"}
            {"progress":1,"phase":"sql"}

            """);
    }

    sealed class SteppedTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
