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

    /// <summary>Gives up when so long nothing was acknowledged and no connection could be made.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>Sends the frames of a source over one connection, and over another when that one breaks: from the last acknowledged frame on.</summary>
/// <remarks>Frames stay in memory until they are acknowledged. A frame that became durable without its acknowledgement getting through is sent twice: readers tell by its own key.</remarks>
sealed class FrameConnection(int index, ConnectionOptions options, IFrameSource source, SendWindow window, Pace? pace, TimeProvider time)
{
    const int BatchBytes = 64 * 1024;
    static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(200);

    readonly Queue<ReadOnlyMemory<byte>> _unacked = new();
    readonly Lock _lock = new();
    readonly ArrayBufferWriter<byte> _batch = new(2 * BatchBytes);

    /// <summary>Asked of the source and not had yet: a connection that breaks meanwhile leaves it to the next one, or the frame would be nobody's.</summary>
    Task<ReadOnlyMemory<byte>?>? _asked;

    /// <summary>Whether the window has given its leave for a frame that is not taken yet.</summary>
    bool _mayTake;
    long _acked;
    long _progressAt;

    /// <summary>Frames acknowledged; without acknowledgements, frames written.</summary>
    public long Acked => Interlocked.Read(ref _acked);

    public long BytesSent { get; private set; }

    public int Reconnects { get; private set; }

    /// <param name="acked">Frames that an earlier process sent; the source goes on behind them.</param>
    public async Task RunAsync(long acked, CancellationToken stop)
    {
        _acked = acked;
        window.Begin(index, acked);
        _progressAt = time.GetTimestamp();
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
                if (!options.Acks && BytesSent > 0)
                    throw new LeanPipeException("cli.connection_lost", $"The connection to {options.Gateway} broke after {Acked} frames: {e.Message} Without acknowledgements nobody knows which of them arrived.", isTransient: true, e);
                if (time.GetElapsedTime(Interlocked.Read(ref _progressAt)) > options.GiveUpAfter)
                    throw new LeanPipeException("cli.gateway_unreachable", $"The gateway at {options.Gateway} cannot be reached: {e.Message}", isTransient: true, e);
                Reconnects++;
                await Task.Delay(RetryEvery, time, stop);
            }
        }
    }

    async Task SendAllAsync(CancellationToken stop)
    {
        using var socket = new Socket(options.Gateway.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(options.Gateway, stop);
        using var stream = new NetworkStream(socket);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var acks = options.Acks ? ReadAcksAsync(stream, _acked, ended.Token) : Task.CompletedTask;
        try
        {
            await WriteAllAsync(stream, acks, ended.Token, stop);
            socket.Shutdown(SocketShutdown.Send);
            if (options.Acks) await acks;
            else await stream.CopyToAsync(Stream.Null, ended.Token);
        }
        catch (Exception)
        {
            await ended.CancelAsync();
            await ((Task)acks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        lock (_lock)
            if (_unacked.Count > 0) throw new IOException($"The gateway closed the connection with {_unacked.Count} frames not acknowledged.");
    }

    /// <param name="ended">Set when this connection has ended.</param>
    /// <param name="stop">Set when no other follows.</param>
    async Task WriteAllAsync(NetworkStream stream, Task acks, CancellationToken ended, CancellationToken stop)
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
                if (await Task.WhenAny(moved, acks).WaitAsync(ended) == acks && options.Acks && !moved.IsCompleted)
                {
                    await acks;
                    throw new IOException("The gateway closed the connection.");
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
            lock (_lock)
                if (options.Acks) _unacked.Enqueue(frame);
            _batch.Write(frame.Span);
            if (!options.Acks) Interlocked.Increment(ref _acked);
            if (_batch.WrittenCount >= BatchBytes) await FlushAsync(stream, ended);
        }
        _batch.Write(options.Tail.Span);
        await FlushAsync(stream, ended);
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
        await stream.WriteAsync(_batch.WrittenMemory, stop);
        BytesSent += _batch.WrittenCount;
        _batch.ResetWrittenCount();
        if (options.Acks) return;
        Interlocked.Exchange(ref _progressAt, time.GetTimestamp());
        window.Acknowledge(index, Acked);
    }

    /// <summary>Reads lines <c>ACK n</c> until the gateway hangs up; n counts the frames of this connection.</summary>
    async Task ReadAcksAsync(NetworkStream stream, long before, CancellationToken stop)
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            if (!line.StartsWith("ACK ", StringComparison.Ordinal) || !long.TryParse(line.AsSpan(4), out var n))
                throw new LeanPipeException("cli.unknown_answer", $"The gateway at {options.Gateway} answered with {line.Length} characters that are no acknowledgement. Is this the stream's port?");
            lock (_lock)
                while (_acked < before + n && _unacked.TryDequeue(out _)) _acked++;
            Interlocked.Exchange(ref _progressAt, time.GetTimestamp());
            window.Acknowledge(index, Acked);
        }
    }
}
