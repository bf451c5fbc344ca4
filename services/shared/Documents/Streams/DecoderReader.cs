using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>How a frame becomes a record: a word, or a map with the decoder's name as its one key.</summary>
/// <param name="stamped">Fields that the gateway fills, so no decoder needs to.</param>
sealed class DecoderReader(RecordType? schema, IReadOnlyCollection<string> stamped, ErrorList errors)
{
    static readonly string[] Words = ["json", "key_value", "syslog"];
    static readonly string[] Names = ["json", "csv", "key_value", "binary", "regex", "syslog", "raw"];

    static readonly Dictionary<string, SyslogFormat> SyslogFormats = new() { ["any"] = SyslogFormat.Any, ["rfc5424"] = SyslogFormat.Rfc5424, ["rfc3164"] = SyslogFormat.Rfc3164 };

    public DecoderDefinition Read(YamlNode? node)
    {
        var json = new JsonDecoderDefinition();
        switch (node)
        {
            case null or TextNode { Text: "json" }:
                return json;
            case TextNode { IsNull: false } word when Words.Contains(word.Text):
                return Decoder(word.Text, new(new(word.At, []), $"{word.Text} decoder", errors)) ?? (DecoderDefinition)json;
            case TextNode { Text: "csv" }:
                errors.Add(node.At, "The csv decoder has no columns; expected { csv: { columns: [a, b] } }.");
                return json;
            case TextNode { IsNull: false } word when Names.Contains(word.Text):
                errors.Add(node.At, $"The {word.Text} decoder needs settings; expected a map {{ {word.Text}: {{ … }} }}.");
                return json;
            case MapNode { Entries.Count: 1 } map when Names.Skip(1).Contains(map.Entries[0].Key.Text):
                var name = map.Entries[0].Key.Text;
                return new MapReader(map, "decoder", errors).Map(name, $"{name} decoder") is { } inner ? Decoder(name, inner) ?? (DecoderDefinition)json : json;
            case MapNode map:
                var key = map.Entries.FirstOrDefault(e => !Names.Contains(e.Key.Text))?.Key;
                errors.Add(key?.At ?? map.At, key is null ? "The decoder is a map of several; expected one of them." : $"Unknown key '{key.Text}' in the decoder; {Suggestion.For(key.Text, Names.Skip(1))}");
                return json;
            default:
                errors.Add(node.At, $"'decoder' is {node.Shape}; {Suggestion.For(node is TextNode text ? text.Text : "", Names)}");
                return json;
        }
    }

    CellDecoderDefinition? Decoder(string name, MapReader map)
    {
        var constants = Constants(map.Take("constants"));
        var texts = constants.Count == 0 ? null : constants.ToDictionary(c => c.Key.Text, c => c.Value.Text);
        var fields = new DecoderFields(schema, stamped, [.. constants.Select(c => c.Key)], errors);
        CellDecoderDefinition? decoder = name switch
        {
            "csv" => Csv(map, fields, texts),
            "key_value" => KeyValue(map, fields, texts),
            "binary" => new BinaryReader(fields, errors).Read(map, texts),
            "regex" => Regex(map, fields, texts),
            "syslog" => Syslog(map, fields, texts),
            _ => Raw(map, fields, texts),
        };
        map.Finish();
        return decoder;
    }

    CsvDecoderDefinition? Csv(MapReader map, DecoderFields fields, IReadOnlyDictionary<string, string>? constants)
    {
        var columns = map.Texts("columns");
        var header = map.Flag("header") ?? false;
        var delimiter = Delimiter(map, ',');
        if (columns is null)
        {
            errors.Add(map.At, "The csv decoder has no 'columns'; it needs the field names in the order of the cells.");
            return null;
        }
        fields.Match(columns, map.At, "neither a column nor a constant");
        return new([.. columns.Select(c => c.Text)], header, delimiter, constants);
    }

    KeyValueDecoderDefinition KeyValue(MapReader map, DecoderFields fields, IReadOnlyDictionary<string, string>? constants)
    {
        fields.MatchConstants();
        return new(Delimiter(map, ' '), constants);
    }

    RegexDecoderDefinition? Regex(MapReader map, DecoderFields fields, IReadOnlyDictionary<string, string>? constants)
    {
        if (map.Text("pattern", required: true) is not { } pattern || TypeReader.CheckedPattern(pattern, errors) is not { } regex) return null;
        var groups = regex.GetGroupNames().Where(g => g != "0").Select(g => new TextNode(pattern.At, g, false)).ToList();
        fields.Match(groups, map.At, "neither a named group nor a constant");
        return new(pattern.Text, constants);
    }

    SyslogDecoderDefinition Syslog(MapReader map, DecoderFields fields, IReadOnlyDictionary<string, string>? constants)
    {
        var format = map.Choice("format", SyslogFormats) ?? SyslogFormat.Any;
        var zone = Zone(map.Text("zone"));
        var known = schema?.Fields.Select(f => f.Name).ToHashSet() ?? [];
        fields.Match([.. SyslogDecoderDefinition.Parts.Where(p => known.Contains(p) && constants?.ContainsKey(p) != true).Select(p => new TextNode(map.At, p, false))], map.At,
            $"no part of a syslog message ({string.Join(", ", SyslogDecoderDefinition.Parts)}) and no constant");
        if (schema?.Fields.FirstOrDefault(f => f.Name == "timestamp") is { } time && time.Type is not TimestampType { Unit: TimestampUnit.Text, Format: null })
            errors.Add(map.At, "The field 'timestamp' takes the time of a syslog message, so its type is expected to be timestamp without a format.");
        return new(format, zone, constants);
    }

    RawDecoderDefinition? Raw(MapReader map, DecoderFields fields, IReadOnlyDictionary<string, string>? constants)
    {
        if (map.Text("field", required: true) is not { } field) return null;
        fields.Match([field], map.At, "neither the raw field nor a constant");
        if (schema?.Fields.FirstOrDefault(f => f.Name == field.Text) is { Type: not BytesType })
            errors.Add(field.At, $"The field '{field.Text}' takes the raw frame, so its type is expected to be bytes.");
        return new(field.Text, constants);
    }

    TimeSpan Zone(TextNode? text)
    {
        if (text is null || text.Text is "Z" or "UTC") return TimeSpan.Zero;
        if (text.Text.Length == 6 && text.Text[0] is '+' or '-' && TimeSpan.TryParseExact(text.Text.AsSpan(1), "hh\\:mm", null, out var offset)) return text.Text[0] == '-' ? -offset : offset;
        errors.Add(text.At, $"'zone' is '{text.Text}'; expected an offset such as \"+02:00\", or UTC.");
        return TimeSpan.Zero;
    }

    char Delimiter(MapReader map, char usual)
    {
        if (map.Text("delimiter") is not { } text) return usual;
        if (text.Text is "tab" or "\t") return '\t';
        if (text.Text.Length == 1 && char.IsAscii(text.Text[0]) && text.Text[0] is not ('"' or '\r' or '\n' or '=') && !char.IsAsciiLetterOrDigit(text.Text[0])) return text.Text[0];
        errors.Add(text.At, $"'delimiter' is '{text.Text}'; expected one ASCII character such as ',' or ';', or the word tab.");
        return usual;
    }

    List<(TextNode Key, TextNode Value)> Constants(YamlNode? node)
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
}
