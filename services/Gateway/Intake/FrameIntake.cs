using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
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
sealed class FrameIntake
{
    readonly StreamIntake _stream;
    readonly GatewayOptions _options;
    readonly TimeProvider _time;
    readonly long _connection;
    readonly string _peer;
    readonly ConnectionStamps _stamps;

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
    long _reported;
    DateTimeOffset _now;

    /// <summary>The window that was asked for last; asked again with every portion, for a seal closes windows meanwhile.</summary>
    long _openWindow;

    /// <param name="client">The name in the peer's certificate; null when it showed none.</param>
    public FrameIntake(StreamIntake stream, GatewayOptions options, TimeProvider time, long connection, string peer, string? client = null)
    {
        (_stream, _options, _time, _connection, _peer) = (stream, options, time, connection, peer);
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
    /// <returns>How many bytes are done with; the rest comes again with more behind it. The batch is null when there was nothing to append.</returns>
    public (int Consumed, LogBatch? Batch) Take(ReadOnlySpan<byte> buffer, long received, WriteAheadLog log)
    {
        var scratch = _scratch = _stream.Scratches.Rent();
        (_verdict, _rewritten, _decoded, _runs, _decoder) = (scratch.Verdict, scratch.Rewritten, scratch.Decoded, scratch.Runs, _format.RentDecoder());
        try
        {
            return TakePortion(buffer, received, log);
        }
        finally
        {
            _format.Return(_decoder);
            _stream.Scratches.Return(scratch);
            (_scratch, _verdict, _rewritten, _decoded, _runs, _decoder) = (null, null!, null!, null!, null!, null);
        }
    }

    (int Consumed, LogBatch? Batch) TakePortion(ReadOnlySpan<byte> buffer, long received, WriteAheadLog log)
    {
        _runs.Clear();
        _rewritten.ResetWrittenCount();
        _blank = 0;
        _now = _time.GetUtcNow();
        _openWindow = -1;
        _verdict.NowTicks = _now.UtcTicks - _now.UtcTicks % TimeSpan.TicksPerMicrosecond;
        var at = 0;
        while (at < buffer.Length && !IsBroken)
        {
            // What has begun under one document ends under it.
            if (_format != _stream.Format && !_isSkipping && (at > 0 || !_isMidFrame)) Use(_stream.Format);
            if (!TryTakeFrame(buffer, ref at)) break;
        }
        _isMidFrame = at < buffer.Length;

        var done = received - (buffer.Length - at) - (_isSkipping ? _skipped : 0);
        if (done == _reported) return (at, null);
        var batch = log.Append(new Portion(this, buffer, done - _reported), static (b, portion) => portion.Write(b));
        _reported = done;
        _stream.Appended(batch, at);
        return (at, batch);
    }

    /// <summary>The connection ended: what is left is partial.</summary>
    public ConnectionEntry End(int left, long received) =>
        new(_stream.Number, _connection, received - _reported, left + (_isSkipping ? _skipped : 0));

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
        _openWindow = -1;
    }

    /// <summary>False when more bytes are needed, or none are of use any more.</summary>
    bool TryTakeFrame(ReadOnlySpan<byte> buffer, ref int at)
    {
        var rest = buffer[at..];
        if (_isSkipping) return TrySkip(rest, ref at);
        var fault = _cutter.TryRead(rest, _scanned, out var found);
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
        if (_decoder is not null)
        {
            Decode(frame, consumed);
            return;
        }

        if (!_format.Validator.Accepts(frame, _verdict) || !IsInTime()) Reject(frame, consumed);
        else if (_verdict.MustRewrite) Rewrite(frame, consumed);
        else if (found.Start == 0 && consumed == length + 1 && buffer[at + length] == '\n') Record(isRewritten: false, at, consumed, consumed);
        else
        {
            // In a segment LF ends a record. Within one it can only be white space, for a string of JSON holds no control characters.
            var start = _rewritten.WrittenCount;
            frame.Replace(_rewritten.GetSpan(length), (byte)'\n', (byte)' ');
            _rewritten.Advance(length);
            _rewritten.Write("\n"u8);
            Record(isRewritten: true, start, length + 1, consumed);
        }
    }

    void Decode(ReadOnlySpan<byte> frame, int consumed)
    {
        // What may have to be rewritten is decoded beside the lines, so that lines stay neighbours.
        var target = _format.Rewriter is null ? _rewritten : _decoded;
        if (target == _decoded) _decoded.ResetWrittenCount();
        var start = target.WrittenCount;
        var isDecoded = _decoder!.TryDecode(frame, _now, target, _verdict);
        if (!isDecoded || !_format.Validator.Accepts(target.WrittenSpan[start..], _verdict) || !IsInTime())
        {
            // The half-made line stays in the buffer, but no run names it.
            if (isDecoded) _verdict.Offset = _decoder.OffsetInFrame(_verdict);
            Reject(frame, consumed);
            return;
        }
        if (_verdict.MustRewrite)
        {
            Rewrite(_decoded.WrittenSpan, consumed);
            return;
        }
        if (target == _decoded)
        {
            start = _rewritten.WrittenCount;
            _rewritten.Write(_decoded.WrittenSpan);
        }
        _rewritten.Write("\n"u8);
        Record(isRewritten: true, start, _rewritten.WrittenCount - start, consumed);
    }

