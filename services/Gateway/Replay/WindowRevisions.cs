using System.Globalization;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>The windows of a stream as replays see and change them: manifests by put-if-absent, what replays have made of whole windows, events.</summary>
sealed class WindowRevisions(IObjectStore store, StreamName stream, TimeProvider time)
{
    public const string Reason = "replay";

    public async Task<WindowManifest?> NewestAsync(WindowId window, CancellationToken stop)
    {
        string? newest = null;
        await foreach (var item in store.ListAsync(LakeLayout.WindowRevisions(stream, window), stop)) newest = item.Key;
        return newest is null ? null : await store.GetJsonAsync(newest, ContractsJson.Default.WindowManifest, stop);
    }

    /// <summary>The windows that have a manifest or a record of a replay.</summary>
    public async Task<SortedSet<WindowId>> WindowsAsync(CancellationToken stop)
    {
        var windows = new SortedSet<WindowId>();
        foreach (var prefix in new[] { LakeLayout.Windows(stream), LakeLayout.WindowReplays(stream) })
            await foreach (var folder in store.ListFoldersAsync(prefix, stop)) windows.Add(WindowId.Parse(folder.TrimEnd('/')));
        return windows;
    }

    /// <summary>The newest record of a replay of the whole window and its number, 0 when there is none; the one before, which is in a manifest for sure. Older ones may be gone.</summary>
    public async Task<(WindowReplay? Newest, WindowReplay? Before, int Number)> ReplaysAsync(WindowId window, CancellationToken stop)
    {
        var keys = new List<string>();
        await foreach (var item in store.ListAsync(LakeLayout.WindowReplaysOf(stream, window), stop)) keys.Add(item.Key);
        return (await ReadAsync(keys.Count - 1), await ReadAsync(keys.Count - 2), keys.Count == 0 ? 0 : int.Parse(Path.GetFileNameWithoutExtension(keys[^1]), CultureInfo.InvariantCulture));

        async Task<WindowReplay?> ReadAsync(int index) => index < 0 ? null : await store.GetJsonAsync(keys[index], ContractsJson.Default.WindowReplay, stop);
    }

    /// <summary>The next revision; null when another writer was first.</summary>
    public async Task<WindowManifest?> TryAddAsync(
        WindowId window, WindowManifest? before, (string Schema, IReadOnlyList<SegmentColumn> Columns) schema, IReadOnlyList<ObjectRef> segments, CancellationToken stop)
    {
        var manifest = new WindowManifest
        {
            Stream = stream,
            Window = window,
            Revision = (before?.Revision ?? 0) + 1,
            SealedAt = time.GetUtcNow(),
            Reason = Reason,
            Schema = schema.Schema,
            Columns = schema.Columns,
            Segments = segments,
        };
        var key = LakeLayout.WindowManifest(stream, window, manifest.Revision);
        return await store.PutJsonIfAbsentAsync(key, manifest, ContractsJson.Default.WindowManifest, stop) ? manifest : null;
    }

    /// <summary>The sidecar gets the event of a revision that a replay has sealed, once unless this is stopped between the event and its mark.</summary>
    public async Task TellAsync(WindowManifest manifest, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, ReplayReport report, CancellationToken stop)
    {
        var mark = LakeLayout.ReplayTold(stream, manifest.Window, manifest.Revision);
        if (manifest.Reason != Reason || await store.SizeAsync(mark, stop) is not null) return;
        if (publish is null)
        {
            report.Unpublished++;
            return;
        }
        var told = new WindowSealed(stream, manifest.Window, manifest.Revision, LakeLayout.WindowManifest(stream, manifest.Window, manifest.Revision));
        var json = JsonSerializer.SerializeToUtf8Bytes(told, ContractsJson.Default.WindowSealed);
        await publish(json, stop);
        await store.PutAsync(mark, json, stop);
    }
}
