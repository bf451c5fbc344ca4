using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Windows;

/// <summary>The sums of single connections: every open one, the newest that have ended, and one sum of all older ones. Written only by <see cref="GatewayState.Apply"/>, under the state's lock.</summary>
/// <remarks>Bounded by the open connections. Together they are the stream's own sums, whatever was summed up.</remarks>
sealed class ConnectionLedgers
{
    /// <summary>Enough to look into what went wrong lately; checkpoints and ledgers carry all of them.</summary>
    const int KeptEnded = 256;

    readonly SortedDictionary<long, ConnectionFigures> _open = [];
    readonly Queue<ConnectionFigures> _ended = new();
    ConnectionFigures _older = new();

    public void Opened(long connection) => _open[connection] = new() { Connection = connection };

    /// <summary>The figures of a connection that is open, or of one that was when an older gateway wrote the checkpoint.</summary>
    public ConnectionFigures Of(long connection)
    {
        if (!_open.TryGetValue(connection, out var figures)) _open.Add(connection, figures = new() { Connection = connection });
        return figures;
    }

    public void Closed(long connection, long received, long partial)
    {
        var figures = Of(connection);
        figures.BytesReceived += received;
        figures.BytesPartial += partial;
        End(figures);
    }

    /// <summary>The process that had them is gone. What of them was durable is in their sums, on both sides.</summary>
    /// <param name="but">Connections that end later by themselves.</param>
    public void EndAll(IReadOnlySet<long> but)
    {
        foreach (var figures in _open.Values.Where(f => !but.Contains(f.Connection)).ToList()) End(figures);
    }

    public IReadOnlyList<ConnectionLedger> ToLedger() => [.. _open.Values.Select(f => f.ToLedger(isOpen: true)), .. _ended.Reverse().Select(f => f.ToLedger(isOpen: false))];

    public ConnectionLedger Older => _older.ToLedger(isOpen: false);

    /// <param name="all">The stream's sums, of which a checkpoint without connections knows only the whole.</param>
    public static ConnectionLedgers From(IReadOnlyList<ConnectionLedger>? kept, ConnectionLedger? older, ConnectionLedger all)
    {
        var ledgers = new ConnectionLedgers { _older = ConnectionFigures.From(older ?? all) };
        foreach (var connection in kept?.Reverse() ?? [])
        {
            var figures = ConnectionFigures.From(connection);
            if (connection.IsOpen) ledgers._open.Add(connection.Connection, figures);
            else ledgers._ended.Enqueue(figures);
        }
        return ledgers;
    }

    void End(ConnectionFigures figures)
    {
        _open.Remove(figures.Connection);
        _ended.Enqueue(figures);
        if (_ended.Count > KeptEnded) _older.Add(_ended.Dequeue());
    }
}

/// <summary>What one connection has brought.</summary>
sealed class ConnectionFigures
{
    public long Connection { get; init; }

    public long BytesReceived { get; set; }

    public long BytesFramed { get; set; }

    public long BytesRejected { get; set; }

    public long BytesPartial { get; set; }

    public long Frames { get; set; }

    public long Records { get; set; }

    public long Rejects { get; set; }

    public void Add(ConnectionFigures other)
    {
        BytesReceived += other.BytesReceived;
        BytesFramed += other.BytesFramed;
        BytesRejected += other.BytesRejected;
        BytesPartial += other.BytesPartial;
        Frames += other.Frames;
        Records += other.Records;
        Rejects += other.Rejects;
    }

    public ConnectionLedger ToLedger(bool isOpen) => new()
    {
        Connection = Connection,
        IsOpen = isOpen,
        BytesReceived = BytesReceived,
        BytesFramed = BytesFramed,
        BytesRejected = BytesRejected,
        BytesPartial = BytesPartial,
        Frames = Frames,
        Records = Records,
        Rejects = Rejects,
    };

    public static ConnectionFigures From(ConnectionLedger saved) => new()
    {
        Connection = saved.Connection,
        BytesReceived = saved.BytesReceived,
        BytesFramed = saved.BytesFramed,
        BytesRejected = saved.BytesRejected,
        BytesPartial = saved.BytesPartial,
        Frames = saved.Frames,
        Records = saved.Records,
        Rejects = saved.Rejects,
    };
}
