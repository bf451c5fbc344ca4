using System.Globalization;
using System.Net;
using System.Text;
using LeanPipe.Cli.Sending;
using LeanPipe.Contracts;

namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>A machine that loses nothing: it keeps what is not acknowledged, and sends it again over another connection when one breaks, for as long as it takes.</summary>
/// <remarks>Its numbers count from 0, and everything else of a record follows from its number, so that a table can be held against what was sent.</remarks>
sealed class Machine(IPEndPoint service, DateTime hour, int perSecond) : IFrameSource
{
    public const int Sensors = 20;

    // So many are on their way at most: whoever asks for a number has an acknowledgement of all up to so many before.
    const int InFlight = 200;

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5), Silence = TimeSpan.FromSeconds(20);

    readonly Lock _lock = new();
    readonly List<(long Number, TaskCompletionSource Reached)> _waiting = [];
    long _next, _end = long.MaxValue;
    Exception? _failed;
    CancellationTokenSource? _silence;

    public WindowId Window => WindowId.Parse(hour.ToString("yyyy-MM-ddTHH", CultureInfo.InvariantCulture));

    public DateTime Hour => hour;

    /// <summary>Records so far.</summary>
    public long Sent
    {
        get
        {
            lock (_lock) return _next;
        }
    }

    /// <summary>Sends that many and waits until all are acknowledged.</summary>
    public Task SendAsync(long records)
    {
        StopAt(records);
        return SendAsync();
    }

    /// <summary>Sends until it is told to stop, and waits until all is acknowledged.</summary>
    /// <remarks>
    /// A connection that says nothing for long is left for another one: while rules are written for a new pod, kube-proxy's own socket may take a connection, which nobody ever reads.
    /// </remarks>
    public async Task SendAsync()
    {
        try
        {
            await SendUntilToldAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception e)
        {
            // Nobody waits on for numbers that will not come.
            lock (_lock)
            {
                _failed = e;
                foreach (var (_, reached) in _waiting) reached.TrySetException(e);
                _waiting.Clear();
            }
            throw;
        }
    }

    public void Stop() => StopAt(0);

    /// <summary>Complete when so many more than now are acknowledged.</summary>
    public Task MoreAsync(long records)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_failed is not null) throw new InvalidOperationException("The machine sends no more.", _failed);
            _waiting.Add((_next + records + InFlight, reached));
        }
        return reached.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken stop)
    {
        lock (_lock)
        {
            _silence?.CancelAfter(Silence);
            if (_next >= _end) return new((ReadOnlyMemory<byte>?)null);
            foreach (var waiting in _waiting.Where(w => w.Number <= _next).ToList())
            {
                _waiting.Remove(waiting);
                waiting.Reached.SetResult();
            }
            return new((ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(Line(_next++)));
        }
    }

    async Task SendUntilToldAsync(CancellationToken stop)
    {
        for (long acknowledged = 0; ;)
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(stop);
            lock (_lock) (_silence, _next) = (silence, acknowledged);
            silence.CancelAfter(Silence);
            var connection = new FrameConnection(
                0, new() { Gateway = service, Acks = true, GiveUpAfter = Patience }, this, new SendWindow(1, InFlight, inStep: false), new Pace(perSecond, TimeProvider.System), TimeProvider.System);
            try
            {
                await connection.RunAsync(0, silence.Token);
                return;
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                acknowledged += connection.Acked;
            }
        }
    }

    string Line(long number) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"seq":{{number}},"sensor_id":{{number % Sensors}},"value":{{number * 0.25}},"timestamp":"{{hour.AddSeconds(number % 3600):yyyy-MM-ddTHH:mm:ssZ}}"}""") + "\n";

    void StopAt(long records)
    {
        lock (_lock) _end = Math.Max(records, _next);
    }
}
