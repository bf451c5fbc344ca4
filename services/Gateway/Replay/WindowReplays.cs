using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>Makes windows anew by a version of the stream's document, each as a whole, in the place of what their newest manifests list.</summary>
/// <remarks>
/// The order is the guarantee: segments, whose names follow from their contents; the <see cref="WindowReplay"/> under the window's next number, put if absent, which says what it takes the place of; a manifest by put-if-absent
/// that lists the newest one's segments but these, and what was made; the event; the mark that it was told. Nobody writes a number before the one below is in a manifest, and every replay first completes what an earlier one
/// left; a gateway that seals meanwhile only adds, and what it adds stays. So a window's newest manifest holds each record once, whenever this is stopped, and however often it is repeated.
/// </remarks>
sealed class WindowReplays(
    IObjectStore store, StreamDefinition stream, WindowRevisions revisions, FrameReplay frames, RemadeSegments remade, KeptLogs logs, ReplayReport report, TimeProvider time)
{
    readonly RecordReplay _records = new(stream, time);
    readonly FrameSegments _frames = new(store, stream.Name, frames, logs, remade, report);

    public async Task RunAsync(IReadOnlySet<WindowId>? asked, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, Action<ReplayProgress>? progress, CancellationToken stop)
    {
        var windows = new SortedSet<WindowId>((await revisions.WindowsAsync(stop)).Where(w => asked?.Contains(w) != false));
        var listed = new Dictionary<(string Log, WindowId Window), long>();
        foreach (var window in windows)
        {
            if (WindowId.Of(window.Start, stream.Window) != window) throw Moved(window, WindowId.Of(window.Start, stream.Window));
            var (_, brought, number, newest) = await CompletedAsync(window, stop);
            remade.Knows(window, number, newest);
            foreach (var (log, rows) in RowsByLog(brought)) listed[(log, window)] = rows;
        }
        await _frames.RunAsync((log, window) => asked?.Contains(window) != false && logs.SourceOf(log, window, listed.GetValueOrDefault((log, window))) == PartSource.Frames, progress, stop);
        windows.UnionWith(_frames.Windows);
        foreach (var window in windows)
        {
            var newest = await ReplayAsync(window, stop);
            if (newest is not null && !report.DryRun) await revisions.TellAsync(newest, publish, report, stop);
        }
    }

    /// <returns>The newest manifest of the window; null when there is none.</returns>
    async Task<WindowManifest?> ReplayAsync(WindowId window, CancellationToken stop)
    {
        while (true)
        {
            var (manifest, brought, number, newest) = await CompletedAsync(window, stop);
            remade.Knows(window, number, newest);
            if (await MakeAsync(window, manifest, brought, stop) is not { } record) return manifest;
            var (more, revision) = (record.Applied(manifest?.Segments ?? []).Sum(s => s.Rows) - (manifest?.Rows ?? 0), (manifest?.Revision ?? 0) + 1);
            if (report.DryRun)
            {
                report.Windows.Add(new(window, revision, more));
                return manifest;
            }
            if (!await store.PutJsonIfAbsentAsync(LakeLayout.WindowReplay(stream.Name, window, number + 1), record, ContractsJson.Default.WindowReplay, stop)) continue;
            var made = (await CompletedAsync(window, stop)).Manifest;
            report.Windows.Add(new(window, made?.Revision ?? revision, more));
            return made;
        }
    }

    /// <summary>The window when the newest record of it is in its newest manifest.</summary>
    /// <returns>The record in force is the newest, but in a dry run.</returns>
    async Task<(WindowManifest? Manifest, IReadOnlyList<ObjectRef> Brought, int Number, WindowReplay? InForce)> CompletedAsync(WindowId window, CancellationToken stop)
    {
        while (true)
        {
            // The manifest first: then no record that is read is older than it.
            var manifest = await revisions.NewestAsync(window, stop);
            var (newest, before, number) = await revisions.ReplaysAsync(window, stop);
            if (newest is null || newest.IsIn(manifest)) return (manifest, WindowReplay.Brought(manifest?.Segments ?? [], newest), number, newest);
            if (report.DryRun) return (manifest, WindowReplay.Brought(manifest?.Segments ?? [], before), number, before);
            var segments = newest.Applied(manifest?.Segments ?? []);
            var known = newest.Segments.Select(s => s.Object.Key).Concat(newest.Sources.Select(s => s.Key)).ToHashSet();
            var schema = (newest.Schema, newest.Columns);
            // What a gateway has added since is of its own version.
            if (manifest is not null && !segments.All(s => known.Contains(s.Key))) schema = WindowManifest.Newer((manifest.Schema, manifest.Columns), schema);
            await revisions.TryAddAsync(window, manifest, schema, segments, stop);
        }
    }

    /// <returns>Null when the window stays as it is.</returns>
    async Task<WindowReplay?> MakeAsync(WindowId window, WindowManifest? manifest, IReadOnlyList<ObjectRef> brought, CancellationToken stop)
    {
        var (made, rejected) = (new List<RemadeSegment>(), new SortedDictionary<string, long>(StringComparer.Ordinal));
        var fromFrames = new SortedSet<string>(StringComparer.Ordinal);
        var rows = RowsByLog(brought);
        foreach (var log in logs.Names)
        {
            var part = logs.SourceOf(log, window, rows.GetValueOrDefault(log));
            if (part == PartSource.Frames) fromFrames.Add(log);
            if (part != PartSource.Unsettled) continue;
            report.Unsettled.Add(window);
            return null;
        }
        foreach (var source in brought)
        {
            if (KeptLogs.OriginOf(source.Key) is { } origin && fromFrames.Contains(origin.Log)) continue;
            if (await store.GetAsync(source.Key, stop) is not { } content)
            {
                report.Gone.Add(window);
                return null;
            }
            await JudgeAsync(window, source, content, made, rejected, stop);
        }
        foreach (var log in fromFrames) made.AddRange(_frames.Of(log, window));

        var now = (manifest?.Segments ?? []).Select(s => s.Key).ToHashSet();
        var then = made.Select(m => m.Object.Key).ToHashSet();
        foreach (var (code, count) in rejected) report.Rejected[code] = report.Rejected.GetValueOrDefault(code) + count;
        if (now.SetEquals(then) && (manifest is null || WindowManifest.IsAsNew(manifest.Schema, stream.SchemaId)))
        {
            report.Unchanged++;
            return null;
        }
        return new()
        {
            Stream = stream.Name,
            Window = window,
            Schema = stream.SchemaId,
            Columns = frames.Columns,
            At = time.GetUtcNow(),
            Sources = brought,
            Frames = [.. fromFrames],
            Replaces = [.. now.Except(then).Order(StringComparer.Ordinal)],
            Segments = made,
            Rejected = rejected,
        };
    }

    async Task JudgeAsync(WindowId window, ObjectRef source, ReadOnlyMemory<byte> content, List<RemadeSegment> made, SortedDictionary<string, long> rejected, CancellationToken stop)
    {
        var became = new Remade();
        _records.Judge(content.Span, became);
        report.Segments++;
        report.Frames += source.Rows;
        report.Passed += became.Rows;
        foreach (var (code, count) in became.Rejected) rejected[code] = rejected.GetValueOrDefault(code) + count;
        foreach (var (of, (lines, rows)) in became.Windows)
        {
            if (of != window) throw Moved(window, of);
            made.Add(lines.WrittenSpan.SequenceEqual(content.Span) ? new(source.Key, source) : await remade.WriteAsync(source.Key, window, lines.WrittenMemory, rows, stop));
        }
    }

    static Dictionary<string, long> RowsByLog(IReadOnlyList<ObjectRef> segments) => segments.Select(s => (KeptLogs.OriginOf(s.Key)?.Log, s.Rows)).Where(s => s.Log is not null)
        .GroupBy(s => s.Log!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(s => s.Rows), StringComparer.Ordinal);

    LeanPipeException Moved(WindowId window, WindowId to) => new(
        "gateway.replay_moves",
        $"{stream.SchemaId} puts records of window {window} of stream {stream.Name} into {to}: its window or its event time is another one. A replay keeps every record in its window; nothing of this window was changed. Give the version the same window and event time.");
}
