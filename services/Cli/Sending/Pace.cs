namespace LeanPipe.Cli.Sending;

/// <summary>A number of frames per second over all connections.</summary>
sealed class Pace(double perSecond, TimeProvider time)
{
    static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(10);

    readonly Lock _lock = new();
    readonly long _start = time.GetTimestamp();
    long _taken;

    /// <summary>Complete when the frame may go.</summary>
    public Task TakeAsync(CancellationToken stop)
    {
        TimeSpan ahead;
        lock (_lock) ahead = TimeSpan.FromSeconds(_taken++ / perSecond) - time.GetElapsedTime(_start);
        return ahead > Slack ? Task.Delay(ahead, time, stop) : Task.CompletedTask;
    }
}
