using System.Net;
using System.Text;
using LeanPipe.Cli.Homes;
using LeanPipe.Cli.Sending;

namespace LeanPipe.Cli.Demo;

/// <summary>The sources of the demo: four connections that take turns, frame n on connection n modulo four.</summary>
/// <remarks>The connections go in step, for the event time of a stream is that of its fastest one. Progress is on disk behind the acknowledgements, never ahead of them.</remarks>
sealed class DemoSender(HomeFolder home, DemoState state, IPEndPoint gateway, TimeProvider time)
{
    // A quarter of the stream's lateness in event time, at 200,000 records in three hours.
    const int FramesAhead = 500;
    static readonly TimeSpan SaveEvery = TimeSpan.FromMilliseconds(250);

    readonly FrameConnection[] _connections = Connect(state, gateway, time);
    DemoState _state = state;

    public long Acked => _connections.Sum(c => c.Acked);

    public int Reconnects => _connections.Sum(c => c.Reconnects);

    public async Task RunAsync(CancellationToken stop)
    {
        using var saving = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var save = SaveAsync(saving.Token);
        try
        {
            var acked = _state.Acked;
            await Task.WhenAll(_connections.Select((c, i) => c.RunAsync(acked[i], stop)));
        }
        finally
        {
            await saving.CancelAsync();
            await save.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Save();
        }
        _state = _state with { Sent = true };
        Save();
    }

    async Task SaveAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(SaveEvery, time);
        while (await timer.WaitForNextTickAsync(stop)) Save();
    }

    void Save()
    {
        _state = _state with { Acked = [.. _connections.Select(c => c.Acked)] };
        _state.Write(home);
    }

    static FrameConnection[] Connect(DemoState state, IPEndPoint gateway, TimeProvider time)
    {
        var ahead = (int)Math.Clamp(state.Records * FramesAhead / 200_000, 1, FramesAhead);
        var window = new SendWindow(TelemetryOptions.Connections, ahead, inStep: true);
        // All of them, before any runs: a connection that has not begun must count as far behind, not as far ahead.
        for (var i = 0; i < TelemetryOptions.Connections; i++) window.Begin(i, state.Acked[i]);
        // The last one hangs up within a frame, as sources do.
        return [.. Enumerable.Range(0, TelemetryOptions.Connections).Select(i => new FrameConnection(
            i, new() { Gateway = gateway, Acks = true, AckTimeout = Timeout.InfiniteTimeSpan, GiveUpAfter = TimeSpan.FromSeconds(15), Tail = i == TelemetryOptions.Connections - 1 ? Encoding.UTF8.GetBytes("{\"sensor_id\":1,\"se") : default },
            new Lane(state.Options, i, state.Acked[i]), window, pace: null, time))];
    }

    /// <summary>The frames of one connection.</summary>
    sealed class Lane(TelemetryOptions options, int connection, long sent) : IFrameSource
    {
        long _next = sent * TelemetryOptions.Connections + connection;

        public ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken stop)
        {
            if (_next >= options.Records) return new((ReadOnlyMemory<byte>?)null);
            var frame = Telemetry.FrameOf(options, _next);
            _next += TelemetryOptions.Connections;
            return new(frame);
        }
    }
}
