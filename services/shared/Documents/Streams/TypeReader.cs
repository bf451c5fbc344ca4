using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A schema's types. A text is a type without settings (<c>int64</c>); a map names the type by <c>type</c> or by the key that carries its content (<c>enum</c>, <c>list</c>, …).</summary>
static class TypeReader
{
    public static readonly Dictionary<string, ExtraFields> Extras = new() { ["reject"] = ExtraFields.Reject, ["ignore"] = ExtraFields.Ignore };

    static readonly string[] Content = ["enum", "union", "list", "record", "timestamp"];
    static readonly string[] Scalars = ["int64", "float64", "decimal", "bool", "string", "bytes", "timestamp"];

    static readonly Dictionary<string, TimestampUnit> Units = new()
    {
        ["text"] = TimestampUnit.Text,
        ["seconds"] = TimestampUnit.Seconds,
        ["milliseconds"] = TimestampUnit.Milliseconds,
        ["microseconds"] = TimestampUnit.Microseconds,
        ["nanoseconds"] = TimestampUnit.Nanoseconds,
    };

    public static RecordType? Record(YamlNode node, ExtraFields extra, ErrorList errors)
    {
        if (node is not MapNode { Entries.Count: > 0 } map)
        {
            errors.Add(node.At, $"'fields' is {(node is MapNode ? "empty" : node.Shape)}; expected a map of field names to types.");
            return null;
        }
        var fields = new List<Field>();
        foreach (var (key, value) in map.Entries)
        {
            var name = key.Text.EndsWith('?') ? key.Text[..^1] : key.Text;
            if (name.Length is 0 or > 255) errors.Add(key.At, "A field's name has 1 to 255 characters.");
            // SQL compares column names without case.
            if (fields.Find(f => string.Equals(f.Name, name, StringComparison.OrdinalIgnoreCase)) is { } twin)
                errors.Add(key.At, $"The fields '{twin.Name}' and '{name}' would be one column in SQL, which ignores case; rename one of them.");
            fields.Add(Field(name, key.Text.EndsWith('?'), value, errors));
        }
        return new(fields, extra);
    }

    static Field Field(string name, bool mayMiss, YamlNode node, ErrorList errors)
    {
        var flags = new Flags { Required = !mayMiss };
        return new(name, Type(node, errors, flags) ?? new StringType(), flags.Required, flags.Nullable);
    }

    sealed class Flags
    {
        public bool Required { get; set; } = true;
        public bool Nullable { get; set; }
    }

    /// <param name="flags">Null where only a type may stand: in a list or a union.</param>
    static FieldType? Type(YamlNode node, ErrorList errors, Flags? flags = null)
    {
        if (node is TextNode { IsNull: false } text) return Plain(text, errors, flags);
        if (node is not MapNode map)
        {
            errors.Add(node.At, $"Found {node.Shape} as a type; {Suggestion.For("", Scalars)}");
            return null;
        }
        var reader = new MapReader(map, "type", errors);
        var contents = Content.Where(reader.Has).ToList();
        FieldType? type = null;
        if (contents.Count > 1 || (contents.Count == 1 && reader.Has("type"))) errors.Add(map.At, $"The type is given twice, by {string.Join(" and ", map.Entries.Select(e => $"'{e.Key.Text}'"))}; keep one.");
        else if (contents.Count == 1) type = WithContent(contents[0], reader, errors);
        else if (reader.Text("type", required: true) is { } scalar) type = WithSettings(scalar, reader, errors, flags);
        if (flags is not null)
        {
            flags.Required = reader.Flag("required") ?? flags.Required;
            flags.Nullable = reader.Flag("nullable") ?? flags.Nullable;
        }
        if (type is not null) reader.Finish();
        return type;
    }

    static FieldType? Plain(TextNode text, ErrorList errors, Flags? flags)
    {
        var name = text.Text;
        if (name.EndsWith('?') && flags is not null)
        {
            flags.Nullable = true;
            name = name[..^1];
        }
        return WithSettings(new(text.At, name, text.Quoted), new(new(text.At, []), "type", errors), errors, null);
    }

