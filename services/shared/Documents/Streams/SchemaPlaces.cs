using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>Where a field of a schema stands in its document.</summary>
static class SchemaPlaces
{
    /// <summary>The field's key, or the nearest thing around it that is there.</summary>
    /// <param name="path">As in <see cref="SchemaBreak"/>.</param>
    public static Position Find(MapNode root, IReadOnlyList<string> path)
    {
        if (path.Count == 0) return Entry(root, "event_time")?.Key.At ?? root.At;
        var at = Entry(root, "schema")?.Key.At ?? root.At;
        var node = Value(Value(root, "schema"), "fields");
        foreach (var part in path)
        {
            if (part == "[]")
            {
                node = Value(node, "list") ?? node;
                continue;
            }
            var fields = Value(node, "record") ?? node;
            var entry = Entry(fields, part) ?? Entry(fields, part + "?");
            if (entry is null) return at;
            (at, node) = (entry.Key.At, entry.Value);
        }
        return at;
    }

    static YamlNode? Value(YamlNode? node, string key) => Entry(node, key)?.Value;

    static MapEntry? Entry(YamlNode? node, string key) => (node as MapNode)?.Entries.FirstOrDefault(e => e.Key.Text == key);
}
