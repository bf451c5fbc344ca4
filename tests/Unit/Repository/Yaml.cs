using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace LeanPipe.Unit.Repository;

/// <summary>YAML as JSON's nodes; every scalar is a string, as it is written.</summary>
static class Yaml
{
    static readonly IDeserializer Plain = new DeserializerBuilder().Build();
    static readonly ISerializer Json = new SerializerBuilder().JsonCompatible().Build();

    /// <summary>Those of one file; empty ones are left out.</summary>
    public static IEnumerable<JsonNode> Documents(string text)
    {
        var parser = new Parser(new StringReader(text));
        parser.Consume<StreamStart>();
        while (parser.Accept<DocumentStart>(out _))
            if (Plain.Deserialize<object?>(parser) is { } document) yield return JsonNode.Parse(Json.Serialize(document))!;
    }

    /// <summary>The items of a list; none where there is no list.</summary>
    public static IEnumerable<JsonNode> Items(this JsonNode? list) => list is JsonArray items ? items.Select(i => i!) : [];

    /// <summary>The fields of an object whose values are text.</summary>
    public static Dictionary<string, string> Texts(this JsonNode? map) =>
        map is JsonObject fields ? fields.Where(f => f.Value is JsonValue).ToDictionary(f => f.Key, f => f.Value!.GetValue<string>()) : [];
}
