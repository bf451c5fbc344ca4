using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using LeanPipe.Gateway.Decoding;
using LeanPipe.Gateway.Framing;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Intake;

/// <summary>One connection's way from bytes to log entries. Not thread-safe; it allocates nothing per accepted record.</summary>
/// <remarks>
/// A JSON record that ends with LF goes to the log as it stands in the read buffer, together with its neighbours of the same window, in one copy. CR is taken off, and what another decoder
/// made stands in a buffer of its own. Empty frames and a CSV header are framing: their bytes count as framed, but they are no frames.
/// </remarks>
sealed partial class FrameIntake
{
    /// <summary>No time lies within a window's length of it.</summary>
    const long NoWindow = long.MinValue;

    readonly StreamIntake _stream;
    readonly GatewayOptions _options;
    readonly TimeProvider _time;
    readonly long _connection;
    readonly string _peer;
    readonly string? _client;

    /// <summary>Whether frames are kept as they come, and validated by <see cref="BackgroundValidation"/>.</summary>
    readonly bool _keeps;
    readonly ConnectionStamps _stamps;

    /// <summary>Whether what is validated was kept as it came.</summary>
    bool _isKept;

    // The stream's and its document's, only while a portion is taken: a connection that is silent holds none of it.
    IntakeScratch? _scratch;
    Verdict _verdict = null!;
    ArrayBufferWriter<byte> _rewritten = null!;
    ArrayBufferWriter<byte> _decoded = null!;
    List<Run> _runs = null!;
    CellDecoder? _decoder;

    /// <summary>The beginning of a frame that is skipped; null until there is one.</summary>
    ArrayBufferWriter<byte>? _tooLargeHead;

    // Of the document in force, changed between two frames.
    StreamFormat _format;
    FrameCutter _cutter;
    long _windowLength;
    int _windowMinutes;
    bool _isHeaderNext;
    bool _isHeaderBad;
    bool _isSkipping;
    bool _isMidFrame;
    long _announced;
    long _skipped;
    long _skippedPayload;
    int _scanned;
    int _blank;
    int _kept;
    long _reported;
    DateTimeOffset _now;
    Arrival _arrival;

    // Event times that the document in force takes now.
    long _oldestTicks;
    long _newestTicks;

    /// <summary>The window that was asked for last; asked again with every portion, for a seal closes windows meanwhile.</summary>
    long _openWindow;

    /// <param name="client">The name in the peer's certificate; null when it showed none.</param>
    /// <param name="keepsFrames">Whether what <see cref="Take"/> finds is kept as it came, to be validated later.</param>
    public FrameIntake(StreamIntake stream, GatewayOptions options, TimeProvider time, long connection, string peer, string? client = null, bool keepsFrames = false)
    {
        (_stream, _options, _time, _connection, _peer, _client, _keeps) = (stream, options, time, connection, peer, client, keepsFrames);
        _stamps = new(peer, client);
        Use(stream.Format);
        _isHeaderNext = _format.Definition.Decoder is Contracts.CsvDecoderDefinition { Header: true };
    }

    /// <summary>Records and rejects so far: what an acknowledgement counts.</summary>
    public long Frames { get; private set; }

    /// <summary>Bytes of the connection that are done with; what was received beyond them belongs to a frame that has not ended.</summary>
    public long Finished => _reported;

    /// <summary>Nothing says where the next frame begins, so the connection is to end.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Frames, validates and appends what is whole in the buffer.</summary>
    /// <param name="received">Bytes the socket has given so far, those of this buffer included.</param>
    /// <returns>How many bytes are done with; the rest comes again, though maybe not all of it in the next portion. The batch is null when there was nothing to append.</returns>
    public (int Consumed, LogBatch? Batch) Take(ReadOnlySpan<byte> buffer, long received, WriteAheadLog log)
    {
        var scratch = _stream.Scratches.Rent();
        Begin(scratch, _time.GetUtcNow());
        try
        {
            return TakePortion(buffer, received, log);
        }
        finally
        {
            End();
            _stream.Scratches.Return(scratch);
        }
    }

