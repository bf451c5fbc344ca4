using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Decoding;

/// <summary>How DuckDB turns a stream's NDJSON into typed columns: what a manifest says about its segments.</summary>
static class SegmentColumns
{
    public static IReadOnlyList<SegmentColumn> Of(StreamDefinition stream) => Of(stream.Schema, canonicalTimestamps: stream.Decoder is CellDecoderDefinition);

    public static IReadOnlyList<SegmentColumn> Of(RecordType schema, bool canonicalTimestamps) =>
        [.. schema.Fields.Select(f =>
        {
            var shape = Shape(f.Type, canonicalTimestamps, depth: 0);
            return new SegmentColumn(f.Name, shape.ReadAs, shape.Type, shape.Expression?.Invoke(Quote(f.Name)));
        }), .. schema.Extra == ExtraFields.Keep ? [new SegmentColumn(RecordType.ExtraColumn, "JSON", "JSON")] : Array.Empty<SegmentColumn>()];

    static ColumnShape Shape(FieldType type, bool canonical, int depth) => type switch
    {
        Int64Type => new("BIGINT"),
        Float64Type => new("DOUBLE"),
        DecimalType t => Decimal(t),
        BoolType => new("BOOLEAN"),
        BytesType => new("VARCHAR", "BLOB", x => $"from_base64({x})"),
        TimestampType { Unit: TimestampUnit.Text } t when canonical || t.Format is null => new("TIMESTAMPTZ"),
        TimestampType { Unit: TimestampUnit.Text } t => new("VARCHAR", "TIMESTAMPTZ", x => StrptimeFormat.Expression(x, t.Format!)),
        TimestampType { Unit: TimestampUnit.Seconds } => new("DOUBLE", "TIMESTAMPTZ", x => $"to_timestamp({x})"),
        TimestampType { Unit: TimestampUnit.Milliseconds } => new("BIGINT", "TIMESTAMPTZ", x => $"make_timestamptz({x} * 1000)"),
        TimestampType { Unit: TimestampUnit.Microseconds } => new("BIGINT", "TIMESTAMPTZ", x => $"make_timestamptz({x})"),
        TimestampType => new("BIGINT", "TIMESTAMPTZ", x => $"make_timestamptz({x} // 1000)"),
        StringType or EnumType => new("VARCHAR"),
        ListType t => List(Shape(t.Item, canonical, depth + 1), depth),
        RecordType { Fields.Count: > 0 } t => Record([
            .. t.Fields.Select(f => (f.Name, Shape(f.Type, canonical, depth))),
            .. t.Extra == ExtraFields.Keep ? [(RecordType.ExtraColumn, new ColumnShape("JSON"))] : Array.Empty<(string, ColumnShape)>()]),
        _ => new("JSON"),
    };

    /// <summary>Read as the text of the number, for DuckDB's own way from JSON to a decimal rounds through a double with the scale applied.</summary>
    /// <remarks>A number below 0.0001 has the text 1e-05 there, with a digit before its point; where the type has none there, one with room for it comes first.</remarks>
    static ColumnShape Decimal(DecimalType type)
    {
        var name = $"DECIMAL({type.Precision},{type.Scale})";
        return type.Precision > type.Scale ? new("VARCHAR", name, x => $"CAST({x} AS {name})") : new("VARCHAR", name, x => $"CAST(CAST({x} AS DECIMAL({type.Precision + 1},{type.Scale})) AS {name})");
    }

    static ColumnShape List(ColumnShape item, int depth)
    {
        if (item.Expression is not { } finish) return new($"{item.ReadAs}[]");
        var variable = $"x{depth}";
        return new($"{item.ReadAs}[]", $"{item.Type}[]", x => $"list_transform({x}, lambda {variable}: {finish(variable)})");
    }

    static ColumnShape Record((string Name, ColumnShape Shape)[] fields)
    {
        var readAs = $"STRUCT({string.Join(", ", fields.Select(f => $"{Quote(f.Name)} {f.Shape.ReadAs}"))})";
        if (fields.All(f => f.Shape.Expression is null)) return new(readAs);
        var type = $"STRUCT({string.Join(", ", fields.Select(f => $"{Quote(f.Name)} {f.Shape.Type}"))})";
        return new(readAs, type, x => $"CASE WHEN {x} IS NULL THEN NULL ELSE struct_pack({string.Join(", ", fields.Select(f => Member(x, f.Name, f.Shape)))}) END");
    }

    static string Member(string record, string name, ColumnShape shape)
    {
        var raw = $"({record}).{Quote(name)}";
        return $"{Quote(name)} := {shape.Expression?.Invoke(raw) ?? raw}";
    }

    static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <param name="Expression">From the raw value's SQL to the finished value's.</param>
    sealed record ColumnShape(string ReadAs, string Type, Func<string, string>? Expression)
    {
        public ColumnShape(string type) : this(type, type, null)
        {
        }
    }
}
