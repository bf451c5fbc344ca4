using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Kubernetes;

public sealed class OutcomeLooksTests
{
    static readonly KubernetesOptions Options = new() { Server = new("https://10.0.0.1"), Namespace = "plant", JobTemplate = "", Owner = "orchestrator" };

    [Fact]
    public async Task However_long_a_task_takes_it_is_looked_for_some_thirty_times_and_late_by_no_more_than_a_tenth()
    {
        var folder = Directory.CreateTempSubdirectory("leanpipe-looks-");
        try
        {
            var time = new SetTime();
            var looks = new OutcomeLooks(new(ObjectStores.Open(new() { Root = folder.FullName }), new("run"), new("step"), new(0)), 1, Options, time);
            var from = await CountAsync(TimeSpan.FromMilliseconds(400));
            looks.Begin();
            (from + await CountAsync(TimeSpan.Zero)).ShouldBeInRange(50, 70);

            async Task<int> CountAsync(TimeSpan first)
            {
                looks.Next.ShouldBe(first);
                var (count, passed) = (0, TimeSpan.Zero);
                while (looks.Next is var next && next < TimeSpan.MaxValue)
                {
                    if (count++ > 0) next.Ticks.ShouldBeLessThanOrEqualTo(Math.Max(TimeSpan.FromMilliseconds(100).Ticks, (passed.Ticks / 10) + 1));
                    time.Advance(next);
                    passed += next;
                    (await looks.SucceededAsync(TestContext.Current.CancellationToken)).ShouldBeFalse();
                }
                return count;
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    sealed class SetTime : TimeProvider
    {
        long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
