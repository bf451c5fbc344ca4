using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>How bytes are cut into frames: a word, or a map with one of the keys that carry a setting.</summary>
static class FramingReader
{
    static readonly string[] Kinds = ["newline", "varint", "octet_counting", "{ delimiter: 0x00 }", "{ length_prefix: 4 }", "{ fixed: 32 }"];
    static readonly Dictionary<string, bool> BigEndian = new() { ["big"] = true, ["little"] = false };

    public static FramingDefinition Read(YamlNode? node, int maxFrameBytes, ErrorList errors)
    {
        switch (node)
        {
            case null or TextNode { Text: "newline" }:
                return new NewlineFramingDefinition();
            case TextNode { Text: "varint" }:
                return new VarintFramingDefinition();
            case TextNode { Text: "octet_counting" }:
                return new OctetCountingFramingDefinition();
            case MapNode map:
                var reader = new MapReader(map, "framing", errors);
                var framing = WithSetting(reader, map, maxFrameBytes, errors);
                reader.Finish();
                return framing ?? new NewlineFramingDefinition();
            default:
                errors.Add(node.At, $"'framing' is {node.Shape}; {Suggestion.For(node is TextNode text ? text.Text : "", Kinds)}");
                return new NewlineFramingDefinition();
        }
    }

    static FramingDefinition? WithSetting(MapReader reader, MapNode map, int maxFrameBytes, ErrorList errors)
    {
        string[] given = [.. new[] { "delimiter", "length_prefix", "fixed" }.Where(reader.Has)];
        if (given.Length != 1)
        {
            foreach (var (key, _) in map.Entries) reader.Take(key.Text);
            errors.Add(map.At, $"The framing names {given.Length} kinds of framing; expected exactly one of delimiter, length_prefix, fixed.");
            return null;
        }
        switch (given[0])
        {
            case "delimiter":
                return Delimiter(reader.Text("delimiter"), errors) is { } delimiter ? new DelimiterFramingDefinition(delimiter) : null;
            case "fixed":
                return reader.Integer("fixed", 1, maxFrameBytes) is { } bytes ? new FixedFramingDefinition((int)bytes) : null;
            default:
                var size = reader.Integer("length_prefix", 1, 4);
                if (size == 3) errors.Add(reader.At, "'length_prefix' is '3'; expected 1, 2 or 4 bytes.");
                var isBig = reader.Choice("byte_order", BigEndian) ?? true;
                var includes = reader.Flag("includes_header") ?? false;
                return size is null ? null : new LengthPrefixFramingDefinition((int)size, isBig, includes);
        }
    }

    static byte? Delimiter(TextNode? text, ErrorList errors)
    {
        if (text is null) return null;
        if (text.Text.Length == 1 && char.IsAscii(text.Text[0])) return (byte)text.Text[0];
        if (text.Text.StartsWith("0x", StringComparison.Ordinal) && byte.TryParse(text.Text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) return value;
        errors.Add(text.At, $"'delimiter' is '{text.Text}'; expected one ASCII character such as '|', or a byte such as 0x00.");
        return null;
    }
}
