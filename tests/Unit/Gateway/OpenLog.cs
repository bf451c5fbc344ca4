using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Unit.Gateway;

/// <summary>A log and its fold, with one stream.</summary>
sealed class OpenLog : IAsyncDisposable
{
    static readonly long Ten = new DateTime(2026, 1, 1, 10, 0, 0, DateTimeKind.Utc).Ticks;

    readonly GatewayState _state = new(TimeProvider.System);
    readonly WriteAheadLog _log;

    public OpenLog(GatewayOptions options)
    {
        _log = WriteAheadLog.Open(options, _state, Health, NullLogger.Instance);
        if (_state.Streams.Count == 0) _log.AppendAsync(EntryKind.StreamDeclared, new(0, new("s")), LogJson.Default.StreamDeclared).Wait();
    }

    public GatewayHealth Health { get; } = new();

    /// <summary>Calls back in the middle of each removal of files, and waits there until the batch that this appends is on disk or the log has failed.</summary>
    public void RecordWhileFilesAreRemoved(string line)
    {
        _log.Removing = () =>
        {
            using var written = new ManualResetEventSlim();
            _log.Synced = written.Set;
            _log.Failed = _ => written.Set();
            RecordedMeanwhile = RecordAsync(line);
            written.Wait(TestContext.Current.CancellationToken);
            _log.Synced = null;
        };
    }

    public Task? RecordedMeanwhile { get; private set; }

    public long DoubtfulUpTo => _state.DoubtfulUpTo;

    /// <summary>Every line that no cut has taken, read from the files.</summary>
    public List<string> Lines()
    {
        var lines = new List<string>();
        List<Extent> extents;
        lock (_state.Sync) extents = [.. _state.Active.SelectMany(l => l.Strays.Concat(l.Uncut)).OrderBy(e => e.Position)];
        foreach (var extent in extents)
        {
            var bytes = new byte[extent.Bytes];
            _log.Read(bytes, extent.Position);
            lines.Add(Encoding.UTF8.GetString(bytes).TrimEnd());
        }
        return lines;
    }

    public long Records => Ledger.Records;

    public long End => _log.End;

    public int Uncut => _state.Active.Sum(l => l.Uncut.Sum(e => e.Rows));

    Ledger Ledger => _state.Streams[0].ToLedger("g", default);

    public Task RecordAsync(string line, int lane = 0)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        var start = Ten + lane * TimeSpan.TicksPerHour;
        return _log.Append((start, bytes), static (batch, r) =>
        {
            var body = batch.Add(EntryKind.Records, RecordsEntry.HeadBytes + r.bytes.Length);
            new RecordsEntry(0, 60, 1, r.start, r.start, 1, r.bytes.Length).Write(body);
            r.bytes.CopyTo(body[RecordsEntry.HeadBytes..]);
        }).Durable;
    }

    public async Task CutAndStoreAsync()
    {
        List<Lane> lanes;
        lock (_state.Sync) lanes = [.. _state.Active];
        foreach (var lane in lanes)
        {
            var segment = $"s{lane.Key.WindowTicks}";
            await _log.AppendAsync(EntryKind.Cut, new(lane.Key, long.MaxValue, segment), LogJson.Default.CutEntry);
            await _log.AppendAsync(EntryKind.Stored, new(lane.Key, segment, new(segment, 1, 2, "")), LogJson.Default.StoredEntry);
        }
    }

    public async Task SealAsync(int lane)
    {
        var key = _state.Active.Single(l => l.Key.WindowTicks == Ten + lane * TimeSpan.TicksPerHour).Key;
        await _log.AppendAsync(EntryKind.Sealing, new(key, 1, "watermark", DateTimeOffset.UnixEpoch, 1), LogJson.Default.SealingEntry);
        await _log.AppendAsync(EntryKind.Sealed, new(key, 1), LogJson.Default.SealedEntry);
    }

    public long NeededFrom
    {
        get
        {
            lock (_state.Sync) return _state.NeededFrom;
        }
    }

    public Task TruncateAsync(long? needed = null) => _log.TruncateAsync(needed ?? NeededFrom);

    public string Checkpoint() => JsonSerializer.Serialize(_state.ToCheckpoint(), LogJson.Default.CheckpointEntry);

    public ValueTask DisposeAsync()
    {
        _log.Dispose();
        return ValueTask.CompletedTask;
    }
}
