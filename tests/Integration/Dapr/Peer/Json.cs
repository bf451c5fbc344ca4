using System.Text.Json.Nodes;

namespace LeanPipe.Integration.DaprPeer;

static class Json
{
    /// <summary>The same values under the same names, whatever their order; false and 0 of a stub's object count as absent.</summary>
    public static void Same(string actual, string expected)
    {
        var (a, e) = (Bare(JsonNode.Parse(actual)), Bare(JsonNode.Parse(expected)));
        JsonNode.DeepEquals(a, e).ShouldBeTrue($"was {a?.ToJsonString()}, expected {e?.ToJsonString()}");
    }

    static JsonNode? Bare(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.Where(member => !IsDefault(member.Value)).Select(member => KeyValuePair.Create(member.Key, Bare(member.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Bare)]),
        _ => node?.DeepClone(),
    };

    static bool IsDefault(JsonNode? node) => node is null or JsonArray { Count: 0 } || node.ToJsonString() is "false" or "0" or "\"\"";
}
