using System.Collections.Concurrent;
using LeanPipe.Sidecar.Jobs;
using LeanPipe.Sidecar.PubSub;

namespace LeanPipe.Sidecar.Bindings;

/// <summary>Posts the ticks of the cron bindings to the app, if it takes them.</summary>
/// <remarks>Nothing is durable: a tick that nobody takes when it is due is lost, as with the official sidecar.</remarks>
sealed class CronTicker : BackgroundService
{
    // An app that does not answer must not collect requests without end.
    const int MostUnderWay = 100;

    readonly SidecarOptions _options;
    readonly SidecarEndpoints _endpoints;
    readonly TimeProvider _time;
    readonly ILogger<CronTicker> _log;
    readonly AppChannel _app;
    readonly TimerQueue<Tick> _timers;
    readonly CancellationTokenSource _stop = new();
    readonly ConcurrentDictionary<string, Link> _links = new(StringComparer.Ordinal);
    int _underWay;

    public CronTicker(SidecarOptions options, SidecarEndpoints endpoints, TimeProvider time, ILogger<CronTicker> log)
    {
        (_options, _endpoints, _time, _log) = (options, endpoints, time, log);
        _app = new AppChannel(options);
        _timers = new TimerQueue<Tick>(time, Fire);
    }

    readonly record struct Tick(CronBinding Binding, JobSchedule Schedule, DateTimeOffset At);

    /// <param name="Lost">Completes when the app must be asked again.</param>
    sealed record Link(int Port, TaskCompletionSource Lost);

    /// <summary>Whether the app that is there now takes the binding.</summary>
    public bool IsTaken(string binding) => _links.ContainsKey(binding);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _timers.Dispose();
        _app.Dispose();
        _stop.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var now = _time.GetUtcNow();
        foreach (var binding in _options.CronBindings)
        {
            if (JobSchedule.TryParse(binding.Schedule, _time.LocalTimeZone, out var schedule, out _))
                Arm(binding, schedule, now);
        }

        return Task.WhenAll(_options.CronBindings.Select(binding => LinkAsync(binding, stoppingToken)));
    }

    void Arm(CronBinding binding, JobSchedule schedule, DateTimeOffset last)
    {
        if (schedule.Next(last, _time.GetUtcNow()) is { } next)
            _timers.Arm(new Tick(binding, schedule, next), next);
    }

    void Fire(IReadOnlyList<Tick> due)
    {
        foreach (var tick in due)
        {
            Arm(tick.Binding, tick.Schedule, tick.At);
            _ = DeliverAsync(tick.Binding);
        }
    }

    async Task DeliverAsync(CronBinding binding)
    {
        if (!_links.TryGetValue(binding.Name, out var link))
            return;
        try
        {
            if (Interlocked.Increment(ref _underWay) > MostUnderWay)
            {
                _log.TickLost(binding.Name, $"{MostUnderWay} ticks wait for the app's answer already");
                return;
            }

            var answer = await _app.TickAsync(link.Port, binding.Path, _time.GetUtcNow(), _stop.Token);
            if (answer.Verdict == Verdict.Done)
                return;
            _log.TickLost(binding.Name, answer.Reason);
            if (answer.Verdict == Verdict.Unreachable)
                link.Lost.TrySetResult();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The app may have taken it; nobody waits for its answer any more.
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    async Task LinkAsync(CronBinding binding, CancellationToken stopping)
    {
        var pause = _options.FirstRetryAfter;
        while (true)
        {
            var port = await _endpoints.WhenAppPortAsync(stopping);
            var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            void OnMoved() => lost.TrySetResult();
            _endpoints.AppPortChanged += OnMoved;
            try
            {
                if (_endpoints.AppPort != port)
                    continue;
                if (await _app.TakesBindingAsync(port, binding.Path, stopping) is not { } takes)
                {
                    await Task.WhenAny(lost.Task, Task.Delay(pause, _time, stopping));
                    stopping.ThrowIfCancellationRequested();
                    pause = pause * 2 < _options.LastRetryAfter ? pause * 2 : _options.LastRetryAfter;
                    continue;
                }

                pause = _options.FirstRetryAfter;
                if (takes)
                    _links[binding.Name] = new Link(port, lost);
                if (takes)
                    _log.BindingTaken(port, binding.Name, binding.Path);
                else
                    _log.BindingNotTaken(port, binding.Name, binding.Path);
                await lost.Task.WaitAsync(stopping);
            }
            finally
            {
                _endpoints.AppPortChanged -= OnMoved;
                _links.TryRemove(binding.Name, out _);
            }
        }
    }
}
