using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Windows;

/// <summary>The fold of the log: ledgers, lanes, windows. What it holds is exactly what is durable, for entries are applied only after their fsync, or when they are read back.</summary>
/// <remarks>One code path for both, so a restart cannot disagree with the process before it. Every member is used under <see cref="Sync"/>.</remarks>
/// <param name="rememberedWindows">So many sealed windows of a stream are told one by one, in ledgers and checkpoints; older ones only as a sum.</param>
sealed class GatewayState(TimeProvider time, int rememberedWindows = GatewayState.RememberedWindows)
{
    /// <summary>A day of minutes, two months of hours.</summary>
    public const int RememberedWindows = 1_440;

    readonly List<StreamState> _streams = [];
    bool _isResyncNeeded;

    public Lock Sync { get; } = new();

    public IReadOnlyList<StreamState> Streams => _streams;

    /// <summary>Lanes with something left to cut, upload, seal or publish.</summary>
    public HashSet<Lane> Active { get; } = [];

    /// <summary>Above every number that a connection of this log has had.</summary>
    public long NextConnection { get; private set; } = 1;

    /// <summary>The id that the log was begun with; null before its entry.</summary>
    public string? Gateway { get; private set; }

    /// <summary>Of what stands before this position it is not known for sure whether it was cut, stored or sealed, for a part of the log is lost. 0 when nothing is.</summary>
    public long DoubtfulUpTo { get; private set; }

    /// <summary>The position behind the newest batch that is in the state.</summary>
    public long End { get; set; }

    /// <summary>Files wholly before this position may be gone.</summary>
    public long Beginning { get; private set; }

    public StreamState? Find(StreamName name) => _streams.Find(s => s.Name == name);

    /// <summary>A part of the log that ends at the position is lost; the next checkpoint says what was known behind it.</summary>
    public void Doubt(long position)
    {
        DoubtfulUpTo = Math.Max(DoubtfulUpTo, position);
        _isResyncNeeded = true;
    }

    /// <summary>
    /// Everything was read back. When no checkpoint stood behind a lost part, nobody knows whether frames before it were validated in it, and what they became may be in the lake: they count as validated, so that nothing is
    /// doubled. Their segments go to the lake, and a replay of their windows makes records of them.
    /// </summary>
    public void Settle()
    {
        if (!_isResyncNeeded) return;
        foreach (var stream in _streams) stream.Judged(new(stream.Number, DoubtfulUpTo));
    }

    /// <param name="position">Of the entry's body in the log.</param>
    public void Apply(EntryKind kind, ReadOnlySpan<byte> body, long position)
    {
        switch (kind)
        {
            case EntryKind.Checkpoint:
                // Every file begins with one; only that of the oldest file says anything new, or one behind a part that is lost.
                if (_streams.Count == 0 || _isResyncNeeded) Restore(JsonSerializer.Deserialize(body, LogJson.Default.CheckpointEntry)!);
                _isResyncNeeded = false;
                break;
            case EntryKind.Continued:
                break;
            case EntryKind.Gateway:
                Gateway = JsonSerializer.Deserialize(body, LogJson.Default.GatewayEntry)!.Id;
                break;
            case EntryKind.StreamDeclared:
                var declared = JsonSerializer.Deserialize(body, LogJson.Default.StreamDeclared)!;
                if (declared.Number > 0) StreamOf(declared.Number - 1);
                _streams.Add(new(declared.Number, declared.Name));
                break;
            case EntryKind.Settings:
                var settings = JsonSerializer.Deserialize(body, LogJson.Default.SettingsEntry)!;
                StreamOf(settings.Number).Settings = settings.Settings;
                break;
            case EntryKind.ConnectionOpened:
                var opened = ConnectionEntry.Read(body);
                StreamOf(opened.Stream).Opened(opened);
                NextConnection = Math.Max(NextConnection, opened.Connection + 1);
                break;
            case EntryKind.ConnectionClosed:
                var closed = ConnectionEntry.Read(body);
                StreamOf(closed.Stream).Closed(closed);
                break;
            case EntryKind.Read:
                var read = ReadEntry.Read(body);
                StreamOf(read.Stream).Read(read);
                break;
            case EntryKind.Records:
                var records = RecordsEntry.Read(body);
                var line = new Extent(position + RecordsEntry.HeadBytes, body.Length - RecordsEntry.HeadBytes, records.Rows);
                Append(StreamOf(records.Stream).Appended(records), line);
                break;
            case EntryKind.Reject:
                var reject = RejectEntry.Read(body);
                var head = RejectEntry.HeadBytes + reject.CodeLength;
                Append(StreamOf(reject.Stream).Rejected(reject, reject.Code(body)), new(position + head, body.Length - head, 1));
                break;
            case EntryKind.Frames:
                var frames = FramesEntry.Read(body);
                var block = new Extent(position + FramesEntry.HeadBytes, body.Length - FramesEntry.HeadBytes, frames.Frames);
                Append(StreamOf(frames.Stream).Kept(frames, block, time.GetUtcNow()), block);
                break;
            case EntryKind.Judged:
                var judged = JudgedEntry.Read(body);
                StreamOf(judged.Stream).Judged(judged);
                break;
            case EntryKind.Cut:
                var cut = JsonSerializer.Deserialize(body, LogJson.Default.CutEntry)!;
                LaneOf(cut.Lane).Cut(cut, time.GetUtcNow());
                if (cut.Lane.Frames) StreamOf(cut.Lane.Stream).FramesCut(cut, position);
                break;
            case EntryKind.Stored:
                var stored = JsonSerializer.Deserialize(body, LogJson.Default.StoredEntry)!;
                if (stored.Lane.Rejected) StreamOf(stored.Lane.Stream).RejectsStored(stored);
                Track(LaneOf(stored.Lane), l => l.Stored(stored));
                break;
            case EntryKind.Sealing:
                var sealing = JsonSerializer.Deserialize(body, LogJson.Default.SealingEntry)!;
                Track(LaneOf(sealing.Lane), l => l.Sealing = sealing);
                break;
            case EntryKind.Sealed:
                var done = JsonSerializer.Deserialize(body, LogJson.Default.SealedEntry)!;
                Track(LaneOf(done.Lane), l => l.Sealed(done, time.GetUtcNow()));
                break;
            case EntryKind.Published:
                var published = JsonSerializer.Deserialize(body, LogJson.Default.PublishedEntry)!;
                Track(LaneOf(published.Lane), l => l.Unpublished.Remove(published.Revision));
                break;
            case EntryKind.Truncated:
                Beginning = JsonSerializer.Deserialize(body, LogJson.Default.TruncatedEntry)!.Beginning;
                break;
            default:
                throw new LogException(
                    "gateway.log_unknown_entry", $"The log has an entry of kind {(byte)kind} at position {position}, which this gateway does not know. A newer gateway wrote it; run that one, or a newer one.");
        }
    }

