using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A pipeline's parameters: a text is a default whose type shows in how it is written, a map gives the type and perhaps a default.</summary>
static class ParamReader
{
    static readonly Dictionary<string, ParamType> Types = new()
    {
        ["string"] = ParamType.String,
        ["int64"] = ParamType.Int64,
        ["float64"] = ParamType.Float64,
        ["bool"] = ParamType.Bool,
        ["timestamp"] = ParamType.Timestamp,
    };

    public static IReadOnlyList<ParamDefinition> Read(YamlNode? node, ErrorList errors)
    {
        if (node is null) return [];
        if (node is not MapNode map)
        {
            errors.Add(node.At, $"'params' is {node.Shape}; expected a map of names to defaults.");
            return [];
        }
        var parameters = new List<ParamDefinition>();
        foreach (var (key, value) in map.Entries)
        {
            if (!Name.IsValid(key.Text)) errors.Add(key.At, $"The parameter's name is '{key.Text}'; expected {Name.Rule}.");
            if (value is TextNode { IsNull: false } text) parameters.Add(new(key.Text, Guess(text), text.Text));
            else if (value is MapNode settings) parameters.Add(Typed(key, settings, errors));
            else errors.Add(value.At, $"The parameter '{key.Text}' is {value.Shape}; expected a default, or {{ type: …, default: … }}.");
        }
        return parameters;
    }

    static ParamDefinition Typed(TextNode key, MapNode settings, ErrorList errors)
    {
        var map = new MapReader(settings, $"parameter '{key.Text}'", errors);
        var type = map.Choice("type", Types) ?? ParamType.String;
        var value = map.Text("default");
        map.Finish();
        if (value is not null && !Fits(value.Text, type))
            errors.Add(value.At, $"The default of '{key.Text}' is '{value.Text}', which is no {type.ToString().ToLowerInvariant()}.");
        return new(key.Text, type, value?.Text);
    }

    static ParamType Guess(TextNode text) => text switch
    {
        { Quoted: true } => ParamType.String,
        { Text: "true" or "false" } => ParamType.Bool,
        _ when Fits(text.Text, ParamType.Int64) => ParamType.Int64,
        _ when Fits(text.Text, ParamType.Float64) => ParamType.Float64,
        _ => ParamType.String,
    };

    static bool Fits(string text, ParamType type) => type switch
    {
        ParamType.Int64 => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        ParamType.Float64 => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number),
        ParamType.Bool => text is "true" or "false",
        ParamType.Timestamp => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _),
        _ => true,
    };
}
