using System.IO.Pipelines;
using System.Threading.Channels;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Network;

namespace LeanPipe.Gateway.Intake;

/// <summary>Writes the lines <c>ACK n</c> of one connection (docs/specs/wire.md): n frames are on disk, or in the lake, as the stream's document asks for.</summary>
/// <remarks>One line at most for a commit or an upload: while one is awaited, newer counts replace each other.</remarks>
sealed class Acknowledgements(StreamIntake stream, GatewayOptions options, TimeProvider time, PipeWriter output)
{
    readonly AckMode _mode = stream.Definition.Ack;
    readonly Channel<(long Frames, LogBatch Batch)> _newest = Channel.CreateBounded<(long, LogBatch)>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long _lastAppend;

    /// <summary>Whether the peer has ended its side and did not take its acknowledgements in time, so that some were given up.</summary>
    public bool AreUnread { get; private set; }

    /// <summary>So many frames of the connection are in the log when the batch is durable.</summary>
    public void Appended(long frames, LogBatch batch)
    {
        if (_mode == AckMode.None) return;
        Interlocked.Exchange(ref _lastAppend, time.GetTimestamp());
        _newest.Writer.TryWrite((frames, batch));
    }

    /// <summary>The peer sends nothing more.</summary>
    public void Complete()
    {
        _newest.Writer.TryComplete();
        _ended.TrySetResult();
    }

    /// <summary>Ends when everything is acknowledged, or nobody is there to be told.</summary>
    /// <param name="draining">Set when the gateway shuts down; then a store that does not answer is not waited for.</param>
    public async Task RunAsync(CancellationToken draining)
    {
        if (_mode == AckMode.None) return;
        var line = new byte[32];
        "ACK "u8.CopyTo(line);
        long acknowledged = 0;
        try
        {
            await foreach (var (frames, batch) in _newest.Reader.ReadAllAsync(CancellationToken.None))
            {
                await batch.Durable;
                if (_mode == AckMode.Stored && !await IsStoredAsync(batch.End, draining)) return;
                if (frames == acknowledged) continue;
                acknowledged = frames;
                frames.TryFormat(line.AsSpan(4), out var digits);
                line[4 + digits] = (byte)'\n';
                if (!await WriteAsync(line.AsMemory(0, 5 + digits))) return;
            }
        }
        catch (Exception e) when (e is LogException or OperationCanceledException || ConnectionEnd.ReasonOf(e) is not null)
        {
            // The peer is gone, or the log has failed: it gets no acknowledgement, and asks by sending again. Reading finds the same end by itself.
            return;
        }
    }

    /// <summary>Somebody who still sends may read when it has sent: only a peer that sends nothing more, and takes nothing, is not waited for.</summary>
    /// <returns>False when there is nobody to write to.</returns>
    async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> line)
    {
        var pending = output.WriteAsync(line, CancellationToken.None);
        if (pending.IsCompletedSuccessfully) return !pending.Result.IsCompleted;
        var writing = pending.AsTask();
        if (await Task.WhenAny(writing, _ended.Task) != writing)
        {
            try
            {
                await writing.WaitAsync(stream.Definition.Limits.MaxUnreadTime, time);
            }
            catch (TimeoutException)
            {
                AreUnread = true;
                output.CancelPendingFlush();
            }
        }
        return (await writing) is { IsCompleted: false, IsCanceled: false };
    }

    /// <summary>
    /// A peer that sends on is left to the rules of segments. One that has been silent, or has ended, may be waiting for this very acknowledgement, so its lines are cut now.
    /// </summary>
    async Task<bool> IsStoredAsync(long position, CancellationToken draining)
    {
        var stored = stream.Stored.WhenAsync(position);
        while (!stored.IsCompleted && !_ended.Task.IsCompleted && !draining.IsCancellationRequested)
        {
            var left = options.StoredAckAfter - time.GetElapsedTime(Interlocked.Read(ref _lastAppend));
            if (left <= TimeSpan.Zero) break;
            using var woken = CancellationTokenSource.CreateLinkedTokenSource(draining);
            await Task.WhenAny(stored, _ended.Task, Task.Delay(left, time, woken.Token));
            await woken.CancelAsync();
        }
        stream.Stored.Want(position);
        if (stored.IsCompleted) return true;

        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var deadline = new CancellationTokenSource();
        using var onDeadline = deadline.Token.Register(stopped.SetResult);
        using var onDraining = draining.Register(() => deadline.CancelAfter(options.DrainAtMost));
        return await Task.WhenAny(stored, stopped.Task) == stored;
    }
}
