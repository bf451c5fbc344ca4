using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Validation;

/// <summary>One compiled type of a schema. Immutable, shared by all connections.</summary>
abstract class FieldCheck
{
    /// <summary>The reader stands on the value's first token and, when the value is accepted, ends on its last.</summary>
    public abstract bool Accepts(ref Utf8JsonReader reader, Verdict verdict);

    /// <param name="canonicalTimestamps">Whether the decoder has written text timestamps as RFC 3339, whatever their format was on the wire.</param>
    public static FieldCheck Compile(FieldType type, bool canonicalTimestamps) => type switch
    {
        Int64Type t => new Int64Check(t),
        Float64Type t => new Float64Check(t),
        DecimalType t => new DecimalCheck(t),
        BoolType => new BoolCheck(),
        StringType t => new StringCheck(t),
        BytesType t => new BytesCheck(t),
        TimestampType { Unit: TimestampUnit.Text } t => new TextTimestampCheck(canonicalTimestamps ? null : t.Format),
        TimestampType t => new EpochTimestampCheck(t.Unit),
        EnumType t => new EnumCheck(t),
        ListType t => new ListCheck(Compile(t.Item, canonicalTimestamps), t),
        UnionType t => new UnionCheck([.. t.Members.Select(m => Compile(m, canonicalTimestamps))]),
        RecordType t => new RecordCheck(t, canonicalTimestamps, top: null),
        _ => throw new LeanPipeException("gateway.bad_schema", $"The schema has a type {type.GetType().Name} that this gateway does not know. Use a newer gateway."),
    };
}

sealed class BoolCheck : FieldCheck
{
    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict) =>
        reader.TokenType is JsonTokenType.True or JsonTokenType.False || verdict.Fail(RejectCode.WrongType, ref reader);
}

sealed class ListCheck(FieldCheck item, ListType type) : FieldCheck
{
    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return verdict.Fail(RejectCode.WrongType, ref reader);
        var count = 0;
        for (; reader.Read() && reader.TokenType != JsonTokenType.EndArray; count++)
        {
            if (count == type.MaxItems) return verdict.Fail(RejectCode.TooManyItems, ref reader);
            if (reader.TokenType == JsonTokenType.Null) verdict.Fail(RejectCode.NullValue, ref reader);
            else if (item.Accepts(ref reader, verdict)) continue;
            return verdict.InItem(count);
        }
        return count >= type.MinItems || verdict.Fail(RejectCode.TooFewItems, ref reader);
    }
}

/// <summary>Tries the members in their order on a copy of the reader; the first that accepts moves it.</summary>
sealed class UnionCheck(FieldCheck[] members) : FieldCheck
{
    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        foreach (var member in members)
        {
            var attempt = reader;
            if (!member.Accepts(ref attempt, verdict)) continue;
            reader = attempt;
            verdict.Reset();
            return true;
        }
        return verdict.Fail(RejectCode.NoUnionMember, ref reader);
    }
}
