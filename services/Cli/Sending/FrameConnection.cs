using System.Buffers;
using System.Net;
using System.Net.Sockets;
using LeanPipe.Contracts;

namespace LeanPipe.Cli.Sending;

sealed record ConnectionOptions
{
    public required IPEndPoint Gateway { get; init; }

    /// <summary>Whether the stream answers with acknowledgements. Without them a broken connection is an error, for nobody knows what arrived.</summary>
    public required bool Acks { get; init; }

    /// <summary>Sent first on every connection, and no frame: a CSV header.</summary>
    public ReadOnlyMemory<byte> Preamble { get; init; }

    /// <summary>Sent after the last frame, and no frame: bytes of one that never ends.</summary>
    public ReadOnlyMemory<byte> Tail { get; init; }

    /// <summary>
    /// Frames that have waited so long, while none was acknowledged, are sent again over another connection. Doubled after every silent one, for a store that is away is silent, too. Without acknowledgements: how long the gateway
    /// may take, when everything is written, to read it and to end the connection. Infinite: never.
    /// </summary>
    public TimeSpan AckTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Gives up when, since the first failure, nothing was acknowledged for so long; without acknowledgements, when nothing of a batch was taken for so long.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Called with every failure that is followed by another try, and with null when it goes on.</summary>
    public Action<SendTrouble?>? Troubled { get; init; }
}

/// <param name="Left">Before it gives up.</param>
sealed record SendTrouble(string Reason, TimeSpan Left);

/// <summary>Sends the frames of a source over one connection, and over another when that one breaks: from the last acknowledged frame on.</summary>
/// <remarks>Frames stay in memory until they are acknowledged. A frame that became durable without its acknowledgement getting through is sent twice: readers tell by its own key.</remarks>
sealed class FrameConnection(int index, ConnectionOptions options, IFrameSource source, SendWindow window, Pace? pace, TimeProvider time)
{
    const int BatchBytes = 64 * 1024;
    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(30);

    /// <summary>A timer waits no longer than 49 days at once.</summary>
    static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    readonly Queue<ReadOnlyMemory<byte>> _unacked = new();
    readonly Lock _lock = new();
    readonly ArrayBufferWriter<byte> _batch = new(2 * BatchBytes);
    readonly AckPatience _patience = new(options, time);

    /// <summary>Asked of the source and not had yet: a connection that breaks meanwhile leaves it to the next one, or the frame would be nobody's.</summary>
    Task<ReadOnlyMemory<byte>?>? _asked;

    /// <summary>Whether the window has given its leave for a frame that is not taken yet.</summary>
    bool _mayTake;
    long _acked;

    /// <summary>Whether this connection has nothing more to write.</summary>
    volatile bool _isWritten;

    /// <summary>Frames acknowledged; without acknowledgements, frames written.</summary>
    public long Acked => Interlocked.Read(ref _acked);

    public long BytesSent { get; private set; }

    public int Reconnects { get; private set; }

    /// <summary>Frames that were sent, and are not acknowledged yet.</summary>
    public int Unacknowledged
    {
        get
        {
            lock (_lock) return _unacked.Count;
        }
    }

    /// <param name="acked">Frames that an earlier process sent; the source goes on behind them.</param>
    public async Task RunAsync(long acked, CancellationToken stop)
    {
        _acked = acked;
        window.Begin(index, acked);
        while (true)
        {
            try
            {
                await SendAllAsync(stop);
                window.Finish(index);
                return;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                if (!options.Acks && Acked > acked)
                    throw new LeanPipeException("cli.connection_lost", $"The connection to {options.Gateway} broke after {Acked} frames: {e.Message} Without acknowledgements nobody knows which of them arrived.", isTransient: true, e);
                if (_patience.Failed(isSilence: e is SilenceException) is not { } again) throw GivenUp(e);
                Reconnects++;
                options.Troubled?.Invoke(new(e.Message, again.Left));
                await Task.Delay(again.Pause, time, stop);
            }
        }
    }

