using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>Fields that the gateway fills itself: a map of field names to what it knows.</summary>
static class StampReader
{
    static readonly Dictionary<string, StampSource> Sources = new() { ["received_at"] = StampSource.ReceivedAt, ["peer"] = StampSource.Peer, ["client_name"] = StampSource.ClientName };

    public static Dictionary<string, StampSource> Read(YamlNode? node, RecordType? schema, ErrorList errors)
    {
        var stamps = new Dictionary<string, StampSource>();
        if (node is null) return stamps;
        if (node is not MapNode map)
        {
            errors.Add(node.At, $"'stamp' is {node.Shape}; expected a map of field names to {string.Join(", ", Sources.Keys)}.");
            return stamps;
        }
        var reader = new MapReader(map, "stamp", errors);
        foreach (var (key, _) in map.Entries)
        {
            if (reader.Choice(key.Text, Sources) is not { } source) continue;
            stamps[key.Text] = source;
            if (schema is null) continue;
            var field = schema.Fields.FirstOrDefault(f => f.Name == key.Text);
            if (field is null) errors.Add(key.At, $"'{key.Text}' is no field of the schema; {Suggestion.For(key.Text, schema.Fields.Select(f => f.Name))}");
            else if (Problem(field, source) is { } problem) errors.Add(key.At, $"The field '{key.Text}' cannot be stamped: expected {problem}.");
        }
        return stamps;
    }

    static string? Problem(Field field, StampSource source) => source switch
    {
        StampSource.ReceivedAt when field.Type is not TimestampType { Format: null } => "a timestamp without a format",
        StampSource.Peer or StampSource.ClientName when field.Type is not StringType { MinLength: 0, MaxLength: int.MaxValue, Pattern: null } => "a string without rules",
        StampSource.ClientName when field is { Required: true, Nullable: false } => "an optional or nullable field, for a peer may have no certificate",
        _ when field.Default is not null || field.Aliases is not null => "a field without a default and without aliases",
        _ => null,
    };
}
