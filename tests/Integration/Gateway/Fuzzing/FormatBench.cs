using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Validation;
using LeanPipe.Gateway.Windows;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Integration.Gateway.Fuzzing;

/// <summary>A real log on disk under the intake of one stream, without sockets: connections are byte arrays, cut wherever a test likes.</summary>
sealed class FormatBench : IDisposable
{
    /// <summary>The longest head of a framing, and the CR or delimiter behind a frame.</summary>
    const int AroundFrame = 16;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-fuzz-");
    readonly GatewayState _state = new(TimeProvider.System);
    readonly GatewayOptions _options;
    readonly WriteAheadLog _log;
    readonly TimeProvider _time;
    readonly StreamIntake _stream;
    readonly RecordValidator _segment;
    readonly BackgroundValidation _validation;
    LogBatch? _last;
    long _connections;

    public FormatBench(StreamDefinition stream, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _options = new() { Streams = [stream], Lake = new() { Root = _folder.FullName }, LogDirectory = _folder.FullName, RejectKeepsBytes = 64 };
        _log = WriteAheadLog.Open(_options, _state, new(), NullLogger.Instance);
        _log.AppendAsync(EntryKind.StreamDeclared, new(0, stream.Name), LogJson.Default.StreamDeclared).Wait();
        _stream = new(stream, 0, _time.GetUtcNow());
        _validation = new(_log, _state, new Dictionary<int, StreamIntake> { [0] = _stream }, _options, Health, _time, NullLogger.Instance);
        _segment = new(FormatCases.Closed(stream.Schema), stream.EventTime, canonicalTimestamps: stream.Decoder is CellDecoderDefinition);
    }

    public GatewayHealth Health { get; } = new();

    /// <summary>Bytes that the connections have sent.</summary>
    public long Sent { get; private set; }

    /// <summary>Frames as the connections counted them.</summary>
    public long Frames { get; private set; }

    /// <summary>Connections that were ended for a bad length.</summary>
    public long Broken { get; private set; }

    public Ledger Ledger
    {
        get
        {
            lock (_state.Sync) return _state.Streams[0].ToLedger("g", default);
        }
    }

    public void Dispose()
    {
        _log.Dispose();
        _validation.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>One connection that receives the wire in pieces.</summary>
    /// <param name="next">How many bytes come, given how many have.</param>
    public async Task<long> SendAsync(byte[] wire, Func<int, int> next)
    {
        var intake = new FrameIntake(_stream, _options, _time, ++_connections, "peer", keepsFrames: _stream.Definition.Validation == ValidationMode.After);
        var (left, end) = (0, 0);
        while (end < wire.Length && !intake.IsBroken)
        {
            end = Math.Min(wire.Length, end + Math.Max(1, next(end)));
            var (consumed, batch) = intake.Take(wire.AsSpan(left, end - left), end, _log);
            left += consumed;
            _last = batch ?? _last;

            // What is not consumed is all that a connection holds.
            (end - left).ShouldBeLessThanOrEqualTo(FormatCases.MaxFrame + AroundFrame);
            await _stream.RoomAsync(CancellationToken.None);
        }
        if (intake.IsBroken) Broken++;
        _last = _log.Append(intake.End(end - left, end), static (b, e) => e.Write(b.Add(EntryKind.ConnectionClosed, ConnectionEntry.Bytes)));
        Sent += end;
        Frames += intake.Frames;
        return intake.Frames;
    }

    /// <summary>Waits for the disk, and holds what the ledger says against what was sent, and every line of the log against the schema.</summary>
    public async Task CheckAsync(string what)
    {
        if (_last is not null) await _last.Durable;
        await _validation.CatchUpAsync(CancellationToken.None);
        Health.Reasons.ShouldBeEmpty(what);
        var ledger = Ledger;
        ledger.BytesReceived.ShouldBe(Sent, what);
        (ledger.BytesFramed + ledger.BytesRejected + ledger.BytesPartial).ShouldBe(Sent, what);
        ledger.Frames.ShouldBe(Frames, what);
        (ledger.Records + ledger.Rejects.Values.Sum()).ShouldBe(Frames, what);
        ledger.Rejects.GetValueOrDefault("bad_length").ShouldBe(Broken, what);
        ledger.Windows.Values.Sum().ShouldBe(ledger.Records, what);
        CheckLines(what);
    }

    /// <summary>The lines of every lane of records and of rejects, in the order of the log.</summary>
    public SortedDictionary<string, string> Lines()
    {
        List<(LaneKey Key, List<Extent> Extents)> lanes;
        lock (_state.Sync) lanes = [.. _state.Streams[0].Lanes.Values.Where(l => !l.Key.Frames).Select(l => (l.Key, l.Uncut.ToList()))];
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, extents) in lanes)
        {
            var text = new System.Text.StringBuilder();
            foreach (var extent in extents)
            {
                var bytes = new byte[extent.Bytes];
                _log.Read(bytes, extent.Position);
                text.Append(System.Text.Encoding.UTF8.GetString(bytes));
            }
            lines.Add($"{key.Rejected} {key.Window}", text.ToString());
        }
        return lines;
    }

    void CheckLines(string what)
    {
        List<(bool Rejected, Extent Extent)> extents;
        lock (_state.Sync) extents = [.. _state.Streams[0].Lanes.Values.Where(l => !l.Key.Frames).SelectMany(l => l.Uncut.Select(e => (l.Key.Rejected, e)))];
        var verdict = new Verdict();
        var buffer = new byte[1 << 20];
        foreach (var (rejected, extent) in extents)
        {
            if (buffer.Length < extent.Bytes) buffer = new byte[extent.Bytes];
            var lines = buffer.AsSpan(0, extent.Bytes);
            _log.Read(lines, extent.Position);
            lines.Count((byte)'\n').ShouldBe(extent.Rows, what);
            lines[^1].ShouldBe((byte)'\n', what);
            if (rejected) continue;
            foreach (var range in lines[..^1].Split((byte)'\n'))
                if (!_segment.AcceptsStrictly(lines[..^1][range], verdict))
                    throw new ShouldAssertException($"{what}: a segment would hold {System.Text.Encoding.UTF8.GetString(lines[..^1][range])}, which is {verdict.Code.Text()} at {verdict.Offset}");
        }
    }
}
