using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary><c>housekeeping.yaml</c> of the configuration folder. The format is docs/specs/housekeeping.md.</summary>
public static class HousekeepingDocument
{
    public const string FileName = "housekeeping.yaml";

    static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    public static DocumentResult<HousekeepingPolicy> Load(string path) => Files.Read(path, out var text) is { } missing ? new(null, [missing]) : Parse(path, text);

    public static DocumentResult<HousekeepingPolicy> Parse(string path, string yaml)
    {
        var errors = new ErrorList(path);
        if (YamlReader.ReadMap(yaml, errors) is not { } root) return errors.Result<HousekeepingPolicy>(null);
        var map = new MapReader(root, "document", errors);
        var keeping = map.Require("housekeeping") is { } node ? map.AsMap(node, "housekeeping", "housekeeping") : null;
        map.Finish();
        if (keeping is null) return errors.Result<HousekeepingPolicy>(null);
        var none = new HousekeepingPolicy();
        var policy = new HousekeepingPolicy
        {
            Schedule = keeping.Text("schedule")?.Text,
            Raw = Age(keeping, "raw", none.Raw),
            Rejected = Age(keeping, "rejected", none.Rejected),
            Frames = Age(keeping, "frames", none.Frames),
            Replays = Age(keeping, "replays", none.Replays),
            Runs = Age(keeping, "runs", none.Runs),
            Attempts = Age(keeping, "attempts", none.Attempts),
            Cache = Age(keeping, "cache", none.Cache),
            TableVersions = Age(keeping, "table_versions", none.TableVersions),
            CompactToBytes = IsNever(keeping, "compact_to") ? null : keeping.Size("compact_to", 1 << 20, 5L << 30) ?? none.CompactToBytes,
            ColdStorage = keeping.Text("cold_storage")?.Text,
            ColdClass = StorageClass(keeping, errors),
        };
        keeping.Finish();
        return errors.Result(policy);
    }

    static TimeSpan? Age(MapReader map, string key, TimeSpan? otherwise) => IsNever(map, key) ? null : map.Duration(key, Longest) ?? otherwise;

    /// <summary>Where cold_storage is given too, it is not known what is meant.</summary>
    static string? StorageClass(MapReader map, ErrorList errors)
    {
        if (map.Text("cold_class") is not { } text) return null;
        if (map.Has("cold_storage")) errors.Add(text.At, "'cold_class' and 'cold_storage' are both given; write one: another class in the same bucket, or another place.");
        else if (text.Text is "GLACIER" or "DEEP_ARCHIVE") errors.Add(text.At, $"'cold_class' is '{text.Text}', whose objects cannot be read until somebody restores them; expected one that can be read at once, such as GLACIER_IR or STANDARD_IA.");
        else if (text.Text.Length is 0 or > 64 || text.Text.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))) errors.Add(text.At, $"'cold_class' is '{text.Text}'; expected the name of a storage class, such as GLACIER_IR or STANDARD_IA.");
        return text.Text;
    }

    static bool IsNever(MapReader map, string key) => map.Take(key) is TextNode { Text: "never" };
}