    static FieldType? WithSettings(TextNode text, MapReader map, ErrorList errors, Flags? flags)
    {
        var name = text.Text;
        if (name.EndsWith('?') && flags is not null)
        {
            flags.Nullable = true;
            name = name[..^1];
        }
        switch (name)
        {
            case "int64": return Ordered(map, errors, new Int64Type(map.Integer("min", long.MinValue, long.MaxValue) ?? long.MinValue, map.Integer("max", long.MinValue, long.MaxValue) ?? long.MaxValue), t => t.Min <= t.Max, "min", "max");
            case "float64": return Ordered(map, errors, new Float64Type(map.Number("min") ?? double.MinValue, map.Number("max") ?? double.MaxValue), t => t.Min <= t.Max, "min", "max");
            case "decimal": return Ordered(map, errors, new DecimalType((int)(map.Integer("precision", 1, 38) ?? 18), (int)(map.Integer("scale", 0, 38) ?? 3)), t => t.Scale <= t.Precision, "scale", "precision");
            case "bool": return new BoolType();
            case "string": return Ordered(map, errors, new StringType((int)(map.Integer("min_length", 0, int.MaxValue) ?? 0), (int)(map.Integer("max_length", 0, int.MaxValue) ?? int.MaxValue), Pattern(map, errors)), t => t.MinLength <= t.MaxLength, "min_length", "max_length");
            case "bytes": return new BytesType((int)(map.Integer("max_length", 0, int.MaxValue) ?? int.MaxValue));
            case "timestamp": return new TimestampType(TimestampUnit.Text, map.Text("format")?.Text);
            default:
                errors.Add(text.At, $"Unknown type '{text.Text}'; {Suggestion.For(text.Text, Scalars)}");
                return null;
        }
    }

    static FieldType? WithContent(string key, MapReader map, ErrorList errors)
    {
        switch (key)
        {
            case "timestamp":
                var unit = map.Choice("timestamp", Units) ?? TimestampUnit.Text;
                return new TimestampType(unit, unit == TimestampUnit.Text ? map.Text("format")?.Text : null);
            case "list":
                var item = Type(map.Take("list")!, errors);
                return Ordered(map, errors, new ListType(item ?? new StringType(), (int)(map.Integer("min_items", 0, int.MaxValue) ?? 0), (int)(map.Integer("max_items", 0, int.MaxValue) ?? int.MaxValue)), t => t.MinItems <= t.MaxItems, "min_items", "max_items");
            case "record":
                return Record(map.Take("record")!, map.Choice("extra", Extras) ?? ExtraFields.Reject, errors);
            case "enum":
                return Enum(map, errors);
            default:
                return Union(map, errors);
        }
    }

    static EnumType? Enum(MapReader map, ErrorList errors)
    {
        if (map.Texts("enum") is not { } values) return null;
        if (values.Count == 0) errors.Add(map.At, "The enum has no values; expected at least one.");
        foreach (var twin in values.GroupBy(v => v.Text).SelectMany(g => g.Skip(1))) errors.Add(twin.At, $"The enum has '{twin.Text}' twice; keep one.");
        return new([.. values.Select(v => v.Text)]);
    }

    static UnionType? Union(MapReader map, ErrorList errors)
    {
        var node = map.Take("union")!;
        if (node is ListNode { Items.Count: >= 2 } list) return new([.. list.Items.Select(i => Type(i, errors)).OfType<FieldType>()]);
        errors.Add(node.At, $"'union' is {(node is ListNode ? "too short" : node.Shape)}; expected a list of at least two types such as [float64, string].");
        return null;
    }

    static string? Pattern(MapReader map, ErrorList errors)
    {
        if (map.Text("pattern") is not { } text) return null;
        try
        {
            _ = new Regex(text.Text, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            return text.Text;
        }
        catch (RegexParseException e)
        {
            errors.Add(text.At, $"'pattern' is no regular expression: {e.Message}");
            return null;
        }
    }

    static T Ordered<T>(MapReader map, ErrorList errors, T type, Func<T, bool> holds, string low, string high) where T : FieldType
    {
        if (!holds(type)) errors.Add(map.At, $"'{low}' is greater than '{high}'; expected it to be at most that.");
        return type;
    }
}
