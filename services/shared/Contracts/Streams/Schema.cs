namespace LeanPipe.Contracts;

/// <summary>A type of a stream's schema. Strict: a value is what its type says in JSON or it is rejected; nothing is coerced.</summary>
public abstract record FieldType;

/// <summary>A JSON number without fraction or exponent within [<paramref name="Min"/>, <paramref name="Max"/>].</summary>
public sealed record Int64Type(long Min = long.MinValue, long Max = long.MaxValue) : FieldType;

/// <summary>Any finite JSON number (an integer is a float, as in every language's type lattice), within the range.</summary>
public sealed record Float64Type(double Min = double.MinValue, double Max = double.MaxValue) : FieldType;

/// <summary>A JSON number, or a string holding one, with at most Precision digits of which at most Scale stand after the point.</summary>
public sealed record DecimalType(int Precision = 18, int Scale = 3) : FieldType;

public sealed record BoolType : FieldType;

/// <summary>Lengths in Unicode code points; the pattern must match somewhere, anchor it to match the whole.</summary>
public sealed record StringType(int MinLength = 0, int MaxLength = int.MaxValue, string? Pattern = null) : FieldType;

/// <summary>Base64 in a JSON string.</summary>
public sealed record BytesType(int MaxLength = int.MaxValue) : FieldType;

/// <summary>An instant. Numbers count from the Unix epoch in the unit; <see cref="TimestampUnit.Text"/> is read by <paramref name="Format"/>.</summary>
/// <param name="Format">
/// .NET custom format of a text timestamp, UTC assumed when it has no zone; null means RFC 3339 with a zone (<c>2026-01-01T10:00:00.123Z</c>).
/// </param>
public sealed record TimestampType(TimestampUnit Unit = TimestampUnit.Text, string? Format = null) : FieldType;

public enum TimestampUnit
{
    Text,
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// <summary>One of the given strings, case-sensitive.</summary>
public sealed record EnumType(IReadOnlyList<string> Values) : FieldType;

public sealed record ListType(FieldType Item, int MinItems = 0, int MaxItems = int.MaxValue) : FieldType;

/// <summary>The first member that accepts the value takes it.</summary>
public sealed record UnionType(IReadOnlyList<FieldType> Members) : FieldType;

public sealed record RecordType(IReadOnlyList<Field> Fields, ExtraFields Extra = ExtraFields.Reject) : FieldType
{
    public const string ExtraColumn = "extra";
}

/// <param name="Required">A record without the field is rejected.</param>
/// <param name="Nullable">JSON null is accepted; a missing optional field is allowed either way and reads as null.</param>
/// <param name="Default">What a missing field becomes, as JSON; then the field is not required.</param>
/// <param name="Aliases">Other names under which records may bring the field; segments have its own.</param>
public sealed record Field(string Name, FieldType Type, bool Required = true, bool Nullable = false, string? Default = null, IReadOnlyList<string>? Aliases = null);

/// <summary>What happens to a field that the schema does not name.</summary>
public enum ExtraFields
{
    /// <summary>The record is rejected.</summary>
    Reject,

    /// <summary>The field stays in the segment's bytes, but no column shows it.</summary>
    Ignore,

    /// <summary>The field moves into the column <see cref="RecordType.ExtraColumn"/>, a JSON object of all such fields.</summary>
    Keep,
}