    LeanPipeException GivenUp(Exception reason) => new(
        "cli.gateway_unreachable", $"The gateway at {options.Gateway} has acknowledged nothing for {options.GiveUpAfter.TotalSeconds:0.###} s of trying again: {reason.Message}", isTransient: true, reason);

    void GoesOn()
    {
        if (_patience.GoesOn()) options.Troubled?.Invoke(null);
    }

    async Task SendAllAsync(CancellationToken stop)
    {
        using var socket = new Socket(options.Gateway.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await ConnectAsync(socket, stop);
        using var stream = new NetworkStream(socket);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _isWritten = false;
        _patience.Begins();
        var answers = options.Acks ? ReadAcksAsync(stream, _acked, ended.Token) : stream.CopyToAsync(Stream.Null, ended.Token);
        var exchange = ExchangeAsync(socket, stream, answers, ended.Token, stop);
        var silence = SilenceAsync(ended.Token);
        try
        {
            await await Task.WhenAny(exchange, silence);
        }
        catch (SilenceException)
        {
            // Nobody shall find later what is sent again now.
            socket.LingerState = new(true, 0);
            throw;
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(exchange, silence, answers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        lock (_lock)
            if (_unacked.Count > 0) throw new IOException($"The gateway closed the connection with {_unacked.Count} frames not acknowledged.");
    }

    async Task ConnectAsync(Socket socket, CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
        try
        {
            await socket.ConnectAsync(options.Gateway, either.Token);
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new IOException($"No answer within {ConnectTimeout.TotalSeconds:0} s.", e);
        }
        // With frames to send again, only an acknowledgement shows that somebody is there.
        if (Unacknowledged == 0) GoesOn();
    }

    /// <param name="answers">Ends when the gateway hangs up.</param>
    async Task ExchangeAsync(Socket socket, NetworkStream stream, Task answers, CancellationToken ended, CancellationToken stop)
    {
        await WriteAllAsync(stream, answers, ended, stop);
        if (!options.Acks && answers.IsCompleted)
        {
            // Who hangs up before the end has not read everything.
            await answers;
            throw HungUp();
        }
        socket.Shutdown(SocketShutdown.Send);
        _patience.Begins();
        _isWritten = true;
        await answers;
    }

    /// <summary>Ends when everything is acknowledged and nobody hangs up.</summary>
    /// <exception cref="SilenceException">Frames wait, and nobody acknowledges any.</exception>
    /// <exception cref="IOException">Without acknowledgements only that the gateway hangs up says that it has read to the end, and it does not.</exception>
    async Task SilenceAsync(CancellationToken ended)
    {
        while (true)
        {
            var waiting = Unacknowledged;
            var left = _patience.Left(isWaiting: waiting > 0 || _isWritten);
            if (left <= TimeSpan.Zero && !options.Acks) throw new IOException($"Everything was written, and the gateway has not ended the connection within {options.AckTimeout.TotalSeconds:0.###} s.");
            if (left <= TimeSpan.Zero && waiting == 0) return;
            if (left <= TimeSpan.Zero) throw new SilenceException($"Nothing was acknowledged while {waiting} {(waiting == 1 ? "frame" : "frames")} waited for it.");
            await Task.Delay(left < LongestWait ? left : LongestWait, time, ended);
        }
    }

    /// <param name="ended">Set when this connection has ended.</param>
    /// <param name="stop">Set when no other follows.</param>
    async Task WriteAllAsync(NetworkStream stream, Task answers, CancellationToken ended, CancellationToken stop)
    {
        _batch.ResetWrittenCount();
        _batch.Write(options.Preamble.Span);
        ReadOnlyMemory<byte>[] again;
        lock (_lock) again = [.. _unacked];
        foreach (var frame in again)
        {
            _batch.Write(frame.Span);
            if (_batch.WrittenCount >= BatchBytes) await FlushAsync(stream, ended);
        }
        while (true)
        {
            Task moved = Task.CompletedTask;
            while (!_mayTake && !window.TryTake(index, out moved))
            {
                await FlushAsync(stream, ended);
                // When the gateway hangs up, no acknowledgement will move the window any more.
                if (await Task.WhenAny(moved, answers).WaitAsync(ended) == answers && !moved.IsCompleted)
                {
                    await answers;
                    throw HungUp();
                }
            }
            _mayTake = true;
            if (pace?.TakeAsync(ended) is { IsCompleted: false } later)
            {
                await FlushAsync(stream, ended);
                await later;
            }
            if (await NextAsync(stream, ended, stop) is not { } frame) break;
            _mayTake = false;
            if (options.Acks) Waits(frame);
            _batch.Write(frame.Span);
            if (!options.Acks) Interlocked.Increment(ref _acked);
            if (_batch.WrittenCount >= BatchBytes) await FlushAsync(stream, ended);
        }
        _batch.Write(options.Tail.Span);
        await FlushAsync(stream, ended);
    }

    void Waits(ReadOnlyMemory<byte> frame)
    {
        lock (_lock)
        {
            if (_unacked.Count == 0) _patience.Begins();
            _unacked.Enqueue(frame);
        }
    }

    async ValueTask<ReadOnlyMemory<byte>?> NextAsync(NetworkStream stream, CancellationToken ended, CancellationToken stop)
    {
        if (_asked is null)
        {
            var next = source.NextAsync(stop);
            if (next.IsCompleted) return await next;
            _asked = next.AsTask();
        }
        if (!_asked.IsCompleted) await FlushAsync(stream, ended);
        var frame = await _asked.WaitAsync(ended);
        _asked = null;
        return frame;
    }

    async Task FlushAsync(NetworkStream stream, CancellationToken stop)
    {
        if (_batch.WrittenCount == 0) return;
        var write = stream.WriteAsync(_batch.WrittenMemory, stop);
        if (options.Acks) await write;
        else await TakenAsync(write, stop);
        BytesSent += _batch.WrittenCount;
        _batch.ResetWrittenCount();
        if (options.Acks) return;
        window.Acknowledge(index, Acked);
    }

    /// <summary>Without acknowledgements nothing else shows that somebody is there: a gateway whose store is away takes nothing for long, a machine that hangs for good.</summary>
    async ValueTask TakenAsync(ValueTask write, CancellationToken stop)
    {
        if (write.IsCompleted)
        {
            await write;
            return;
        }
        try
        {
            await write.AsTask().WaitAsync(options.GiveUpAfter, time, stop);
        }
        catch (TimeoutException e)
        {
            throw new IOException($"The gateway has taken nothing for {options.GiveUpAfter.TotalSeconds:0.###} s.", e);
        }
    }

    static IOException HungUp() => new("The gateway closed the connection before everything was written.");

    /// <summary>Reads lines <c>ACK n</c> until the gateway hangs up; n counts the frames of this connection.</summary>
    async Task ReadAcksAsync(NetworkStream stream, long before, CancellationToken stop)
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            if (!line.StartsWith("ACK ", StringComparison.Ordinal) || !long.TryParse(line.AsSpan(4), out var n))
                throw new LeanPipeException("cli.unknown_answer", $"The gateway at {options.Gateway} answered with {line.Length} characters that are no acknowledgement. Is this the stream's port?");
            lock (_lock)
            {
                while (_acked < before + n && _unacked.TryDequeue(out _)) _acked++;
                _patience.Begins();
            }
            GoesOn();
            window.Acknowledge(index, Acked);
        }
    }

    /// <summary>Somebody took the connection and says nothing: a load balancer, kube-proxy's own socket, a machine that hangs.</summary>
    sealed class SilenceException(string message) : IOException(message);
}
