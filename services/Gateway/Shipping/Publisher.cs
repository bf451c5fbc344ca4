using System.Text.Json;
using System.Threading.Channels;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Shipping;

/// <summary>Hands an event to the sidecar and returns when the sidecar has it.</summary>
delegate Task PublishWindowSealed(ReadOnlyMemory<byte> json, CancellationToken cancellationToken);

/// <summary>Publishes each sealed revision until the sidecar acknowledges it, then records that. A crash between the two publishes it again: at least once, in the order of windows.</summary>
sealed class Publisher(WriteAheadLog log, GatewayState state, PublishWindowSealed publish, GatewayHealth health, ILogger logger, Retries retries)
{
    readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Called for each event that the sidecar has.</summary>
    public Action<WindowSealed>? Published { get; set; }

    public void Wake() => _wake.Writer.TryWrite(true);

    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await PublishAllAsync(stopping);
                await _wake.Reader.ReadAsync(stopping);
            }
        }
        catch (Exception e) when (e is LogException || stopping.IsCancellationRequested)
        {
            // What is not recorded as published is published after the next start.
            return;
        }
    }

    public async Task PublishAllAsync(CancellationToken stopping)
    {
        while (Next() is { } next) await PublishAsync(next.Lane, next.Event, stopping);
    }

    async Task PublishAsync(LaneKey lane, WindowSealed sealedWindow, CancellationToken stopping)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(sealedWindow, ContractsJson.Default.WindowSealed);
        await retries.UntilDoneAsync(
            async c =>
            {
                await publish(json, c);
                return true;
            },
            (attempts, e) =>
            {
                health.Raise("sidecar_down", $"The sidecar did not take an event {attempts} times: {e.Message}");
                if (attempts <= 3 || attempts % 20 == 0) logger.PublishFailed(sealedWindow.Stream, sealedWindow.Window, sealedWindow.Revision, e);
            },
            stopping);
        health.Clear("sidecar_down");
        await log.AppendAsync(EntryKind.Published, new(lane, sealedWindow.Revision), LogJson.Default.PublishedEntry);
        Published?.Invoke(sealedWindow);
    }

    (LaneKey Lane, WindowSealed Event)? Next()
    {
        lock (state.Sync)
        {
            var lane = state.Active.Where(l => l.Unpublished.Count > 0).MinBy(l => (l.Key.WindowTicks, l.Key.Stream));
            if (lane is null) return null;
            var (stream, window, revision) = (state.Streams[lane.Key.Stream].Name, lane.Key.Window, lane.Unpublished.Min);
            return (lane.Key, new(stream, window, revision, LakeLayout.WindowManifest(stream, window, revision)));
        }
    }
}
