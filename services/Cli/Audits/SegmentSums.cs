using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Audits;

/// <summary>A window's manifest against the ledgers, and its segments against the manifest.</summary>
static partial class SegmentSums
{
    /// <summary>The manifest lists exactly what every gateway says it has listed.</summary>
    /// <remarks>A ledger that is older than the manifest knows less; then the manifest lists at most what was stored, or nothing can be said.</remarks>
    public static IEnumerable<Break> OfManifest(StreamName stream, string window, WindowManifest? manifest, IReadOnlyList<Ledger> ledgers)
    {
        var key = manifest is null ? LakeLayout.WindowManifest(stream, WindowId.Parse(window), 1) : LakeLayout.WindowManifest(stream, manifest.Window, manifest.Revision);
        var rows = (manifest?.Segments ?? []).GroupBy(s => GatewayOf(s.Key)).ToDictionary(g => g.Key, g => g.Sum(s => s.Rows));
        foreach (var ledger in ledgers.Where(l => l.Listed is not null && !IsOlder(l, window)))
        {
            var (listed, stored, found) = (ledger.Listed!.GetValueOrDefault(window), ledger.Stored?.GetValueOrDefault(window) ?? 0, rows.GetValueOrDefault(ledger.Gateway));
            var isNewer = manifest is not null && manifest.SealedAt > ledger.AsOf;
            if (found < listed || (found > stored && !isNewer))
                yield return new($"manifest of window {window}", $"rows that {ledger.Gateway} has listed = rows of its segments in the manifest", listed, manifest is null ? null : found, key);
        }
    }

    /// <summary>Whether the ledger has the window in a sum, so that what it says of it is not all.</summary>
    public static bool IsOlder(Ledger ledger, string window) => WindowId.Parse(window).Start < ledger.OlderWindows?.Before;

    /// <summary>The windows that a ledger has added up have, all in all, the rows that it says. One that was sealed after the ledger was written may have more.</summary>
    /// <param name="brought">What was brought to each window.</param>
    public static IEnumerable<Break> OfOlder(StreamName stream, IReadOnlyDictionary<string, WindowManifest> brought, IReadOnlyList<Ledger> ledgers)
    {
        foreach (var ledger in ledgers.Where(l => l.OlderWindows is not null))
        {
            var older = brought.Where(w => IsOlder(ledger, w.Key)).Select(w => w.Value).ToList();
            var found = older.SelectMany(m => m.Segments).Where(s => GatewayOf(s.Key) == ledger.Gateway).Sum(s => s.Rows);
            var listed = ledger.OlderWindows!.Records + ledger.Listed!.Where(w => IsOlder(ledger, w.Key)).Sum(w => w.Value);
            if (found < listed || (found > listed && older.TrueForAll(m => m.SealedAt <= ledger.AsOf)))
                yield return new($"manifests of windows before {ledger.OlderWindows.Before:yyyy-MM-ddTHH:mm}", $"rows that {ledger.Gateway} has listed in them = rows of its segments", listed, found, LakeLayout.Ledger(stream, ledger.Gateway));
        }
    }

    /// <summary>Every segment is there, as long as the manifest says; with <paramref name="read"/> its contents are those that were written.</summary>
    public static async IAsyncEnumerable<Break> OfSegmentsAsync(
        IObjectStore store, WindowManifest manifest, bool read, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var segment in manifest.Segments)
        {
            var place = $"segment of window {manifest.Window}";
            var size = await store.SizeAsync(segment.Key, stop);
            if (size != segment.Bytes)
            {
                yield return new(place, "bytes of the segment", segment.Bytes, size, segment.Key);
                continue;
            }
            if (!read || await store.GetAsync(segment.Key, stop) is not { } bytes) continue;
            var lines = bytes.Span.Count((byte)'\n');
            if (lines != segment.Rows) yield return new(place, "rows of the segment", segment.Rows, lines, segment.Key);
            else if (Convert.ToHexStringLower(SHA256.HashData(bytes.Span)) != segment.Sha256) yield return new(place, "the segment's SHA-256 is as written (1 = it is)", 1, 0, segment.Key);
        }
    }

    /// <summary>The gateway and the position of the first line, as a segment's name has them: id, log, position. Another name is a gateway of its own.</summary>
    public static (string Gateway, long Position) NameOf(string key)
    {
        var name = key[(key.LastIndexOf('/') + 1)..];
        return SegmentName().Match(name) is { Success: true } match ? (match.Groups[1].Value, long.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture)) : (name, 0);
    }

    static string GatewayOf(string key) => NameOf(key).Gateway;

    [GeneratedRegex(@"^(.+)-[0-9a-f]{16}-([0-9]{20})\.ndjson", RegexOptions.CultureInvariant)]
    private static partial Regex SegmentName();
}
