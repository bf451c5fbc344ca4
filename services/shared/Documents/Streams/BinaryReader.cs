using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>The fixed layout of a binary frame.</summary>
sealed class BinaryReader(DecoderFields fields, ErrorList errors)
{
    const int LargestFrame = 64 << 20;

    /// <summary>So that the product with any 64-bit number is exact in 28 digits.</summary>
    const int MostScaleDigits = 8;

    static readonly Dictionary<string, bool> BigEndian = new() { ["big"] = true, ["little"] = false };

    static readonly Dictionary<string, (BinaryType Type, int Length)> Types = new()
    {
        ["i8"] = (BinaryType.I8, 1),
        ["u8"] = (BinaryType.U8, 1),
        ["i16"] = (BinaryType.I16, 2),
        ["u16"] = (BinaryType.U16, 2),
        ["i32"] = (BinaryType.I32, 4),
        ["u32"] = (BinaryType.U32, 4),
        ["i64"] = (BinaryType.I64, 8),
        ["u64"] = (BinaryType.U64, 8),
        ["f32"] = (BinaryType.F32, 4),
        ["f64"] = (BinaryType.F64, 8),
        ["bool"] = (BinaryType.Bool, 1),
        ["text"] = (BinaryType.Text, 0),
        ["bytes"] = (BinaryType.Bytes, 0),
    };

    public BinaryDecoderDefinition? Read(MapReader map, IReadOnlyDictionary<string, string>? constants)
    {
        var isBig = map.Choice("byte_order", BigEndian) ?? true;
        var size = map.Integer("size", 1, LargestFrame);
        if (map.Require("fields") is not { } node) return null;
        if (node is not MapNode { Entries.Count: > 0 } entries)
        {
            errors.Add(node.At, $"'fields' is {(node is MapNode ? "empty" : node.Shape)}; expected a map of field names to places such as {{ at: 0, type: u32 }}.");
            return null;
        }
        var layout = new List<BinaryField>();
        var next = 0;
        foreach (var (key, value) in entries.Entries)
        {
            var inner = map.AsMap(value, key.Text, "place");
            if (inner is null || Field(key, inner, isBig, next) is not { } field) continue;
            layout.Add(field);
            next = field.At + field.Length;
        }
        fields.Match([.. entries.Entries.Select(e => e.Key)], map.At, "neither in the layout nor a constant");
        var end = layout.Count == 0 ? 1 : layout.Max(f => f.At + f.Length);
        if (size < end) errors.Add(map.At, $"'size' is {size}, but a field of the layout ends at byte {end}; expected at least that.");
        return new((int)(size ?? end), layout, constants);
    }

    BinaryField? Field(TextNode name, MapReader map, bool isBig, int next)
    {
        var type = map.Has("type") ? map.Choice("type", Types) : null;
        if (!map.Has("type")) errors.Add(map.At, $"The place of '{name.Text}' has no 'type'; {Suggestion.For("", Types.Keys)}");
        var at = (int)(map.Integer("at", 0, LargestFrame) ?? next);
        isBig = map.Choice("byte_order", BigEndian) ?? isBig;
        var length = type?.Length;
        if (type is { Length: 0 })
        {
            length = (int?)map.Integer("length", 1, LargestFrame);
            if (!map.Has("length")) errors.Add(map.At, $"The place of '{name.Text}' has no 'length', which text and bytes need.");
        }
        var scale = type?.Type is BinaryType.Bool or BinaryType.Text or BinaryType.Bytes ? 1 : Scale(map.Text("scale"));
        map.Finish();
        if (type is null || length is null) return null;
        if (fields.Find(name.Text) is { } field && !Fits(type.Value.Type, field.Type))
            errors.Add(name.At, $"The field '{name.Text}' cannot hold what the layout gives; expected {Wanted(type.Value.Type)}.");
        return new(name.Text, at, type.Value.Type, length.Value, isBig, scale);
    }

    decimal Scale(TextNode? text)
    {
        if (text is null) return 1;
        var digits = text.Text.Replace(".", "", StringComparison.Ordinal).Trim('0', '-').Length;
        if (!text.Quoted && decimal.TryParse(text.Text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var scale) &&
            digits is > 0 and <= MostScaleDigits && Math.Abs(scale) is >= 0.000000001m and <= 1_000_000_000m) return scale;
        errors.Add(text.At, $"'scale' is '{text.Text}'; expected a number such as 0.01, of at most {MostScaleDigits} digits, from 0.000000001 to 1000000000.");
        return 1;
    }

    static bool Fits(BinaryType type, FieldType field) => field is UnionType || type switch
    {
        BinaryType.Bool => field is BoolType,
        BinaryType.Bytes => field is BytesType,
        BinaryType.Text => field is not (BytesType or ListType or RecordType),
        _ => field is Int64Type or Float64Type or DecimalType or TimestampType { Unit: not TimestampUnit.Text },
    };

    static string Wanted(BinaryType type) => type switch
    {
        BinaryType.Bool => "bool",
        BinaryType.Bytes => "bytes",
        BinaryType.Text => "a type that a text can be written as",
        _ => "int64, float64, decimal or a timestamp counted from the epoch",
    };
}
