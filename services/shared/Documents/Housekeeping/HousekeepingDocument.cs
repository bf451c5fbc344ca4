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
            Runs = Age(keeping, "runs", none.Runs),
            Attempts = Age(keeping, "attempts", none.Attempts),
            Cache = Age(keeping, "cache", none.Cache),
            TableVersions = Age(keeping, "table_versions", none.TableVersions),
            CompactToBytes = IsNever(keeping, "compact_to") ? null : keeping.Size("compact_to", 1 << 20, 5L << 30) ?? none.CompactToBytes,
            ColdStorage = keeping.Text("cold_storage")?.Text,
        };
        keeping.Finish();
        return errors.Result(policy);
    }

    static TimeSpan? Age(MapReader map, string key, TimeSpan? otherwise) => IsNever(map, key) ? null : map.Duration(key, Longest) ?? otherwise;

    static bool IsNever(MapReader map, string key) => map.Take(key) is TextNode { Text: "never" };
}
