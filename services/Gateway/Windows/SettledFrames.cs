namespace LeanPipe.Gateway.Windows;

/// <summary>Up to where frames are in segments of which everything that they became is in the store. Written only by <see cref="GatewayState.Apply"/>, and when it is asked, under the state's lock.</summary>
/// <remarks>
/// Frames are cut when they are validated, so what the frames of a cut became stands in the log before it. When all lanes of the stream are cut up to a position, segments of frames lie wholly before or behind it. A restart
/// knows of cuts only that it reads back; then less is settled, until the next.
/// </remarks>
sealed class SettledFrames
{
    readonly Queue<(long UpTo, long At)> _cuts = new();
    long _cutUpTo;
    long _settled;

    /// <param name="upTo">Frames before this position are cut.</param>
    /// <param name="at">The cut's own position.</param>
    /// <param name="oldestUncut">Of all the stream's frames; null when all are cut.</param>
    public void Cut(long upTo, long at, long? oldestUncut)
    {
        _cutUpTo = Math.Max(_cutUpTo, upTo);
        if (!(oldestUncut < _cutUpTo)) _cuts.Enqueue((_cutUpTo, at));
    }

    /// <param name="oldestUnstored">Of the lines that frames became, and everything else of the stream; null when all are in the store.</param>
    public long UpTo(long? oldestUnstored)
    {
        while (_cuts.TryPeek(out var cut) && !(oldestUnstored < cut.At)) _settled = _cuts.Dequeue().UpTo;
        return _settled;
    }
}
