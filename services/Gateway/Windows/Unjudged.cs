using System.Runtime.InteropServices;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Windows;

/// <summary>A block of frames in the log that is not validated yet.</summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct UnjudgedBlock(Extent Block, long Received, int Blank, long Connection, DateTimeOffset Since);

/// <summary>A stream's frames that are durable and not validated, in the order of the log. Written only by <see cref="GatewayState.Apply"/>, under the state's lock.</summary>
/// <remarks>A connection's end is counted after its last frame is, so that a ledger's sums hold whenever it is looked at.</remarks>
sealed class Unjudged
{
    readonly Queue<UnjudgedBlock> _blocks = new();

    /// <summary>The position of each connection's newest block here.</summary>
    readonly Dictionary<long, long> _newest = [];

    readonly Dictionary<long, EndingConnection> _ends = [];

    /// <summary>Of all blocks.</summary>
    long _bytes;

    public IEnumerable<UnjudgedBlock> Blocks => _blocks;

    public IEnumerable<long> Connections => _newest.Keys;

    /// <summary>Connections whose frames are kept, until they end: all that is recorded of them was made of frames, also when these are gone from the log already.</summary>
    public HashSet<long> Keeping { get; } = [];

    /// <summary>Connections that have ended and have frames here.</summary>
    public IReadOnlyCollection<EndingConnection> Ends => _ends.Values;

    /// <summary>Everything before this position is validated.</summary>
    public long UpTo { get; private set; }

    public long Frames { get; private set; }

    /// <summary>What a frame becomes at most, by the document in force.</summary>
    public FrameGrowth Growth { get; set; } = FrameGrowth.Unknown;

    /// <summary>Room in the log for what all of them become.</summary>
    public long BecomesBytes => Growth.Of(_bytes, Frames, _blocks.Count);

    /// <summary>When the oldest block was committed, as far as this process knows; null when there is none.</summary>
    public DateTimeOffset? Since => _blocks.TryPeek(out var first) ? first.Since : null;

    public long? Oldest => _blocks.TryPeek(out var first) ? first.Block.Position : null;

    public void Add(UnjudgedBlock block)
    {
        Keeping.Add(block.Connection);
        if (block.Block.Position < UpTo) return;
        _blocks.Enqueue(block);
        _newest[block.Connection] = block.Block.Position;
        Frames += block.Block.Rows;
        _bytes += block.Block.Bytes;
    }

    /// <summary>False when the connection has no frames here, so that it ends now.</summary>
    public bool Defers(ConnectionEntry end)
    {
        if (!_newest.TryGetValue(end.Connection, out var newest)) return false;
        _ends[end.Connection] = new(end.Connection, end.Received, end.Partial, newest, end.Arrival);
        return true;
    }

    /// <summary>Nobody goes on with the connections that another process had: those with frames here end with their last, whatever else was known of them.</summary>
    public void EndAll()
    {
        Keeping.IntersectWith(_newest.Keys);
        foreach (var (connection, newest) in _newest) _ends.TryAdd(connection, new(connection, 0, 0, newest));
    }

    /// <returns>The connections whose last frame is validated now.</returns>
    public List<EndingConnection> Judge(long upTo)
    {
        UpTo = Math.Max(UpTo, upTo);
        while (_blocks.TryPeek(out var first) && first.Block.Position < upTo)
        {
            _blocks.Dequeue();
            Frames -= first.Block.Rows;
            _bytes -= first.Block.Bytes;
            if (_newest[first.Connection] == first.Block.Position) _newest.Remove(first.Connection);
        }
        var ended = _ends.Values.Where(e => e.Newest < upTo).ToList();
        foreach (var end in ended) _ends.Remove(end.Connection);
        return ended;
    }

    /// <summary>What a checkpoint says; blocks that it was made before are read from their own entries.</summary>
    public void Restore(long upTo, IReadOnlyList<EndingConnection> ends)
    {
        UpTo = upTo;
        foreach (var end in ends) _ends[end.Connection] = end;
    }

    /// <summary>Takes over what another reading of the same stream knows.</summary>
    public void Take(Unjudged earlier)
    {
        Keeping.UnionWith(earlier.Keeping);
        foreach (var block in earlier._blocks) Add(block);
        foreach (var end in earlier._ends.Values.Where(e => e.Newest >= UpTo)) _ends.TryAdd(end.Connection, end);
    }
}
