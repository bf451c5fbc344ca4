using System.Text.Json.Nodes;

namespace LeanPipe.DuckDb;

/// <summary>Finds the rows behind a count, on DuckDB's own tree of the SELECT.</summary>
static class CountedRows
{
    /// <param name="serialized">The SELECT.</param>
    /// <param name="star"><c>SELECT * FROM range(1)</c>, which shows what a star is in the tree.</param>
    /// <returns>The tree of the SELECT with <c>*</c> in the place of its <c>count(*)</c>; null when it is no plain count, so that there are no rows to speak of.</returns>
    public static string? Find(string serialized, string star)
    {
        var tree = JsonNode.Parse(serialized)!;
        if (Select(tree) is not { } node || Select(JsonNode.Parse(star)!) is not { } all) return null;
        if (node["select_list"] is not JsonArray { Count: 1 } columns || !IsCountOfAll(columns[0]!)) return null;
        if (node["group_expressions"] is JsonArray { Count: > 0 } || node["having"] is not null || node["qualify"] is not null || node["modifiers"] is JsonArray { Count: > 0 }) return null;
        node["select_list"] = all["select_list"]!.DeepClone();
        return tree.ToJsonString();
    }

    static JsonNode? Select(JsonNode tree) => tree["statements"] is JsonArray { Count: 1 } statements && statements[0]?["node"] is { } node && (string?)node["type"] == "SELECT_NODE" ? node : null;

    static bool IsCountOfAll(JsonNode column) => (string?)column["class"] == "FUNCTION" && (string?)column["function_name"] is "count_star" or "count" &&
        column["filter"] is null && (bool?)column["distinct"] is not true && column["children"] is JsonArray children && (children.Count == 0 || (string?)children[0]?["class"] == "STAR");
}