    void Begin(IntakeScratch scratch, DateTimeOffset now)
    {
        (_scratch, _verdict, _rewritten, _decoded, _runs, _decoder) = (scratch, scratch.Verdict, scratch.Rewritten, scratch.Decoded, scratch.Runs, _format.RentDecoder());
        _runs.Clear();
        _rewritten.ResetWrittenCount();
        (_blank, _kept, _openWindow, _now, _arrival) = (0, 0, NoWindow, now, ArrivalAt(now));
        TakeTimes();
        _verdict.NowTicks = now.UtcTicks - now.UtcTicks % TimeSpan.TicksPerMicrosecond;
    }

    void End()
    {
        _format.Return(_decoder);
        (_scratch, _verdict, _rewritten, _decoded, _runs, _decoder) = (null, null!, null!, null!, null!, null);
    }

    (int Consumed, LogBatch? Batch) TakePortion(ReadOnlySpan<byte> buffer, long received, WriteAheadLog log)
    {
        if (_keeps) KeptFramesWriter.Begin(_rewritten, _connection, _peer, _client, _now);
        var at = 0;
        var misses = 0;
        while (at < buffer.Length && !IsBroken)
        {
            // What has begun under one document ends under it.
            if (_format != _stream.Format && !_isSkipping && (at > 0 || !_isMidFrame)) Use(_stream.Format);
            if (misses < MostMisses) misses = TakeLines(buffer, ref at) ? 0 : misses + 1;
            if (!TryTakeFrame(buffer, ref at)) break;
        }
        _isMidFrame = at < buffer.Length;

        var done = received - (buffer.Length - at) - (_isSkipping ? _skipped : 0);
        if (done == _reported) return (at, null);
        if (_kept > 0) KeptFramesWriter.End(_rewritten, _kept);
        var batch = log.Append(new Portion(this, buffer, done - _reported), static (b, portion) => portion.Write(b));
        _reported = done;
        _stream.Appended(batch, at);
        return (at, batch);
    }

    /// <summary>The connection ended: what is left is partial.</summary>
    public ConnectionEntry End(int left, long received) =>
        new(_stream.Number, _connection, received - _reported, left + (_isSkipping ? _skipped : 0), ArrivalAt(_time.GetUtcNow()));

    /// <summary>The window of the gateway's clock that a portion arrived in, or frames that were kept; a portion's rejects lie in it too.</summary>
    public Arrival Arrival => _arrival;

    Arrival ArrivalAt(DateTimeOffset now) => new(now.UtcTicks - now.UtcTicks % _windowLength, _windowMinutes);

    [MemberNotNull(nameof(_format), nameof(_cutter))]
    void Use(StreamFormat format)
    {
        if (_scratch is not null)
        {
            _format!.Return(_decoder);
            _decoder = format.RentDecoder();
        }
        (_format, _cutter) = (format, format.Cutter);
        _windowLength = format.Definition.Window.Length.Ticks;
        _windowMinutes = (int)(_windowLength / TimeSpan.TicksPerMinute);
        _scanned = 0;
        _openWindow = NoWindow;
        TakeTimes();
    }

    void TakeTimes()
    {
        var limits = _format.Definition.Limits;
        (_oldestTicks, _newestTicks) = (_now.UtcTicks - limits.MaxBehind.Ticks, _now.UtcTicks + limits.MaxAhead.Ticks);
    }

    /// <summary>False when more bytes are needed, or none are of use any more.</summary>
    bool TryTakeFrame(ReadOnlySpan<byte> buffer, ref int at)
    {
        var rest = buffer[at..];
        if (_isSkipping) return TrySkip(rest, ref at);
        var fault = _cutter.TryRead(rest, Math.Min(_scanned, rest.Length), out var found);
        _scanned = fault == FrameFault.Incomplete ? rest.Length : 0;
        if (fault == FrameFault.None) TakeFrame(buffer, at, found);
        else if (fault != FrameFault.Incomplete) return TakeFault(fault, rest, found, ref at);
        at += found.Consumed;
        return fault == FrameFault.None;
    }

