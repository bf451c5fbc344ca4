using System.Threading.Channels;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Shipping;

/// <summary>The one loop that moves what is durable in the log to the lake: cut, upload, seal, truncate.</summary>
sealed class Shipper(
    WriteAheadLog log, GatewayState state, Cutting cutting, Uploader uploader, Sealer sealer, IReadOnlyDictionary<int, StreamIntake> intakes, GatewayOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>How late age, idleness and quiet are noticed.</summary>
    static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Called for each window that was sealed.</summary>
    public Action<WindowSealed>? Sealed { get; set; }

    public void Wake() => _wake.Writer.TryWrite(true);

    public async Task RunAsync(CancellationToken stopping)
    {
        await using var timer = time.CreateTimer(_ => Wake(), null, TimeSpan.Zero, Tick);
        try
        {
            while (await _wake.Reader.ReadAsync(stopping)) await TryPassAsync(stopping);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // Whatever call was cut off is repeated by the drain, or after the next start.
            return;
        }
    }

    /// <summary>At shutdown: everything into the lake, open windows left open, and the ledgers.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        await CutAsync(everything: true);
        await UploadAsync(cancellationToken);
        foreach (var stream in intakes.Values) await sealer.PutLedgerAsync(stream.Definition.Name, cancellationToken);
        await TruncateAsync();
    }

    async Task TryPassAsync(CancellationToken cancellationToken)
    {
        try
        {
            await PassAsync(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not LogException)
        {
            // The next tick tries again; the log keeps everything meanwhile.
            logger.ShippingFailed(e);
        }
        catch (LogException)
        {
            // The log has said so itself and the gateway stops.
            return;
        }
    }

    async Task PassAsync(CancellationToken cancellationToken)
    {
        var due = DueSeals();
        await CutAsync(everything: false);
        await UploadAsync(cancellationToken);
        foreach (var (lane, reason) in due)
            if (CanSeal(lane)) await TrySealAsync(lane, reason, cancellationToken);
        await TruncateAsync();
        log.CheckRoom();
    }

    /// <summary>A window that cannot be sealed does not keep the others from it.</summary>
    async Task TrySealAsync(Lane lane, string reason, CancellationToken cancellationToken)
    {
        try
        {
            Sealed?.Invoke(await sealer.SealAsync(lane, intakes[lane.Key.Stream], reason, cancellationToken));
        }
        catch (LeanPipeException e) when (e is not LogException)
        {
            logger.ShippingFailed(e);
        }
    }

    List<(Lane Lane, string Reason)> DueSeals()
    {
        var now = time.GetUtcNow();
        lock (state.Sync)
        {
            var due = new List<(Lane, string)>();
            foreach (var lane in state.Active)
                if (intakes.ContainsKey(lane.Key.Stream) && (lane.Sealing?.Reason ?? cutting.SealReason(state, lane, now)) is { } reason) due.Add((lane, reason));
            due.Sort((a, b) => a.Item1.Key.WindowTicks.CompareTo(b.Item1.Key.WindowTicks));
            return due;
        }
    }

    bool CanSeal(Lane lane)
    {
        lock (state.Sync) return lane.Sealing is not null || lane.Unlisted.Count > 0;
    }

    async Task CutAsync(bool everything)
    {
        List<CutEntry> cuts;
        lock (state.Sync)
        {
            // A log that grows although the store takes everything holds young lanes: they are cut before their time.
            everything |= log.Bytes > options.MaxLogBytes / 2 && state.Active.All(l => l.Pending.Count == 0);
            cuts = cutting.DueCuts(state, time.GetUtcNow(), everything);
        }
        var recorded = Task.CompletedTask;
        foreach (var cut in cuts) recorded = log.AppendAsync(EntryKind.Cut, cut, LogJson.Default.CutEntry);
        await recorded;
    }

    async Task UploadAsync(CancellationToken cancellationToken)
    {
        List<(PendingCut, StreamName)> pending;
        lock (state.Sync)
            pending = [.. state.Active.SelectMany(l => l.Pending).OrderBy(p => p.Extents[0].Position).Select(p => (p, state.Streams[p.Lane.Stream].Name))];
        await uploader.UploadAsync(pending, cancellationToken);
    }

    async Task TruncateAsync()
    {
        long? needed;
        lock (state.Sync) needed = state.OldestNeeded;
        await log.TruncateAsync(needed);
    }
}
