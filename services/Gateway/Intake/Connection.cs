using System.Buffers;
using System.IO.Pipelines;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Network;

namespace LeanPipe.Gateway.Intake;

/// <summary>Reads one connection to its end, and acknowledges as the stream asks for it.</summary>
/// <remarks>
/// Bounded memory: the blocks that the socket has filled, and a buffer for a frame that goes on in the next block, up to max_frame; who waits for the rest of a frame keeps no more than it has, and an idle connection nothing.
/// Nothing is read while the stream has max_unsynced bytes that are not on disk, or while the log or its disk is full. TCP's window is what the peer feels.
/// </remarks>
sealed class Connection(StreamIntake stream, WriteAheadLog log, GatewayHealth health, GatewayOptions options, TimeProvider time, PipeReader input, PipeWriter output, PeerClocks clocks)
{
    /// <summary>So many bytes are copied behind the beginning of a frame at first.</summary>
    const int JoinedBytes = 1024;

    readonly Acknowledgements _acks = new(stream, options, time, output);

    byte[] _buffer = [];
    int _length;
    long _received;

    /// <param name="client">The name in the peer's certificate; null when it showed none.</param>
    /// <param name="draining">Set when the gateway shuts down: what has arrived is read, then the connection ends.</param>
    /// <returns>Why it ended.</returns>
    public async Task<CloseReason> RunAsync(long number, string peer, string? client, CancellationToken draining)
    {
        var intake = new FrameIntake(stream, options, time, number, peer, client, keepsFrames: stream.Definition.Validation == Contracts.ValidationMode.After);
        log.Append(new ConnectionEntry(stream.Number, number, 0, 0), static (b, e) => e.Write(b.Add(EntryKind.ConnectionOpened, ConnectionEntry.Bytes)));
        var acking = _acks.RunAsync(draining);
        var clock = new PeerClock(time, stream.Definition.Limits, input.CancelPendingRead);
        clocks.Add(clock);
        CloseReason reason;
        try
        {
            reason = await ReadAsync(intake, clock, draining);
        }
        finally
        {
            clocks.Remove(clock);
            _acks.Complete();
            var end = intake.End(_length, _received);
            Release();
            log.Append(end, static (b, e) => e.Write(b.Add(EntryKind.ConnectionClosed, ConnectionEntry.Bytes)));
        }
        await acking;
        return _acks.AreUnread ? CloseReason.AcksUnread : reason;
    }

    async Task<CloseReason> ReadAsync(FrameIntake intake, PeerClock clock, CancellationToken draining)
    {
        using var deadline = new CancellationTokenSource();
        while (true)
        {
            var (result, failure) = await NextAsync(clock, intake.Finished < _received, deadline, draining);
            if (failure is { } reason) return reason;
            stream.Touch(time.GetUtcNow());
            for (var rest = result.Buffer; !rest.IsEmpty;)
            {
                if (!await MayReadAsync(draining)) return CloseReason.Draining;
                rest = rest.Slice(Take(rest, intake, clock));
                if (intake.IsBroken) return CloseReason.BadLength;
                await stream.RoomAsync(CancellationToken.None);
            }
            input.AdvanceTo(result.Buffer.End);
            if (_length == 0) Release();
            if (result.IsCompleted) return CloseReason.Finished;
        }
    }

    /// <summary>False when a draining gateway cannot take more.</summary>
    async ValueTask<bool> MayReadAsync(CancellationToken draining)
    {
        while (!health.IsReading)
        {
            if (draining.IsCancellationRequested) return false;
            try
            {
                await health.WhenReading.WaitAsync(draining);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The next bytes, or why there are none: the peer is gone or overdue, or was silent long enough while the gateway drains.</summary>
    async ValueTask<(ReadResult Result, CloseReason? Failure)> NextAsync(PeerClock clock, bool isMidFrame, CancellationTokenSource deadline, CancellationToken draining)
    {
        try
        {
            // Bytes that are here already are not waited for.
            if (!draining.IsCancellationRequested && input.TryRead(out var ready)) return (ready, clock.Overdue);
            KeepWhatIsLeft();
            clock.BeginWait(isMidFrame);
            if (!draining.IsCancellationRequested)
            {
                try
                {
                    var result = await input.ReadAsync(draining);
                    return (result, clock.Overdue);
                }
                catch (OperationCanceledException) when (draining.IsCancellationRequested)
                {
                    deadline.CancelAfter(options.DrainAtMost);
                }
            }
            using var quiet = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token);
            quiet.CancelAfter(options.DrainQuiet);
            return (await input.ReadAsync(quiet.Token), null);
        }
        catch (OperationCanceledException)
        {
            return (default, CloseReason.Draining);
        }
        catch (Exception e) when (ConnectionEnd.ReasonOf(e) is { } reason)
        {
            return (default, reason);
        }
        finally
        {
            clock.EndWait();
        }
    }

    /// <summary>Frames are taken where the socket's bytes stand. Only one that has begun in bytes before them is put together in the buffer.</summary>
    /// <returns>Bytes that are done with, or kept.</returns>
    int Take(in ReadOnlySequence<byte> bytes, FrameIntake intake, PeerClock clock)
    {
        var before = _length;
        var portion = bytes.FirstSpan;
        if (before == 0 && !portion.IsEmpty)
        {
            if (portion.Length > options.Buffers.PortionBytes) portion = portion[..options.Buffers.PortionBytes];
            var rest = portion[Take(portion, intake, clock)..];
            if (!rest.IsEmpty) Keep(rest);
            return portion.Length;
        }

        // A long frame's buffer grows with it, so that it is looked through a few times and not once for every portion.
        var count = (int)Math.Min(bytes.Length, Math.Max(before, Math.Min(JoinedBytes, options.Buffers.PortionBytes)));
        if (_buffer.Length < before + count) Move(before + count);
        bytes.Slice(0, count).CopyTo(_buffer.AsSpan(before));
        var consumed = Take(_buffer.AsSpan(0, before + count), intake, clock);
        var left = before + count - consumed;
        if (consumed > before)
        {
            // What is behind the frame is taken where it stands.
            _received -= left;
            _length = 0;
            return count - left;
        }
        _buffer.AsSpan(consumed, left).CopyTo(_buffer);
        _length = left;
        return count;
    }

    /// <returns>Bytes that are done with.</returns>
    int Take(ReadOnlySpan<byte> portion, FrameIntake intake, PeerClock clock)
    {
        _received += portion.Length - _length;
        var (consumed, batch) = intake.Take(portion, _received, log);
        if (batch is null) return consumed;
        _acks.Appended(intake.Frames, batch);
        clock.FrameEnded();
        return consumed;
    }

    void Keep(ReadOnlySpan<byte> rest)
    {
        if (_buffer.Length < rest.Length) Move(rest.Length);
        rest.CopyTo(_buffer);
        _length = rest.Length;
    }

    /// <summary>The beginning of a frame whose rest may never come moves out of a buffer that somebody else can use.</summary>
    void KeepWhatIsLeft()
    {
        if (_length > 0 && _length <= _buffer.Length / 4) Move(_length);
    }

    void Move(int bytes)
    {
        var other = ArrayPool<byte>.Shared.Rent(bytes);
        _buffer.AsSpan(0, _length).CopyTo(other);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = other;
    }

    void Release()
    {
        if (_buffer.Length == 0) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _length) = ([], 0);
    }
}
