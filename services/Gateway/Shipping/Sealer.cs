using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Shipping;

/// <summary>Makes the stored segments of a window a revision.</summary>
/// <remarks>
/// The order is the guarantee: every segment stored, the intent recorded (revision, reason, time, how many segments), the manifest put if absent, sealed recorded; publishing follows from that record.
/// A crash after the intent makes the same manifest again and finds it there. When another gateway of the stream has taken the revision, its manifest becomes the one to build on, and ours the next.
/// </remarks>
sealed class Sealer(WriteAheadLog log, GatewayState state, PatientStore store, GatewayOptions options, ILogger logger, TimeProvider time)
{
    public async Task<WindowSealed> SealAsync(Lane lane, string reason, CancellationToken cancellationToken)
    {
        var (name, schema, columns, intent, segments) = Plan(lane, reason);
        if (lane.Sealing is null) await RecordAsync(intent);
        while (true)
        {
            var before = intent.Revision == 1 ? null : await ReadAsync(name, lane.Key.Window, intent.Revision - 1, cancellationToken) ?? throw Missing(name, lane.Key.Window, intent.Revision - 1);
            // A replay may have sealed by a newer version than this gateway runs.
            var (newest, read) = before is null ? (schema, columns) : WindowManifest.Newer((before.Schema, before.Columns), (schema, columns));
            var manifest = new WindowManifest
            {
                Stream = name,
                Window = lane.Key.Window,
                Revision = intent.Revision,
                SealedAt = intent.SealedAt,
                Reason = intent.Reason,
                Schema = newest,
                Columns = read,
                Segments = [.. (before?.Segments ?? []).Concat(segments).DistinctBy(s => s.Key)],
            };
            var key = LakeLayout.WindowManifest(name, lane.Key.Window, intent.Revision);
            var isOurs = await store.PutIfAbsentAsync(key, JsonSerializer.SerializeToUtf8Bytes(manifest, ContractsJson.Default.WindowManifest), cancellationToken) ||
                Lists(await ReadAsync(name, lane.Key.Window, intent.Revision, cancellationToken), segments);
            if (isOurs)
            {
                await log.AppendAsync(EntryKind.Sealed, new(lane.Key, intent.Revision), LogJson.Default.SealedEntry);
                logger.WindowSealed(name, lane.Key.Window, intent.Revision, intent.Reason, manifest.Segments.Count, manifest.Rows);
                await PutLedgerAsync(name, cancellationToken);
                return new(name, lane.Key.Window, intent.Revision, key);
            }
            intent = intent with { Revision = intent.Revision + 1 };
            await RecordAsync(intent);
        }
    }

    /// <summary>Puts the stream's ledger into the lake. It follows from the log, so a crash before it costs nothing but its age.</summary>
    public async Task PutLedgerAsync(StreamName stream, CancellationToken cancellationToken)
    {
        Ledger ledger;
        lock (state.Sync)
        {
            var found = state.Find(stream)!;
            ledger = found.ToLedger(state.Gateway ?? options.Id, time.GetUtcNow()) with { UpTo = state.End, StoredFrames = found.StoredFrames($"{log.LogId:x16}", state.End) };
        }
        await store.PutAsync(LakeLayout.Ledger(stream, ledger.Gateway), JsonSerializer.SerializeToUtf8Bytes(ledger, ContractsJson.Default.Ledger), cancellationToken);
    }

    (StreamName Stream, string Schema, IReadOnlyList<SegmentColumn> Columns, SealingEntry Intent, IReadOnlyList<ObjectRef> Segments) Plan(Lane lane, string reason)
    {
        lock (state.Sync)
        {
            var stream = state.Streams[lane.Key.Stream];
            var intent = lane.Sealing ?? new(lane.Key, lane.Revision + 1, reason, time.GetUtcNow(), lane.Unlisted.Count);
            return (stream.Name, stream.Settings?.Schema ?? stream.Name.Value, stream.Settings?.Columns ?? [], intent, [.. lane.Unlisted.Take(intent.Segments)]);
        }
    }

    Task RecordAsync(SealingEntry intent) => log.AppendAsync(EntryKind.Sealing, intent, LogJson.Default.SealingEntry);

    async ValueTask<WindowManifest?> ReadAsync(StreamName stream, WindowId window, int revision, CancellationToken cancellationToken)
    {
        var key = LakeLayout.WindowManifest(stream, window, revision);
        if (await store.GetAsync(key, cancellationToken) is not { } bytes) return null;
        try
        {
            return JsonSerializer.Deserialize(bytes.Span, ContractsJson.Default.WindowManifest);
        }
        catch (JsonException e)
        {
            throw new LeanPipeException("gateway.manifest_broken", $"The manifest '{key}' cannot be read: {e.Message} The next revision builds on it. Restore it; until then the window stays as it is.", isTransient: false, e);
        }
    }

    static LeanPipeException Missing(StreamName stream, WindowId window, int revision) => new(
        "gateway.manifest_missing", $"The manifest '{LakeLayout.WindowManifest(stream, window, revision)}' is gone, and the next revision builds on it. Restore it; until then the window stays as it is.");

    static bool Lists(WindowManifest? manifest, IReadOnlyList<ObjectRef> segments) =>
        manifest is not null && segments.All(s => manifest.Segments.Any(m => m.Key == s.Key));
}
