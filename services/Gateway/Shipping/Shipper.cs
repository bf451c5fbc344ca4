using System.Threading.Channels;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Shipping;

/// <summary>The one loop that moves what is durable in the log to the lake: cut, upload, seal, truncate.</summary>
sealed class Shipper(
    WriteAheadLog log, GatewayState state, Cutting cutting, Uploader uploader, Sealer sealer, IReadOnlyDictionary<int, StreamIntake> intakes, GatewayOptions options, GatewayHealth health, TimeProvider time,
    ILogger logger)
{
    /// <summary>How late age, idleness and quiet are noticed.</summary>
    static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    readonly Dictionary<LaneKey, (int Count, DateTimeOffset NotBefore)> _sealFailures = [];
    (bool Seal, TaskCompletionSource<DrainReport> Report)? _drain;
    DateTimeOffset _notBefore = DateTimeOffset.MinValue;
    int _failures;

    /// <summary>Done once before the first pass; nothing is cut or uploaded before it has succeeded.</summary>
    public Func<CancellationToken, Task>? Before { get; set; }

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

    /// <summary>Asks the loop to put everything into the lake.</summary>
    /// <param name="seal">Seal open windows, too, whatever the watermark says.</param>
    public async Task<DrainReport> RequestDrainAsync(bool seal, CancellationToken cancellationToken)
    {
        var report = new TaskCompletionSource<DrainReport>(TaskCreationOptions.RunContinuationsAsynchronously);
        _drain = (seal, report);
        Wake();
        return await report.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Everything into the lake, and the ledgers. Not while the loop runs.</summary>
    /// <param name="seal">Seal open windows, too, whatever the watermark says; a gateway that comes back makes its later records revisions.</param>
    public async Task<DrainReport> DrainAsync(bool seal, CancellationToken cancellationToken)
    {
        await BeginAsync(cancellationToken);
        List<(Lane Lane, string Reason)> due = [];
        if (seal)
            lock (state.Sync) due = [.. state.Active.Where(l => l.HasUnlisted && l.Key.HoldsRecords && state.Streams[l.Key.Stream].Settings is not null).OrderBy(l => l.Key.WindowTicks).Select(l => (l, l.Sealing?.Reason ?? "drain"))];
        await CutAsync(everything: true);
        await UploadAsync(cancellationToken);
        AdvanceStored();
        var windows = 0;
        foreach (var (lane, reason) in due)
            if (CanSeal(lane) && await TrySealAsync(lane, reason, cancellationToken)) windows++;
        List<StreamName> streams;
        lock (state.Sync) streams = [.. state.Streams.Select(s => s.Name)];
        foreach (var stream in streams) await sealer.PutLedgerAsync(stream, cancellationToken);
        await TruncateAsync();
        lock (state.Sync)
            return new(
                state.Gateway ?? options.Id, [.. streams.Select(s => s.Value)], state.OldestNeeded is { } oldest ? log.End - oldest : 0, windows,
                state.Active.Count(l => l.HasUnlisted && l.Key.HoldsRecords), state.Active.Sum(l => l.Unpublished.Count));
    }

    async Task TryPassAsync(CancellationToken cancellationToken)
    {
        if (IsBefore(_notBefore)) return;
        try
        {
            await BeginAsync(cancellationToken);
            await PassAsync(cancellationToken);
            if (_drain is { } drain)
            {
                drain.Report.SetResult(await DrainAsync(drain.Seal, cancellationToken));
                _drain = null;
            }
            if (_failures == 0) return;
            _failures = 0;
            health.Clear("shipping_failed");
        }
        catch (LogException e) when (e.Code is "gateway.log_failed" or "gateway.log_closed")
        {
            // The log has said so itself and the gateway stops.
            return;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // The log keeps everything meanwhile.
            logger.ShippingFailed(e);
            health.Raise("shipping_failed", $"Nothing gets from the log into the lake: {e.Message}");
            _notBefore = time.GetUtcNow() + Pause(++_failures);
        }
    }

    async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (Before is null) return;
        await Before(cancellationToken);
        Before = null;
    }

    static TimeSpan Pause(int failures) => TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, failures - 1)));

    /// <summary>Not of an instant that is further away than any pause lasts: then somebody has set the clock back.</summary>
    bool IsBefore(DateTimeOffset instant) => instant - time.GetUtcNow() is { Ticks: > 0 } left && left <= LongestPause;

    async Task PassAsync(CancellationToken cancellationToken)
    {
        var due = DueSeals();
        await CutAsync(everything: false);
        await UploadAsync(cancellationToken);
        AdvanceStored();
        foreach (var (lane, reason) in due)
            if (CanSeal(lane)) _ = await TrySealAsync(lane, reason, cancellationToken);
        FoldOpenWindows();
        await TruncateAsync();
        log.CheckRoom();
    }

    /// <summary>A window that cannot be sealed does not keep the others from it. It is tried again, ever more seldom.</summary>
    async Task<bool> TrySealAsync(Lane lane, string reason, CancellationToken cancellationToken)
    {
        if (_sealFailures.TryGetValue(lane.Key, out var failure) && IsBefore(failure.NotBefore)) return false;
        try
        {
            var window = await sealer.SealAsync(lane, reason, cancellationToken);
            Sealed?.Invoke(window);
            if (_sealFailures.Remove(lane.Key) && _sealFailures.Count == 0) health.Clear("seal_failed");
            return true;
        }
        catch (Exception e) when (e is not LogException && !cancellationToken.IsCancellationRequested)
        {
            logger.ShippingFailed(e);
            _sealFailures[lane.Key] = (failure.Count + 1, time.GetUtcNow() + Pause(failure.Count + 1));
            health.Raise("seal_failed", $"{_sealFailures.Count} windows cannot be sealed, the last one was {lane.Key.Window}: {e.Message}");
            return false;
        }
    }

    /// <summary>Tells those who wait for it how far each stream is in the lake.</summary>
    void AdvanceStored()
    {
        foreach (var stream in intakes.Values)
        {
            long upTo;
            lock (state.Sync) upTo = state.OldestOf(stream.Number) ?? state.End;
            stream.Stored.Advance(upTo);
        }
    }

    void FoldOpenWindows()
    {
        ILookup<int, long> open;
        lock (state.Sync) open = state.Active.Where(l => l.Key.HoldsRecords && l.HasUnlisted).ToLookup(l => l.Key.Stream, l => l.Key.WindowTicks);
        foreach (var stream in intakes.Values) stream.Windows.Fold(open[stream.Number]);
    }

    List<(Lane Lane, string Reason)> DueSeals()
    {
        var now = time.GetUtcNow();
        lock (state.Sync)
        {
            var due = new List<(Lane, string)>();
            foreach (var lane in state.Active)
                if ((lane.Sealing?.Reason ?? cutting.SealReason(state, lane, now)) is { } reason) due.Add((lane, reason));
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
        long needed;
        lock (state.Sync) needed = state.NeededFrom;
        await log.TruncateAsync(needed);
    }
}
