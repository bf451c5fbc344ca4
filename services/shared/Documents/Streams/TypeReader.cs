using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A schema's types. A text is a type without settings (<c>int64</c>); a map names the type by <c>type</c> or by the key that carries its content (<c>enum</c>, <c>list</c>, …).</summary>
static class TypeReader
{
    public static readonly Dictionary<string, ExtraFields> Extras = new() { ["reject"] = ExtraFields.Reject, ["ignore"] = ExtraFields.Ignore, ["keep"] = ExtraFields.Keep };

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
        var names = new List<string>();
        if (extra == ExtraFields.Keep) names.Add(RecordType.ExtraColumn);
        foreach (var (key, value) in map.Entries)
        {
            var name = key.Text.EndsWith('?') ? key.Text[..^1] : key.Text;
            if (name.Length is 0 or > 255) errors.Add(key.At, "A field's name has 1 to 255 characters.");
            Claim(names, name, key, errors);
            var field = Field(name, key.Text.EndsWith('?'), value, names, errors);
            fields.Add(field);
        }
        return new(fields, extra);
    }

    /// <summary>SQL compares column names without case; an alias may become a column in another version.</summary>
    static void Claim(List<string> names, string name, TextNode at, ErrorList errors)
    {
        if (names.Find(n => string.Equals(n, name, StringComparison.OrdinalIgnoreCase)) is { } twin)
            errors.Add(at.At, $"The fields '{twin}' and '{name}' would be one column in SQL, which ignores case; rename one of them.");
        names.Add(name);
    }

    static Field Field(string name, bool mayMiss, YamlNode node, List<string> names, ErrorList errors)
    {
        var flags = new Flags { Required = !mayMiss };
        var type = Type(node, errors, flags);
        foreach (var alias in flags.Aliases)
        {
            if (alias.Text.Length is 0 or > 255) errors.Add(alias.At, "An alias has 1 to 255 characters.");
            Claim(names, alias.Text, alias, errors);
        }
        var json = flags.Default is { } value && type is not null ? DefaultReader.Read(value, type, flags.Nullable, errors) : null;
        return new(name, type ?? new StringType(), flags.Required && flags.Default is null, flags.Nullable, json, flags.Aliases.Count == 0 ? null : [.. flags.Aliases.Select(a => a.Text)]);
    }

    sealed class Flags
    {
        public bool Required { get; set; } = true;
        public bool Nullable { get; set; }
        public YamlNode? Default { get; set; }
        public IReadOnlyList<TextNode> Aliases { get; set; } = [];
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
            flags.Default = reader.Take("default");
            flags.Aliases = reader.Texts("aliases") ?? [];
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
            case "decimal": return Ordered(map, errors, new DecimalType((int)(map.Integer("precision", 1, 38) ?? 18), (int)(map.Integer("scale", 0, 37) ?? 3)), t => t.Scale <= t.Precision, "scale", "precision");
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
        if (node is not ListNode { Items.Count: >= 2 } list)
        {
            errors.Add(node.At, $"'union' is {(node is ListNode ? "too short" : node.Shape)}; expected a list of at least two types such as [float64, string].");
            return null;
        }
        var members = new List<FieldType>();
        foreach (var item in list.Items)
        {
            if (Type(item, errors) is not { } member) continue;
            if (Rewrites(member)) errors.Add(item.At, "A record within a union has a default, an alias or 'extra: keep', but a union keeps its values as they are; leave these out.");
            members.Add(member);
        }
        return new(members);
    }

    /// <summary>Whether a value of the type may be other in the segment than on the wire.</summary>
    static bool Rewrites(FieldType type) => type switch
    {
        RecordType t => t.Extra == ExtraFields.Keep || t.Fields.Any(f => f.Default is not null || f.Aliases is not null || Rewrites(f.Type)),
        ListType t => Rewrites(t.Item),
        _ => false,
    };

    static string? Pattern(MapReader map, ErrorList errors) => map.Text("pattern") is { } text && CheckedPattern(text, errors) is not null ? text.Text : null;

    /// <summary>As the gateway compiles it: without backtracking, so without lookaround and back-references, and only named groups capture.</summary>
    public static Regex? CheckedPattern(TextNode text, ErrorList errors)
    {
        try
        {
            return new(text.Text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);
        }
        catch (RegexParseException e)
        {
            errors.Add(text.At, $"'pattern' is no regular expression: {e.Message}");
        }
        catch (NotSupportedException)
        {
            errors.Add(text.At, "'pattern' has lookaround, a back-reference or another construct that needs backtracking; expected an expression without them.");
        }
        return null;
    }

    static T Ordered<T>(MapReader map, ErrorList errors, T type, Func<T, bool> holds, string low, string high) where T : FieldType
    {
        if (!holds(type)) errors.Add(map.At, $"'{low}' is greater than '{high}'; expected it to be at most that.");
        return type;
    }
}
