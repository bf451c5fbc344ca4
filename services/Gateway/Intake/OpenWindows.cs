namespace LeanPipe.Gateway.Intake;

/// <summary>The windows of a stream that hold records no manifest lists, so that intake can refuse one too many. Shared by all connections of the stream.</summary>
/// <remarks>
/// What the log's fold says is open comes from the shipper, pass by pass. A window that a record has just opened is in no fold yet, so it counts on its own until the next pass but one; the cap
/// may be overstepped by windows that are in flight for longer, which <c>max_unsynced</c> bounds.
/// </remarks>
sealed class OpenWindows
{
    readonly Lock _sync = new();
    readonly HashSet<long> _folded = [];
    HashSet<long> _before = [];
    HashSet<long> _opened = [];

    int _count;

    public int Cap { get; set; }

    public int Count
    {
        get
        {
            lock (_sync) return _count;
        }
    }

    /// <summary>True when the window is open, or may be opened and is now.</summary>
    public bool TryOpen(long windowTicks)
    {
        lock (_sync)
        {
            if (_folded.Contains(windowTicks) || _opened.Contains(windowTicks) || _before.Contains(windowTicks)) return true;
            if (_count >= Cap) return false;
            _opened.Add(windowTicks);
            _count++;
            return true;
        }
    }

    /// <summary>Tells which windows are open by the fold of the log.</summary>
    public void Fold(IEnumerable<long> open)
    {
        lock (_sync)
        {
            (_before, _opened) = (_opened, _before);
            _opened.Clear();
            _folded.Clear();
            _folded.UnionWith(open);
            _count = _folded.Count + _before.Count(w => !_folded.Contains(w));
        }
    }
}
