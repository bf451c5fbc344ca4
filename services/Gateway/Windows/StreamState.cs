using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Windows;

/// <summary>What the log says about one stream. Written only by <see cref="GatewayState.Apply"/>, under the state's lock.</summary>
sealed class StreamState(int number, StreamName name)
{
    readonly SortedDictionary<string, long> _rejects = new(StringComparer.Ordinal);
    ConnectionLedgers _connections = new();
    ArrivalLedgers _arrivals = new();

    public int Number => number;

    public StreamName Name => name;

    /// <summary>The newest event time of an accepted record, UTC ticks.</summary>
    public long MaxEventTicks { get; private set; }

    /// <summary>What the stream's document said last; null before its first entry.</summary>
    public StreamSettings? Settings { get; set; }

    public Dictionary<LaneKey, Lane> Lanes { get; } = [];

    public Unjudged Unjudged { get; } = new();

    SettledFrames Settled { get; } = new();

    long Connections { get; set; }

    long BytesReceived { get; set; }

    long BytesFramed { get; set; }

    long BytesRejected { get; set; }

    long BytesPartial { get; set; }

    long Frames { get; set; }

    long Records { get; set; }

    long Late { get; set; }

    /// <summary>The windows that are forgotten, added up.</summary>
    OlderWindows? Older { get; set; }

    /// <summary>Which frames are in the lake; null when none were ever kept.</summary>
    /// <param name="log">The log's id.</param>
    /// <param name="end">Of the log, as far as it is in the state.</param>
    public StoredFrames? StoredFrames(string log, long end) =>
        Unjudged.UpTo == 0 ? null : new(log, Lanes.Values.Where(l => l.Key.Frames).Min(l => l.OldestNeeded) ?? end, Settled.UpTo(Lanes.Values.Min(l => l.OldestNeeded)));

    public void FramesCut(CutEntry entry, long position) =>
        Settled.Cut(entry.UpTo, position, Lanes.Values.Where(l => l.Key.Frames && l.Uncut.Count > 0).Min(l => (long?)l.Uncut.Peek().Position));

    public bool IsPassed(LaneKey lane) => MaxEventTicks - (Settings?.Lateness ?? TimeSpan.Zero).Ticks >= lane.EndTicks;

    /// <summary>Whether the window is among those that are not remembered one by one: its revisions are in the lake only.</summary>
    public bool IsForgotten(LaneKey lane) => Older is { } older && lane.EndTicks <= older.Before.UtcTicks && (!Lanes.TryGetValue(lane, out var known) || known.Revision == 0);

    /// <summary>Forgets the oldest windows with nothing left to do when there are too many. Late records open such a window anew; sealing finds the revision it has in the lake and builds on it.</summary>
    /// <param name="remembered">So many stay.</param>
    public void Forget(int remembered)
    {
        // Some at a time, so that a window costs little.
        var atMost = remembered + remembered / 3 + 1;
        if (Lanes.Count < atMost) return;
        var done = Lanes.Values.Where(l => l is { IsActive: false, Key.HoldsRecords: true }).OrderBy(l => l.Key.EndTicks).ToList();
        if (done.Count < atMost) return;
        foreach (var lane in done.Take(done.Count - remembered))
        {
            Lanes.Remove(lane.Key);
            var end = new DateTimeOffset(lane.Key.EndTicks, TimeSpan.Zero);
            Older = new(Older?.Before > end ? Older.Before : end, (Older?.Records ?? 0) + lane.Rows, (Older?.Kept ?? 0) + lane.KeptRows);
        }
    }

    public Lane LaneOf(LaneKey key)
    {
        if (!Lanes.TryGetValue(key, out var lane)) Lanes.Add(key, lane = new(key));
        return lane;
    }

    /// <summary>Takes over the lines that another reading of the same stream knows and no checkpoint has.</summary>
    public void TakeLines(StreamState earlier)
    {
        foreach (var lane in earlier.Lanes.Values) LaneOf(lane.Key).TakeLines(lane);
        Unjudged.Take(earlier.Unjudged);
    }

    public void Opened(ConnectionEntry entry)
    {
        Connections++;
        _connections.Opened(entry.Connection);
    }

