namespace Dapr.Workflow.Grpc;

/// <summary>Delays that double from <paramref name="first"/> up to <paramref name="longest"/>.</summary>
sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    TimeSpan _last = TimeSpan.Zero;

    public TimeSpan Next()
    {
        var doubled = _last == TimeSpan.Zero ? first : _last * 2;
        _last = doubled < longest ? doubled : longest;
        return _last;
    }

    public void Reset() => _last = TimeSpan.Zero;
}