    public CheckpointEntry ToCheckpoint() => new(Beginning, NextConnection, [.. _streams.Select(s => s.ToCheckpoint())], Gateway);

    /// <summary>The first byte of the log that something still needs; null when nothing does.</summary>
    public long? OldestNeeded => OldestOf(null);

    /// <summary>Room in the log for what frames become that are not validated yet.</summary>
    public long BecomesBytes => _streams.Sum(s => s.Unjudged.BecomesBytes);

    /// <summary>Nothing before this position of the log is needed. What is appended later stands behind it, so it holds for ever.</summary>
    public long NeededFrom => OldestNeeded ?? End;

    /// <summary>The first byte of the log that a stream still needs; null when it needs none.</summary>
    /// <param name="stream">The stream's number; null for all streams.</param>
    public long? OldestOf(int? stream)
    {
        long? oldest = null;
        foreach (var lane in Active)
            if ((stream is null || lane.Key.Stream == stream) && lane.OldestNeeded is { } position && !(position >= oldest)) oldest = position;
        foreach (var state in _streams)
            if ((stream is null || state.Number == stream) && state.Unjudged.Oldest is { } unjudged && !(unjudged >= oldest)) oldest = unjudged;
        return oldest;
    }

    public Lane LaneOf(LaneKey key) => StreamOf(key.Stream).LaneOf(key);

    /// <summary>The stream of a number. One whose declaration stood in a lost part of the log has a name of its own until the next checkpoint, so that its lines are kept.</summary>
    StreamState StreamOf(int number)
    {
        while (number >= _streams.Count && DoubtfulUpTo > 0) _streams.Add(new(_streams.Count, new($"unknown-{_streams.Count}")));
        return _streams[number];
    }

    void Append(Lane lane, Extent extent)
    {
        lane.Append(extent, time.GetUtcNow());
        Active.Add(lane);
    }

    void Track(Lane lane, Action<Lane> change)
    {
        change(lane);
        if (lane.IsActive) Active.Add(lane);
        else Active.Remove(lane);

        // A lane of rejects or frames has no window to remember once its segments are stored.
        if (lane.IsActive) return;
        if (lane.Key.HoldsRecords) _streams[lane.Key.Stream].Forget(rememberedWindows);
        else _streams[lane.Key.Stream].Lanes.Remove(lane.Key);
    }

    /// <summary>Takes over what a checkpoint says; lines that no cut is known of stay as they were read.</summary>
    void Restore(CheckpointEntry saved)
    {
        (Beginning, NextConnection, Gateway) = (Math.Max(Beginning, saved.Beginning), Math.Max(NextConnection, saved.NextConnection), saved.Gateway ?? Gateway);
        foreach (var stream in saved.Streams)
        {
            var restored = StreamState.From(stream);
            if (stream.Number < _streams.Count)
            {
                restored.TakeLines(_streams[stream.Number]);
                _streams[stream.Number] = restored;
            }
            else _streams.Add(restored);
        }
        Active.Clear();
        foreach (var lane in _streams.SelectMany(s => s.Lanes.Values))
            if (lane.IsActive) Active.Add(lane);
    }
}