    /// <summary>Nobody goes on with the connections that another process had.</summary>
    public void EndConnections()
    {
        Unjudged.EndAll();
        _connections.EndAll(Unjudged.Connections.ToHashSet());
    }

    /// <summary>Frames were kept as they came. They count when they are validated.</summary>
    public Lane Kept(FramesEntry entry, Extent block, DateTimeOffset now)
    {
        Unjudged.Add(new(block, entry.Received, entry.Blank, entry.Connection, now));
        return LaneOf(new(number, Rejected: false, entry.WindowTicks, entry.WindowMinutes, Frames: true));
    }

    public void Judged(JudgedEntry entry)
    {
        foreach (var end in Unjudged.Judge(entry.UpTo)) Closed(new ConnectionEntry(number, end.Connection, end.Received, end.Partial, end.Arrival));
    }

    public void Closed(ConnectionEntry entry)
    {
        if (Unjudged.Defers(entry)) return;
        Unjudged.Keeping.Remove(entry.Connection);
        _connections.Closed(entry.Connection, entry.Received, entry.Partial);
        _arrivals.Closed(entry.Arrival, entry.Received, entry.Partial);
        BytesReceived += entry.Received;
        BytesPartial += entry.Partial;
    }

    public void Read(ReadEntry entry)
    {
        BytesReceived += entry.Received;
        BytesFramed += entry.Blank;
        _arrivals.Read(entry.Arrival, entry.Received, entry.Blank);
        var connection = _connections.Of(entry.Connection);
        connection.BytesReceived += entry.Received;
        connection.BytesFramed += entry.Blank;
    }

    public Lane Appended(RecordsEntry entry)
    {
        BytesFramed += entry.WireBytes;
        Frames += entry.Rows;
        Records += entry.Rows;
        _arrivals.Recorded(entry.WireBytes, entry.Rows);
        var connection = _connections.Of(entry.Connection);
        connection.BytesFramed += entry.WireBytes;
        connection.Frames += entry.Rows;
        connection.Records += entry.Rows;
        var lane = LaneOf(new(number, Rejected: false, entry.WindowTicks, entry.WindowMinutes));
        lane.Rows += entry.Rows;
        if (Unjudged.Keeping.Contains(entry.Connection)) lane.KeptRows += entry.Rows;
        if (lane.Revision > 0 || lane.Sealing is not null || IsForgotten(lane.Key))
        {
            Late += entry.Rows;
            lane.HasLate = true;
        }
        else if (!lane.HasUnlisted && IsPassed(lane.Key))
        {
            lane.HasLate = true;
        }
        MaxEventTicks = Math.Max(MaxEventTicks, entry.MaxEventTicks);
        return lane;
    }

    public Lane Rejected(RejectEntry entry, string code)
    {
        BytesRejected += entry.WireBytes;
        Frames++;
        _arrivals.Rejected(entry.WireBytes);
        var connection = _connections.Of(entry.Connection);
        connection.BytesRejected += entry.WireBytes;
        connection.Frames++;
        connection.Rejects++;
        _rejects[code] = _rejects.GetValueOrDefault(code) + 1;
        return LaneOf(new(number, Rejected: true, entry.WindowTicks, entry.WindowMinutes));
    }

    /// <summary>Rejects are in the store.</summary>
    public void RejectsStored(StoredEntry entry) => _arrivals.Stored(new(entry.Lane.WindowTicks, entry.Lane.WindowMinutes), entry.Object);

