using LeanPipe.Contracts;

namespace LeanPipe.Documents;

/// <summary>A change of a schema that breaks what it promises.</summary>
/// <param name="Path">Field names from the outside in; <c>[]</c> is an item of a list. Empty: the stream itself.</param>
public sealed record SchemaBreak(IReadOnlyList<string> Path, string Message)
{
    public override string ToString() => Path.Count == 0 ? Message : $"'{string.Join('.', Path).Replace(".[]", "[]", StringComparison.Ordinal)}': {Message}";
}

/// <summary>Whether one version of a schema accepts what another accepts, and can read what it has written. Pure.</summary>
public static class SchemaCompatibility
{
    /// <summary>Every change that breaks what <paramref name="newer"/> promises by its <see cref="StreamDefinition.Compatibility"/>.</summary>
    /// <param name="olderName">As messages name it: <c>v1</c>.</param>
    public static IReadOnlyList<SchemaBreak> Breaks(StreamDefinition older, StreamDefinition newer, string olderName, string newerName)
    {
        ArgumentNullException.ThrowIfNull(older);
        ArgumentNullException.ThrowIfNull(newer);
        var mode = newer.Compatibility;
        var breaks = new List<SchemaBreak>();
        if (mode == Compatibility.None) return breaks;

        if (older.EventTime != newer.EventTime)
            breaks.Add(new([], $"'event_time' was '{older.EventTime}' in {olderName} and is '{newer.EventTime}' in {newerName}: the same record would lie in another window."));
        if (HasFormats(older.Schema) && older.Decoder is JsonDecoderDefinition != newer.Decoder is JsonDecoderDefinition)
            breaks.Add(new([], $"The decoder changed between json and another: timestamps with a format stand otherwise in the segments of {olderName} than in those of {newerName}."));
        if (mode is Compatibility.Backward or Compatibility.Full) new Containment(newerName, olderName, breaks).Records(newer.Schema, older.Schema, []);
        if (mode is Compatibility.Forward or Compatibility.Full) new Containment(olderName, newerName, breaks).Records(older.Schema, newer.Schema, []);

        // Segments of both versions may lie in one window, and the newer one's columns read them all.
        if (mode == Compatibility.Forward) Columns(older.Schema, newer.Schema, [], breaks, olderName, newerName);
        return breaks;
    }

    static void Columns(RecordType older, RecordType newer, string[] path, List<SchemaBreak> breaks, string olderName, string newerName)
    {
        foreach (var field in newer.Fields)
        {
            if (older.Fields.FirstOrDefault(f => f.Name == field.Name) is not { } before) continue;
            string[] inner = [.. path, field.Name];
            if (before.Type is RecordType a && field.Type is RecordType b) Columns(a, b, inner, breaks, olderName, newerName);
            else if (!ReadsAs(before.Type, field.Type))
                breaks.Add(new(inner, $"it is {TypeText.Of(before.Type)} in {olderName} and {TypeText.Of(field.Type)} in {newerName}, whose column cannot hold what {olderName} wrote into the same window."));
        }
    }

    static bool ReadsAs(FieldType before, FieldType now) => (before, now) switch
    {
        (Int64Type, Float64Type) => true,
        (EnumType, StringType) or (StringType, EnumType) => true,
        (DecimalType a, DecimalType b) => b.Scale >= a.Scale && b.Precision - b.Scale >= a.Precision - a.Scale,
        (TimestampType a, TimestampType b) => a == b,
        (ListType a, ListType b) => ReadsAs(a.Item, b.Item),
        _ => before.GetType() == now.GetType(),
    };

    static bool HasFormats(FieldType type) => type switch
    {
        TimestampType { Format: not null } => true,
        RecordType t => t.Fields.Any(f => HasFormats(f.Type)),
        ListType t => HasFormats(t.Item),
        UnionType t => t.Members.Any(HasFormats),
        _ => false,
    };
}
