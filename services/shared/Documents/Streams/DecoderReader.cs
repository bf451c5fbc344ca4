using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>How a frame becomes a record: <c>json</c>, or a map with the one key <c>csv</c>.</summary>
static class DecoderReader
{
    public static DecoderDefinition Read(YamlNode? node, RecordType? schema, ErrorList errors)
    {
        var json = new JsonDecoderDefinition();
        switch (node)
        {
            case null or TextNode { Text: "json" }:
                return json;
            case TextNode { Text: "csv" }:
                errors.Add(node.At, "The csv decoder has no columns; expected { csv: { columns: [a, b] } }.");
                return json;
            case MapNode map:
                var reader = new MapReader(map, "decoder", errors);
                var decoder = reader.Map("csv", "csv decoder") is { } csv ? Csv(csv, schema, errors) : null;
                reader.Finish();
                return decoder ?? (DecoderDefinition)json;
            default:
                errors.Add(node.At, $"'decoder' is {node.Shape}; {Suggestion.For(node is TextNode text ? text.Text : "", ["json", "csv"])}");
                return json;
        }
    }

    static CsvDecoderDefinition? Csv(MapReader map, RecordType? schema, ErrorList errors)
    {
        var columns = map.Texts("columns");
        var header = map.Flag("header") ?? false;
        var delimiter = Delimiter(map, errors);
        var constants = Constants(map.Take("constants"), errors);
        map.Finish();
        if (columns is null)
        {
            errors.Add(map.At, "The csv decoder has no 'columns'; it needs the field names in the order of the cells.");
            return null;
        }
        if (schema is not null) Match(columns, constants, schema, map, errors);
        return new([.. columns.Select(c => c.Text)], header, delimiter, constants.Count == 0 ? null : constants.ToDictionary(c => c.Key.Text, c => c.Value.Text));
    }

    static char Delimiter(MapReader map, ErrorList errors)
    {
        if (map.Text("delimiter") is not { } text) return ',';
        if (text.Text is "tab" or "\t") return '\t';
        if (text.Text.Length == 1 && char.IsAscii(text.Text[0]) && text.Text[0] is not ('"' or '\r' or '\n') && !char.IsAsciiLetterOrDigit(text.Text[0])) return text.Text[0];
        errors.Add(text.At, $"'delimiter' is '{text.Text}'; expected one ASCII character such as ',' or ';', or the word tab.");
        return ',';
    }

    static List<(TextNode Key, TextNode Value)> Constants(YamlNode? node, ErrorList errors)
    {
        var constants = new List<(TextNode, TextNode)>();
        if (node is null) return constants;
        if (node is not MapNode map)
        {
            errors.Add(node.At, $"'constants' is {node.Shape}; expected a map of field names to values.");
            return constants;
        }
        foreach (var (key, value) in map.Entries)
        {
            if (value is TextNode { IsNull: false } text) constants.Add((key, text));
            else errors.Add(value.At, $"The constant '{key.Text}' is {value.Shape}; expected a text.");
        }
        return constants;
    }

    static void Match(IReadOnlyList<TextNode> columns, List<(TextNode Key, TextNode Value)> constants, RecordType schema, MapReader map, ErrorList errors)
    {
        var given = new HashSet<string>();
        foreach (var name in columns.Concat(constants.Select(c => c.Key)))
        {
            var field = schema.Fields.FirstOrDefault(f => f.Name == name.Text);
            if (field is null) errors.Add(name.At, $"'{name.Text}' is no field of the schema; {Suggestion.For(name.Text, schema.Fields.Select(f => f.Name).Except(given))}");
            else if (field.Type is ListType or RecordType) errors.Add(name.At, $"The field '{name.Text}' is a list or a record, which a CSV cell cannot hold; use the json decoder.");
            if (!given.Add(name.Text)) errors.Add(name.At, $"The field '{name.Text}' is given twice; keep one of them.");
        }
        foreach (var field in schema.Fields.Where(f => f.Required && !given.Contains(f.Name)))
            errors.Add(map.At, $"The required field '{field.Name}' is neither a column nor a constant; add it to one of them, or mark it '{field.Name}?'.");
    }
}