    /// <param name="inParts">Without connections and arrivals the figures are quick to make.</param>
    public Ledger ToLedger(string gateway, DateTimeOffset asOf, bool inParts = true)
    {
        SortedDictionary<string, long> windows = new(StringComparer.Ordinal), stored = new(StringComparer.Ordinal), listed = new(StringComparer.Ordinal), kept = new(StringComparer.Ordinal);
        foreach (var lane in Lanes.Values.Where(l => l.Key.HoldsRecords))
        {
            var window = lane.Key.Window.Value;
            windows[window] = windows.GetValueOrDefault(window) + lane.Rows;
            stored[window] = stored.GetValueOrDefault(window) + lane.StoredRows;
            listed[window] = listed.GetValueOrDefault(window) + lane.StoredRows - lane.Unlisted.Sum(s => s.Rows);
            if (lane.KeptRows > 0) kept[window] = kept.GetValueOrDefault(window) + lane.KeptRows;
        }
        return new()
        {
            Stream = name,
            Gateway = gateway,
            AsOf = asOf,
            Connections = Connections,
            BytesReceived = BytesReceived,
            BytesFramed = BytesFramed,
            BytesRejected = BytesRejected,
            BytesPartial = BytesPartial,
            Frames = Frames,
            Records = Records,
            Late = Late,
            Rejects = new SortedDictionary<string, long>(_rejects, StringComparer.Ordinal),
            Windows = windows,
            Stored = stored,
            Listed = listed,
            Kept = kept.Count > 0 ? kept : null,
            OlderWindows = Older,
            Unvalidated = Unjudged.Frames > 0 ? Unjudged.Frames : null,
            ByConnection = inParts ? _connections.ToLedger() : null,
            OlderConnections = inParts ? _connections.Older : null,
            ByArrival = inParts ? _arrivals.ToLedger() : null,
            OlderArrivals = inParts ? _arrivals.Older : null,
        };
    }

    public StreamCheckpoint ToCheckpoint() => new(
        number, name, MaxEventTicks, Connections, BytesReceived, BytesFramed, BytesRejected, BytesPartial, Frames, Records, Late, new Dictionary<string, long>(_rejects),
        [.. Lanes.Values.Where(l => l.Key.HoldsRecords).Select(l => new WindowCheckpoint(
            l.Key.WindowTicks, l.Key.WindowMinutes, l.Rows, l.Revision, l.Unlisted.Count > 0 ? [.. l.Unlisted] : null, l.Sealing, l.Unpublished.Count > 0 ? [.. l.Unpublished] : null,
            l.KeptRows > 0 ? l.KeptRows : null))],
        Settings, _connections.ToLedger(), _connections.Older, Unjudged.UpTo > 0 ? Unjudged.UpTo : null,
        Unjudged.Ends.Count > 0 ? [.. Unjudged.Ends] : null, _arrivals.ToLedger(), _arrivals.Older, Older, Unjudged.Keeping.Count > 0 ? [.. Unjudged.Keeping.Order()] : null);

    public static StreamState From(StreamCheckpoint saved)
    {
        var stream = new StreamState(saved.Number, saved.Name)
        {
            MaxEventTicks = saved.MaxEventTicks,
            Connections = saved.Connections,
            BytesReceived = saved.BytesReceived,
            BytesFramed = saved.BytesFramed,
            BytesRejected = saved.BytesRejected,
            BytesPartial = saved.BytesPartial,
            Frames = saved.Frames,
            Records = saved.Records,
            Late = saved.Late,
            Settings = saved.Settings,
            Older = saved.OlderWindows,
        };
        foreach (var (code, count) in saved.Rejects) stream._rejects[code] = count;
        var all = new ConnectionLedger
        {
            BytesReceived = saved.BytesReceived,
            BytesFramed = saved.BytesFramed,
            BytesRejected = saved.BytesRejected,
            BytesPartial = saved.BytesPartial,
            Frames = saved.Frames,
            Records = saved.Records,
            Rejects = saved.Rejects.Values.Sum(),
        };
        stream.Unjudged.Restore(saved.JudgedUpTo ?? 0, saved.Ending ?? []);
        stream.Unjudged.Keeping.UnionWith(saved.Keeping ?? []);
        stream._connections = ConnectionLedgers.From(saved.ByConnection, saved.OlderConnections, all);
        stream._arrivals = ArrivalLedgers.From(saved.ByArrival, saved.OlderArrivals, all);
        foreach (var window in saved.Windows)
        {
            var lane = stream.LaneOf(new(saved.Number, Rejected: false, window.Ticks, window.Minutes));
            (lane.Rows, lane.KeptRows, lane.Revision, lane.Sealing) = (window.Rows, window.Kept ?? 0, window.Revision, window.Sealing);
            lane.Unlisted.AddRange(window.Unlisted ?? []);
            lane.Unpublished.UnionWith(window.Unpublished ?? []);
        }
        return stream;
    }
}
