using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Windows;

/// <summary>A stream's sums by the window of the gateway's clock in which bytes arrived: the newest windows, and one sum of all older ones. Written only by <see cref="GatewayState.Apply"/>, under the state's lock.</summary>
/// <remarks>Bounded. Together they are the stream's own sums. Rejects lie in the lake by the same windows, so each has its objects to be compared with.</remarks>
sealed class ArrivalLedgers
{
    /// <summary>Checkpoints and ledgers carry all of them.</summary>
    public const int KeptWindows = 256;

    readonly SortedDictionary<string, ArrivalFigures> _newest = new(StringComparer.Ordinal);
    ArrivalFigures _older = new();
    string? _olderUpTo;

    /// <summary>Of the portion whose entries are being applied: what a portion became stands right behind its bytes.</summary>
    ArrivalFigures _portion;

    (Arrival Arrival, ArrivalFigures Figures)? _last;

    public ArrivalLedgers() => _portion = _older;

    public void Read(Arrival arrival, long received, long blank)
    {
        _portion = Of(arrival);
        _portion.Sums.BytesReceived += received;
        _portion.Sums.BytesFramed += blank;
    }

    public void Recorded(long wireBytes, int rows)
    {
        _portion.Sums.BytesFramed += wireBytes;
        _portion.Sums.Frames += rows;
        _portion.Sums.Records += rows;
    }

    public void Rejected(long wireBytes)
    {
        _portion.Sums.BytesRejected += wireBytes;
        _portion.Sums.Frames++;
        _portion.Sums.Rejects++;
    }

    public void Closed(Arrival arrival, long received, long partial)
    {
        if (received == 0 && partial == 0) return;
        var sums = Of(arrival).Sums;
        sums.BytesReceived += received;
        sums.BytesPartial += partial;
    }

    public void Stored(Arrival arrival, ObjectRef segment) => (_newest.TryGetValue(arrival.Window.Value, out var figures) ? figures : _older).Add(segment);

    public IReadOnlyList<ArrivalLedger> ToLedger() => [.. _newest.Select(w => w.Value.ToLedger(w.Key))];

    public ArrivalLedger Older => _older.ToLedger(_olderUpTo);

    /// <param name="all">The stream's sums, of which a checkpoint without arrivals knows only the whole.</param>
    public static ArrivalLedgers From(IReadOnlyList<ArrivalLedger>? kept, ArrivalLedger? older, ConnectionLedger all)
    {
        var ledgers = new ArrivalLedgers { _older = older is null ? ArrivalFigures.Uncounted(all) : ArrivalFigures.From(older), _olderUpTo = older?.Window };
        foreach (var arrival in kept ?? []) ledgers._newest.Add(arrival.Window!, ArrivalFigures.From(arrival));
        ledgers._portion = ledgers._older;
        return ledgers;
    }

    ArrivalFigures Of(Arrival arrival)
    {
        if (_last is { } last && last.Arrival == arrival) return last.Figures;
        var figures = Find(arrival);
        _last = (arrival, figures);
        return figures;
    }

    ArrivalFigures Find(Arrival arrival)
    {
        if (arrival.IsUnknown) return _older;
        var window = arrival.Window.Value;
        if (string.CompareOrdinal(window, _olderUpTo) <= 0) return _older;
        if (!_newest.TryGetValue(window, out var figures)) _newest.Add(window, figures = new());
        if (_newest.Count <= KeptWindows) return figures;

        var (oldest, ended) = _newest.First();
        _newest.Remove(oldest);
        _older.Add(ended);
        _olderUpTo = oldest;
        return ended == figures ? _older : figures;
    }
}

/// <summary>What arrived in one window.</summary>
sealed class ArrivalFigures
{
    readonly byte[] _digest = new byte[32];
    bool _isUncounted;
    int _objects;
    long _rows;
    long _bytes;

    public ConnectionFigures Sums { get; private init; } = new();

    /// <summary>Sums of which nobody knows what was stored.</summary>
    public static ArrivalFigures Uncounted(ConnectionLedger all) => new() { Sums = ConnectionFigures.From(all), _isUncounted = all.Rejects > 0 };

    public void Add(ObjectRef segment)
    {
        _objects++;
        _rows += segment.Rows;
        _bytes += segment.Bytes;
        Mix(Convert.FromHexString(segment.Sha256));

        // Rejects of an older gateway, whose entries do not say when they came.
        _isUncounted |= _rows > Sums.Rejects;
    }

    public void Add(ArrivalFigures other)
    {
        Sums.Add(other.Sums);
        _isUncounted |= other._isUncounted;
        _objects += other._objects;
        _rows += other._rows;
        _bytes += other._bytes;
        Mix(other._digest);
    }

    public ArrivalLedger ToLedger(string? window) => new()
    {
        Window = window,
        BytesReceived = Sums.BytesReceived,
        BytesFramed = Sums.BytesFramed,
        BytesRejected = Sums.BytesRejected,
        BytesPartial = Sums.BytesPartial,
        Frames = Sums.Frames,
        Records = Sums.Records,
        Rejects = Sums.Rejects,
        Stored = _isUncounted ? null : new(_objects, _rows, _bytes, Convert.ToHexStringLower(_digest)),
    };

    public static ArrivalFigures From(ArrivalLedger saved)
    {
        var figures = new ArrivalFigures
        {
            Sums = new()
            {
                BytesReceived = saved.BytesReceived,
                BytesFramed = saved.BytesFramed,
                BytesRejected = saved.BytesRejected,
                BytesPartial = saved.BytesPartial,
                Frames = saved.Frames,
                Records = saved.Records,
                Rejects = saved.Rejects,
            },
            _isUncounted = saved.Stored is null,
        };
        if (saved.Stored is not { } stored) return figures;
        (figures._objects, figures._rows, figures._bytes) = (stored.Objects, stored.Rows, stored.Bytes);
        figures.Mix(Convert.FromHexString(stored.Digest));
        return figures;
    }

    void Mix(ReadOnlySpan<byte> digest)
    {
        for (var i = 0; i < _digest.Length && i < digest.Length; i++) _digest[i] ^= digest[i];
    }
}
