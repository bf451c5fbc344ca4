using LeanPipe.Contracts;
using LeanPipe.Orchestrator;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Unit.Orchestrator;

public sealed class AttemptProgressTests
{
    static readonly TaskAttempt Attempt = new(new("r"), new("compact"), new(3), 2, new());

    readonly SteppedTime _time = new();
    readonly Lines _log = new();
    readonly RunProgress _progress = new();

    [Fact]
    public async Task The_log_has_one_line_a_second_for_a_task_that_runs_and_none_for_one_that_ends_at_once()
    {
        using var end = new CancellationTokenSource();
        var watched = _progress.Subscribe(end.Token);
        var attempt = new AttemptProgress(Attempt, _progress, _time, _log);
        attempt.Read("""{"progress":0,"phase":"fetch"}""");
        attempt.Read("no line of ours");
        // The step runner says something four times a second.
        for (var n = 1; n <= 13; n++)
        {
            _time.Now += TimeSpan.FromMilliseconds(250);
            attempt.Read($$"""{"progress":{{n * 7 / 100.0}},"phase":"{{(n < 6 ? "fetch" : "sql")}}"}""");
        }
        _log.Text.ShouldBe(["Attempt r/compact/00003/2: fetch 28 %, 1 s", "Attempt r/compact/00003/2: sql 56 %, 2 s", "Attempt r/compact/00003/2: sql 84 %, 3 s"]);
        await end.CancelAsync();
        var told = new List<string>();
        await foreach (var e in watched.ReadAllAsync(TestContext.Current.CancellationToken)) told.Add($"{((TaskProgressed)e).Phase} {((TaskProgressed)e).Fraction}");
        told.ShouldBe(["fetch 0.28", "sql 0.56", "sql 0.84"]);
    }

    sealed class SteppedTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }

    sealed class Lines : ILogger
    {
        public List<string> Text { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Text.Add(formatter(state, exception));
    }
}