    bool TakeFault(FrameFault fault, ReadOnlySpan<byte> rest, FoundFrame found, ref int at)
    {
        if (fault == FrameFault.BadLength)
        {
            // Where frames begin is lost for good: all that was read from here on is one reject.
            IsBroken = true;
            Frames++;
            _verdict.Fail(RejectCode.BadLength, 0);
            Reject(rest, rest.Length);
            at += rest.Length;
            return false;
        }
        if (found.Consumed > 0)
        {
            RejectTooLarge(rest.Slice(found.Start, found.Length), found.Length, found.Consumed);
            at += found.Consumed;
            return true;
        }
        _isSkipping = true;
        _announced = found.Announced;
        _skipped = found.Start;
        _skippedPayload = 0;
        (_tooLargeHead ??= new()).ResetWrittenCount();
        at += found.Start;
        return true;
    }

    bool TrySkip(ReadOnlySpan<byte> rest, ref int at)
    {
        var left = _announced == FoundFrame.Unknown ? FoundFrame.Unknown : _announced - _skippedPayload;
        var isEnded = _cutter.TrySkip(rest, left, out var skipped, out var payload);

        // One more than is kept, for it may be a CR that belongs to the delimiter.
        var wanted = _options.RejectKeepsBytes + 1 - _tooLargeHead!.WrittenCount;
        _tooLargeHead.Write(rest[..Math.Min(payload, wanted)]);
        _skipped += skipped;
        _skippedPayload += payload;
        at += skipped;
        if (!isEnded) return false;
        _isSkipping = false;
        var head = _tooLargeHead!.WrittenSpan;
        var whole = _skippedPayload == head.Length ? _cutter.Trim(head) : head;
        RejectTooLarge(whole, _skippedPayload - (head.Length - whole.Length), _skipped);
        return true;
    }

    void TakeFrame(ReadOnlySpan<byte> buffer, int at, FoundFrame found)
    {
        var (length, consumed) = (found.Length, found.Consumed);
        var frame = buffer.Slice(at + found.Start, length);
        if (length == 0)
        {
            _blank += consumed;
            return;
        }
        if (_isHeaderNext)
        {
            _isHeaderNext = false;
            if (_decoder is not CsvDecoder csv || csv.IsHeader(frame))
            {
                _blank += consumed;
                return;
            }
            _isHeaderBad = true;
        }

        Frames++;
        if (_isHeaderBad)
        {
            _verdict.Fail(RejectCode.BadHeader, 0);
            Reject(frame, consumed);
            return;
        }
        if (_keeps) Keep(KeptFault.None, frame, consumed, isTruncated: false);
        else JudgeFrame(frame, consumed, found.Start == 0 && consumed == length + 1 && buffer[at + length] == '\n' ? at : -1);
    }

    void Keep(KeptFault fault, ReadOnlySpan<byte> frame, long wireBytes, bool isTruncated)
    {
        KeptFramesWriter.Add(_rewritten, fault, frame, wireBytes, isTruncated);
        _kept++;
    }

    /// <param name="head">The frame's beginning, as much as is known or kept of it.</param>
    void RejectTooLarge(ReadOnlySpan<byte> head, long length, long wireBytes)
    {
        Frames++;
        _verdict.Fail(RejectCode.FrameTooLarge, _format.Definition.Limits.MaxFrameBytes);
        Reject(head, wireBytes, isTruncated: length > head.Length);
    }

    readonly ref struct Portion(FrameIntake intake, ReadOnlySpan<byte> wire, long received)
    {
        readonly ReadOnlySpan<byte> _wire = wire;

        public void Write(LogBatch batch)
        {
            var stream = intake._stream.Number;
            if (intake._kept > 0)
            {
                var block = intake._rewritten.WrittenSpan;
                var body = batch.Add(EntryKind.Frames, FramesEntry.HeadBytes + block.Length);
                new FramesEntry(stream, intake._arrival.Minutes, intake._kept, intake._arrival.Ticks, received, intake._blank, intake._connection).Write(body);
                block.CopyTo(body[FramesEntry.HeadBytes..]);
                return;
            }
            IntakeEntries.WriteRead(batch, stream, intake._connection, received, intake._blank, intake._arrival);
            IntakeEntries.WriteRuns(batch, stream, intake._connection, intake._runs, intake._rewritten.WrittenSpan, _wire);
        }
    }
}
