using LeanPipe.Contracts;

namespace LeanPipe.Documents;

/// <summary>A type as a document writes it, for messages.</summary>
static class TypeText
{
    public static string Of(FieldType type) => type switch
    {
        Int64Type => "int64",
        Float64Type => "float64",
        DecimalType t => $"decimal({t.Precision},{t.Scale})",
        BoolType => "bool",
        StringType => "string",
        BytesType => "bytes",
        TimestampType { Unit: TimestampUnit.Text, Format: null } => "timestamp",
        TimestampType { Unit: TimestampUnit.Text } t => $"timestamp of format '{t.Format}'",
        TimestampType t => $"timestamp in {t.Unit.ToString().ToLowerInvariant()}",
        EnumType t => $"enum [{string.Join(", ", t.Values)}]",
        ListType t => $"list of {Of(t.Item)}",
        UnionType t => $"union [{string.Join(", ", t.Members.Select(Of))}]",
        _ => "record",
    };
}
