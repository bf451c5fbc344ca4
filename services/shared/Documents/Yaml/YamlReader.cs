using LeanPipe.Documents.Reading;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace LeanPipe.Documents.Yaml;

/// <summary>Text to nodes. Text that is no YAML is one error, for nothing behind it can be trusted; aliases and tags are refused, for a document is read by people.</summary>
static class YamlReader
{
    const int MaxDepth = 64;

    public static MapNode? ReadMap(string text, ErrorList errors)
    {
        var parser = new Parser(new StringReader(text));
        try
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                errors.Add(Position.Start, "The document is empty; expected a map of keys.");
                return null;
            }
            parser.Consume<DocumentStart>();
            var root = Read(parser, errors, 0);
            parser.Consume<DocumentEnd>();
            if (parser.Accept<DocumentStart>(out var second)) errors.Add(At(second), "A second document begins here; expected one document in a file.");
            if (root is MapNode map) return map;
            errors.Add(root.At, $"Found {root.Shape}; expected a map of keys.");
        }
        catch (YamlException e)
        {
            errors.Add(new((int)e.Start.Line, (int)e.Start.Column), $"This is no YAML: {e.Message.TrimEnd('.')}.");
        }
        catch (InvalidOperationException)
        {
            // How this version of the scanner ends on some texts with an open bracket, without a place of its own.
            errors.Add(parser.Current is { } last ? new((int)last.End.Line, (int)last.End.Column) : Position.Start, "This is no YAML from here on; look for a bracket or a quote that is not closed.");
        }
        return null;
    }

    static YamlNode Read(Parser parser, ErrorList errors, int depth)
    {
        if (depth > MaxDepth) throw new YamlException(parser.Current!.Start, parser.Current.End, $"nested deeper than {MaxDepth} levels");
        if (parser.Current is NodeEvent { Tag.IsEmpty: false } tagged && !tagged.Tag.IsNonSpecific) errors.Add(At(tagged), $"The tag '{tagged.Tag.Value}' is not used here; remove it.");
        if (parser.TryConsume<Scalar>(out var scalar)) return new TextNode(At(scalar), scalar.Value, scalar.Style != ScalarStyle.Plain);
        if (parser.TryConsume<SequenceStart>(out var sequence))
        {
            var items = new List<YamlNode>();
            while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(Read(parser, errors, depth + 1));
            return new ListNode(At(sequence), items);
        }
        if (parser.TryConsume<MappingStart>(out var mapping)) return ReadMapping(parser, errors, depth, mapping);
        var alias = parser.Consume<AnchorAlias>();
        errors.Add(At(alias), $"The alias '*{alias.Value}' is not used here; write the value out.");
        return new TextNode(At(alias), "", Quoted: false);
    }

    static MapNode ReadMapping(Parser parser, ErrorList errors, int depth, MappingStart start)
    {
        var entries = new List<MapEntry>();
        var seen = new Dictionary<string, Position>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Read(parser, errors, depth + 1);
            var value = Read(parser, errors, depth + 1);
            if (key is not TextNode text) errors.Add(key.At, $"Found {key.Shape} as a key; expected a name.");
            else if (!seen.TryAdd(text.Text, text.At)) errors.Add(text.At, $"The key '{text.Text}' is already given in line {seen[text.Text].Line}; keep one of them.");
            else entries.Add(new(text, value));
        }
        return new(At(start), entries);
    }

    static Position At(ParsingEvent e) => new((int)e.Start.Line, (int)e.Start.Column);
}
