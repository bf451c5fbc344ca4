using System.Buffers;
using System.Threading.Channels;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Intake;

/// <summary>Decodes and validates the frames of streams that validate after writing, with the code and the clock that would have judged them at once.</summary>
/// <remarks>
/// The order is the guarantee: frames durable (and acknowledged); then, in one batch, what a block of them became and that it is validated. A crash between the two validates the block again, from the same bytes
/// and as of the same time; a torn batch has neither. The log keeps a block until it is validated and stored. Memory is needed for a block and what it becomes, a step of blocks is on its way to the disk at a time.
/// </remarks>
sealed class BackgroundValidation(WriteAheadLog log, GatewayState state, IReadOnlyDictionary<int, StreamIntake> intakes, GatewayOptions options, GatewayHealth health, TimeProvider time, ILogger logger) : IDisposable
{
    const string Failed = "validation_failed";

    readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly SemaphoreSlim _one = new(1);
    readonly IntakeScratch _scratch = new();

    /// <summary>Of the block before: a connection's blocks mostly follow each other.</summary>
    (FrameIntake Intake, StreamIntake Stream, long Connection, string Peer, string? Client)? _last;

    bool _hasFailed;

    public void Wake() => _wake.Writer.TryWrite(true);

    public void Dispose() => _one.Dispose();

    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (await _wake.Reader.ReadAsync(stopping)) await CatchUpAsync(stopping);
        }
        catch (Exception e) when (e is LogException || stopping.IsCancellationRequested)
        {
            // What is not validated is, by the drain or after the next start.
            return;
        }
    }

    /// <summary>Validates everything that has been read; when no connection reads any more, nothing is left but frames of streams without a document.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        foreach (var stream in intakes.Values) await stream.Synced.WaitAsync(cancellationToken);
        await CatchUpAsync(cancellationToken);
    }

    /// <summary>Validates everything that is durable now; frames of a stream without a document stay.</summary>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            while (Step() is { } last) await last.Durable.WaitAsync(cancellationToken);
            if (_hasFailed) health.Clear(Failed);
            _hasFailed = false;
        }
        catch (Exception e) when (e is not (LogException or OperationCanceledException))
        {
            // The frames stay in the log, and their segments go to the lake.
            logger.ValidationFailed(e);
            _hasFailed = true;
            health.Raise(Failed, $"Frames that are written cannot be validated: {e.Message}");
        }
        finally
        {
            _one.Release();
        }
    }

    /// <returns>The batch with the last of what the step's blocks became; null when nothing was left.</returns>
    LogBatch? Step()
    {
        LogBatch? last = null;
        foreach (var (stream, block) in NextBlocks()) last = Judge(stream, block);
        return last;
    }

    List<(StreamIntake Stream, UnjudgedBlock Block)> NextBlocks()
    {
        var next = new List<(StreamIntake, UnjudgedBlock)>();
        lock (state.Sync)
        {
            foreach (var stream in intakes.Values)
            {
                long bytes = 0;
                foreach (var block in state.Streams[stream.Number].Unjudged.Blocks)
                {
                    next.Add((stream, block));
                    bytes += block.Block.Bytes;
                    if (bytes >= options.Buffers.ValidationStepBytes) break;
                }
            }
        }
        return next;
    }

    LogBatch Judge(StreamIntake stream, UnjudgedBlock block)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(block.Block.Bytes);
        try
        {
            var bytes = buffer.AsSpan(0, block.Block.Bytes);
            log.Read(bytes, block.Block.Position);
            var frames = KeptFrames.Read(bytes, out _);
            var intake = IntakeOf(stream, frames);
            intake.Judge(frames, _scratch);
            return log.Append((stream.Number, block, _scratch, intake.Arrival), static (batch, j) =>
            {
                IntakeEntries.WriteRead(batch, j.Number, j.block.Connection, j.block.Received, j.block.Blank, j.Arrival);
                IntakeEntries.WriteRuns(batch, j.Number, j.block.Connection, j._scratch.Runs, j._scratch.Rewritten.WrittenSpan, default);
                new JudgedEntry(j.Number, j.block.Block.Position + 1).Write(batch.Add(EntryKind.Judged, JudgedEntry.Bytes));
            });
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    FrameIntake IntakeOf(StreamIntake stream, KeptFrames frames)
    {
        if (_last is { } last && last.Stream == stream && last.Connection == frames.Connection && last.Peer == frames.Peer && last.Client == frames.Client) return last.Intake;
        var intake = new FrameIntake(stream, options, time, frames.Connection, frames.Peer, frames.Client);
        _last = (intake, stream, frames.Connection, frames.Peer, frames.Client);
        return intake;
    }
}