    /// <summary>The record as its schema has it: defaults and stamps written, aliases replaced, unknown fields in their column.</summary>
    void Rewrite(ReadOnlySpan<byte> record, int consumed)
    {
        var start = _rewritten.WrittenCount;
        _format.Rewriter!.Write(record, _stamps, _verdict, _rewritten);
        _rewritten.Write("\n"u8);
        Record(isRewritten: true, start, _rewritten.WrittenCount - start, consumed);
    }

    bool IsInTime()
    {
        var (ticks, limits) = (_verdict.EventTicks, _format.Definition.Limits);
        var code = ticks > _now.UtcTicks + limits.MaxAhead.Ticks ? RejectCode.TooFarAhead
            : ticks < _now.UtcTicks - limits.MaxBehind.Ticks ? RejectCode.TooFarBehind
            : IsOpen(ticks - ticks % _windowLength) ? RejectCode.None : RejectCode.TooManyWindows;
        if (code == RejectCode.None) return true;
        _verdict.Fail(code, 0);
        return _verdict.In(_format.Definition.EventTime);
    }

    bool IsOpen(long windowTicks)
    {
        if (windowTicks == _openWindow) return true;
        if (!_stream.Windows.TryOpen(windowTicks)) return false;
        _openWindow = windowTicks;
        return true;
    }

    void Record(bool isRewritten, int offset, int length, int wireBytes)
    {
        var ticks = _verdict.EventTicks;
        if (_runs.Count > 0)
        {
            ref var last = ref CollectionsMarshal.AsSpan(_runs)[^1];
            if (last.Code == RejectCode.None && last.IsRewritten == isRewritten && last.Offset + last.Length == offset && ticks >= last.WindowTicks && ticks < last.WindowTicks + _windowLength && last.WindowMinutes == _windowMinutes)
            {
                last.Length += length;
                last.Rows++;
                last.WireBytes += wireBytes;
                last.MaxEventTicks = Math.Max(last.MaxEventTicks, ticks);
                return;
            }
        }
        _runs.Add(new() { IsRewritten = isRewritten, Offset = offset, Length = length, Rows = 1, WireBytes = wireBytes, WindowTicks = ticks - ticks % _windowLength, WindowMinutes = _windowMinutes, MaxEventTicks = ticks });
    }

    /// <param name="head">The frame's beginning, as much as is known or kept of it.</param>
    void RejectTooLarge(ReadOnlySpan<byte> head, long length, long wireBytes)
    {
        Frames++;
        _verdict.Fail(RejectCode.FrameTooLarge, _format.Definition.Limits.MaxFrameBytes);
        Reject(head, wireBytes, isTruncated: length > head.Length);
    }

    void Reject(ReadOnlySpan<byte> frame, long wireBytes, bool isTruncated = false)
    {
        var start = _rewritten.WrittenCount;
        var raw = frame[..Math.Min(frame.Length, _options.RejectKeepsBytes)];
        RejectLine.Write(
            _rewritten, _verdict.Code, _verdict.Field(frame), _verdict.Offset, _connection, _peer, _now, raw, isTruncated || raw.Length < frame.Length, wireBytes);
        var ticks = _now.UtcTicks;
        _runs.Add(new()
        {
            Code = _verdict.Code,
            IsRewritten = true,
            Offset = start,
            Length = _rewritten.WrittenCount - start,
            Rows = 1,
            WireBytes = wireBytes,
            WindowTicks = ticks - ticks % _windowLength,
            WindowMinutes = _windowMinutes,
        });
    }

    readonly ref struct Portion(FrameIntake intake, ReadOnlySpan<byte> wire, long received)
    {
        readonly ReadOnlySpan<byte> _wire = wire;

        public void Write(LogBatch batch)
        {
            var stream = intake._stream.Number;
            new ReadEntry(stream, (int)Math.Min(received, int.MaxValue), intake._blank, intake._connection).Write(batch.Add(EntryKind.Read, ReadEntry.Bytes));

            // A skipped frame may be longer than one entry can say.
            for (var more = received - int.MaxValue; more > 0; more -= int.MaxValue)
                new ReadEntry(stream, (int)Math.Min(more, int.MaxValue), 0, intake._connection).Write(batch.Add(EntryKind.Read, ReadEntry.Bytes));
            var rewritten = intake._rewritten.WrittenSpan;
            foreach (ref readonly var run in CollectionsMarshal.AsSpan(intake._runs))
            {
                var lines = (run.IsRewritten ? rewritten : _wire).Slice(run.Offset, run.Length);
                if (run.Code == RejectCode.None)
                {
                    var body = batch.Add(EntryKind.Records, RecordsEntry.HeadBytes + lines.Length);
                    new RecordsEntry(stream, run.WindowMinutes, run.Rows, run.WindowTicks, run.MaxEventTicks, intake._connection, (int)run.WireBytes).Write(body);
                    lines.CopyTo(body[RecordsEntry.HeadBytes..]);
                    continue;
                }
                var code = run.Code.Text();
                var reject = batch.Add(EntryKind.Reject, RejectEntry.HeadBytes + code.Length + lines.Length);
                new RejectEntry(stream, run.WindowMinutes, code.Length, run.WindowTicks, intake._connection, run.WireBytes).Write(reject);
                System.Text.Encoding.ASCII.GetBytes(code, reject[RejectEntry.HeadBytes..]);
                lines.CopyTo(reject[(RejectEntry.HeadBytes + code.Length)..]);
            }
        }
    }
}
