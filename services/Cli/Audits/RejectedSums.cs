using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Audits;

/// <param name="Objects">Below <c>rejected/</c>, of all gateways.</param>
/// <param name="Taken">Objects that housekeeping took on purpose.</param>
sealed record RejectedAudit(int Objects, long Bytes, int Taken);

/// <summary>The objects of rejects against what each gateway says it has stored, window of arrival by window of arrival.</summary>
/// <remarks>
/// An object is counted when its first line stands before the position that the ledger was made at: what came later is in no sum of the ledger. While all rejects of a window are stored by then, its objects must be exactly those;
/// otherwise at least. Windows that the ledger has added up are compared as one.
/// </remarks>
sealed class RejectedSums(IObjectStore store, StreamName stream, bool read)
{
    readonly List<Break> _breaks = [];

    public static async Task<(RejectedAudit Audit, IReadOnlyList<Break> Breaks)> ReadAsync(IObjectStore store, StreamName stream, IReadOnlyList<Ledger> ledgers, bool read, CancellationToken stop)
    {
        var objects = new SortedDictionary<string, ListedReject>(StringComparer.Ordinal);
        await foreach (var item in store.ListAsync(LakeLayout.RejectedOf(stream), stop)) objects[item.Key] = new(item.Key, item.Bytes, IsTaken: false);

        // Said before an object goes, so it is asked for behind the listing. What is there is not taken yet.
        await foreach (var taken in HousekeepingPass.TakenAsync(store, LakeLayout.RejectedOf(stream), stop)) objects.TryAdd(taken.Key, new(taken.Key, taken.Bytes, IsTaken: true));
        var sums = new RejectedSums(store, stream, read);
        foreach (var ledger in ledgers) await sums.CompareAsync(ledger, [.. objects.Values], stop);
        var there = objects.Values.Where(o => !o.IsTaken).ToList();
        return (new(there.Count, there.Sum(o => o.Bytes), objects.Count - there.Count), sums._breaks);
    }

    async Task CompareAsync(Ledger ledger, IReadOnlyList<ListedReject> objects, CancellationToken stop)
    {
        if (ledger is not { ByArrival: { } arrivals, UpTo: { } upTo }) return;
        var windows = arrivals.ToDictionary(a => FolderOf(a.Window!));
        var older = ledger.OlderArrivals ?? new() { Stored = new(0, 0, 0, new('0', 64)) };
        var found = objects.Where(o => SegmentSums.NameOf(o.Key) is var name && name.Gateway == ledger.Gateway && name.Position < upTo).ToLookup(o => windows.GetValueOrDefault(o.Folder, older));
        await CompareAsync($"older windows of rejects of {ledger.Gateway}", LakeLayout.RejectedOf(stream), older, [.. found[older]], stop);
        foreach (var arrival in arrivals) await CompareAsync($"rejects of {ledger.Gateway} that arrived in {arrival.Window}", FolderOf(arrival.Window!), arrival, [.. found[arrival]], stop);
    }

    async Task CompareAsync(string place, string folder, ArrivalLedger arrival, IReadOnlyList<ListedReject> objects, CancellationToken stop)
    {
        // A gateway that did not count them stored some.
        if (arrival.Stored is not { } stored) return;
        var isWhole = stored.Rows == arrival.Rejects;
        var key = objects.Count == 1 && stored.Objects == 1 ? objects[0].Key : folder;
        var before = _breaks.Count;
        Compare(place, "objects of rejects, by the ledger = below this prefix", stored.Objects, objects.Count, isWhole, key);
        Compare(place, "bytes of these objects", stored.Bytes, objects.Sum(o => o.Bytes), isWhole, key);
        if (_breaks.Count > before || !read || objects.Any(o => o.IsTaken)) return;

        var (rows, wireBytes, digest) = (0L, 0L, new byte[32]);
        foreach (var item in objects)
        {
            if (await store.GetAsync(item.Key, stop) is not { } content) return;
            var sha256 = SHA256.HashData(content.Span);
            for (var i = 0; i < digest.Length; i++) digest[i] ^= sha256[i];
            if (Read(content.Span, ref rows, ref wireBytes) is { } line) _breaks.Add(new(place, "lines that say what was rejected", line, line - 1, item.Key));
        }
        Compare(place, "rejects, by the ledger = lines of these objects", stored.Rows, rows, isWhole, key);
        if (isWhole) Compare(place, "bytes of rejected frames, by the ledger = by their lines", arrival.BytesRejected, wireBytes, isExact: true, key);
        if (isWhole && _breaks.Count == before && Convert.ToHexStringLower(digest) != stored.Digest) _breaks.Add(new(place, "the objects' SHA-256 are as written (1 = they are)", 1, 0, key));
    }

    void Compare(string place, string claim, long expected, long found, bool isExact, string key)
    {
        if (found < expected || (isExact && found > expected)) _breaks.Add(new(place, claim, expected, found, key));
    }

    /// <returns>The number of the first line that is no reject; null when all are.</returns>
    static long? Read(ReadOnlySpan<byte> content, ref long rows, ref long wireBytes)
    {
        for (long number = 1; !content.IsEmpty; number++)
        {
            var end = content.IndexOf((byte)'\n');
            try
            {
                wireBytes += JsonSerializer.Deserialize(end < 0 ? content : content[..end], RejectedJson.Default.RejectedLine)!.Bytes;
            }
            catch (JsonException)
            {
                return number;
            }
            rows++;
            content = end < 0 ? default : content[(end + 1)..];
        }
        return null;
    }

    string FolderOf(string window) => ListedReject.FolderOf(LakeLayout.Rejected(stream, WindowId.Parse(window), ""));

    sealed record ListedReject(string Key, long Bytes, bool IsTaken)
    {
        public string Folder { get; } = FolderOf(Key);

        public static string FolderOf(string key) => key[..(key.LastIndexOf('/') + 1)];
    }
}

/// <summary>What the audit wants of a line that the gateway has written about a reject.</summary>
/// <param name="Bytes">Of the frame on the wire.</param>
sealed record RejectedLine(string Code, long Bytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RejectedLine))]
sealed partial class RejectedJson : JsonSerializerContext;
