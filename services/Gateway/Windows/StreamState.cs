using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Windows;

/// <summary>What the log says about one stream. Written only by <see cref="GatewayState.Apply"/>, under the state's lock.</summary>
sealed class StreamState(int number, StreamName name)
{
    readonly SortedDictionary<string, long> _rejects = new(StringComparer.Ordinal);

    public int Number => number;

    public StreamName Name => name;

    /// <summary>The newest event time of an accepted record, UTC ticks.</summary>
    public long MaxEventTicks { get; private set; }

    /// <summary>What the stream's document said last; null before its first entry.</summary>
    public StreamSettings? Settings { get; set; }

    public Dictionary<LaneKey, Lane> Lanes { get; } = [];

    long Connections { get; set; }

    long BytesReceived { get; set; }

    long BytesFramed { get; set; }

    long BytesRejected { get; set; }

    long BytesPartial { get; set; }

    long Frames { get; set; }

    long Records { get; set; }

    long Late { get; set; }

    public bool IsPassed(LaneKey lane) => MaxEventTicks - (Settings?.Lateness ?? TimeSpan.Zero).Ticks >= lane.EndTicks;

    public Lane LaneOf(LaneKey key)
    {
        if (!Lanes.TryGetValue(key, out var lane)) Lanes.Add(key, lane = new(key));
        return lane;
    }

    /// <summary>Takes over the lines that another reading of the same stream knows and no checkpoint has.</summary>
    public void TakeLines(StreamState earlier)
    {
        foreach (var lane in earlier.Lanes.Values) LaneOf(lane.Key).TakeLines(lane);
    }

    public void Opened() => Connections++;

    public void Closed(ConnectionEntry entry)
    {
        BytesReceived += entry.Received;
        BytesPartial += entry.Partial;
    }

    public void Read(ReadEntry entry)
    {
        BytesReceived += entry.Received;
        BytesFramed += entry.Blank;
    }

    public Lane Appended(RecordsEntry entry)
    {
        BytesFramed += entry.WireBytes;
        Frames += entry.Rows;
        Records += entry.Rows;
        var lane = LaneOf(new(number, Rejected: false, entry.WindowTicks, entry.WindowMinutes));
        lane.Rows += entry.Rows;
        if (lane.Revision > 0 || lane.Sealing is not null)
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
        _rejects[code] = _rejects.GetValueOrDefault(code) + 1;
        return LaneOf(new(number, Rejected: true, entry.WindowTicks, entry.WindowMinutes));
    }

    public Ledger ToLedger(string gateway, DateTimeOffset asOf)
    {
        var windows = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var lane in Lanes.Values)
            if (!lane.Key.Rejected) windows[lane.Key.Window.Value] = windows.GetValueOrDefault(lane.Key.Window.Value) + lane.Rows;
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
        };
    }

    public StreamCheckpoint ToCheckpoint() => new(
        number, name, MaxEventTicks, Connections, BytesReceived, BytesFramed, BytesRejected, BytesPartial, Frames, Records, Late, new Dictionary<string, long>(_rejects),
        [.. Lanes.Values.Where(l => !l.Key.Rejected).Select(l => new WindowCheckpoint(
            l.Key.WindowTicks, l.Key.WindowMinutes, l.Rows, l.Revision, l.Unlisted.Count > 0 ? [.. l.Unlisted] : null, l.Sealing, l.Unpublished.Count > 0 ? [.. l.Unpublished] : null))],
        Settings);

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
        };
        foreach (var (code, count) in saved.Rejects) stream._rejects[code] = count;
        foreach (var window in saved.Windows)
        {
            var lane = stream.LaneOf(new(saved.Number, Rejected: false, window.Ticks, window.Minutes));
            (lane.Rows, lane.Revision, lane.Sealing) = (window.Rows, window.Revision, window.Sealing);
            lane.Unlisted.AddRange(window.Unlisted ?? []);
            lane.Unpublished.UnionWith(window.Unpublished ?? []);
        }
        return stream;
    }
}
