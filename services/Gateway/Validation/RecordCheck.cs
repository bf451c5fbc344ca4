using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Validation;

/// <summary>A JSON object: every name at most once, every required field there, nothing unknown unless the schema says so.</summary>
sealed class RecordCheck : FieldCheck
{
    /// <summary>The set of fields seen lives on the stack; a wider record is refused when the schema is compiled.</summary>
    public const int MaxFields = 256;

    const int Words = MaxFields / 64;

    readonly CompiledField[] _fields;
    readonly (byte[] Name, int Field)[] _aliases;
    readonly ExtraFields _extra;
    readonly int _eventTime;

    /// <param name="top">What is only said about the record itself; null for a record within it.</param>
    public RecordCheck(RecordType type, bool canonicalTimestamps, TopLevel? top)
    {
        if (type.Fields.Count > MaxFields)
            throw new LeanPipeException("gateway.bad_schema", $"A record of the schema has {type.Fields.Count} fields, expected at most {MaxFields}. Nest some of them.");

        // DuckDB's columns ignore case, so two such fields could not both be columns. The same holds for the column of unknown fields.
        var names = type.Fields.SelectMany(f => (f.Aliases ?? []).Prepend(f.Name)).Concat(type.Extra == ExtraFields.Keep ? [RecordType.ExtraColumn] : []);
        if (names.GroupBy(f => f, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new LeanPipeException("gateway.bad_schema", $"The schema names the field '{twice.Key}' twice in one record (letter case does not tell fields apart). Rename one.");

        _fields = [.. type.Fields.Select(f => Compile(f, canonicalTimestamps, top))];
        _aliases = [.. type.Fields.SelectMany((f, i) => (f.Aliases ?? []).Select(a => (Encoding.UTF8.GetBytes(a), i)))];
        _extra = type.Extra;
        _eventTime = top is null ? -1 : Array.FindIndex(_fields, f => f.Name == top.EventTime);
    }

    static CompiledField Compile(Field field, bool canonicalTimestamps, TopLevel? top)
    {
        var check = Compile(field.Type, canonicalTimestamps);
        if (field.Default is { } json) CheckDefault(field, check, json);
        var missing = top?.Stamps.ContainsKey(field.Name) == true ? WhenMissing.Stamp
            : field.Default is not null ? WhenMissing.Default
            : field.Required ? WhenMissing.Reject
            : WhenMissing.Fine;
        return new(field.Name, Encoding.UTF8.GetBytes(field.Name), check, missing, field.Nullable);
    }

    static void CheckDefault(Field field, FieldCheck check, string json)
    {
        var verdict = new Verdict();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        reader.Read();
        var isAccepted = reader.TokenType == JsonTokenType.Null ? field.Nullable || verdict.Fail(RejectCode.NullValue, 0) : check.Accepts(ref reader, verdict);
        if (!isAccepted)
            throw new LeanPipeException("gateway.bad_schema", $"The default of the field '{field.Name}' is refused by the field's own type: {verdict.Code.Text()}. Give it a value that a record could bring.");
    }

    public override bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return verdict.Fail(RejectCode.WrongType, ref reader);
        Span<ulong> seen = stackalloc ulong[Words];
        seen.Clear();
        var expected = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var index = Find(ref reader, verdict, expected);
            if (index < 0)
            {
                if (_extra == ExtraFields.Reject)
                {
                    verdict.Fail(RejectCode.UnknownField, ref reader);
                    return verdict.InUnknown((int)reader.TokenStartIndex + 1, reader.ValueSpan.Length);
                }
                reader.Read();
                if (!IgnoredValue.Accepts(ref reader, verdict)) return false;
                verdict.MustRewrite |= _extra == ExtraFields.Keep;
                continue;
            }

            expected = index + 1;
            var field = _fields[index];
            ref var word = ref seen[index >> 6];
            var bit = 1UL << (index & 63);
            if ((word & bit) != 0 || field.Missing == WhenMissing.Stamp)
            {
                verdict.Fail(RejectCode.DuplicateField, ref reader);
                return verdict.In(field.Name);
            }
            word |= bit;

            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
            {
                if (field.Nullable) continue;
                verdict.Fail(RejectCode.NullValue, ref reader);
                return verdict.In(field.Name);
            }
            if (!field.Check.Accepts(ref reader, verdict)) return verdict.In(field.Name);
            if (index == _eventTime) verdict.EventTicks = verdict.LastTicks;
        }

        for (var i = 0; i < _fields.Length; i++)
        {
            if ((seen[i >> 6] & (1UL << (i & 63))) != 0) continue;
            switch (_fields[i].Missing)
            {
                case WhenMissing.Reject:
                    verdict.Fail(RejectCode.MissingField, ref reader);
                    return verdict.In(_fields[i].Name);
                case WhenMissing.Default or WhenMissing.Stamp:
                    verdict.MustRewrite = true;
                    if (i == _eventTime) verdict.EventTicks = verdict.NowTicks;
                    break;
            }
        }
        return true;
    }

    /// <summary>Most senders keep one order of fields, so the search begins after the field before.</summary>
    int Find(ref Utf8JsonReader reader, Verdict verdict, int expected)
    {
        var name = verdict.Text(ref reader);
        for (var i = expected; i < _fields.Length; i++)
            if (name.SequenceEqual(_fields[i].Utf8)) return i;
        for (var i = 0; i < Math.Min(expected, _fields.Length); i++)
            if (name.SequenceEqual(_fields[i].Utf8)) return i;
        foreach (var (alias, field) in _aliases)
        {
            if (!name.SequenceEqual(alias)) continue;
            verdict.MustRewrite = true;
            return field;
        }
        return -1;
    }

    enum WhenMissing
    {
        Fine,
        Reject,
        Default,

        /// <summary>The gateway fills it, so a record that brings it has it twice.</summary>
        Stamp,
    }

    sealed record CompiledField(string Name, byte[] Utf8, FieldCheck Check, WhenMissing Missing, bool Nullable);
}

/// <param name="EventTime">The field whose instant becomes <see cref="Verdict.EventTicks"/>.</param>
sealed record TopLevel(string EventTime, IReadOnlyDictionary<string, StampSource> Stamps);


/// <summary>A value that no column shows, but that every reader of the segment must be able to parse.</summary>
static class IgnoredValue
{
    public static bool Accepts(ref Utf8JsonReader reader, Verdict verdict)
    {
        var depth = reader.CurrentDepth;
        while (true)
        {
            // Unescaping is what finds a lone surrogate.
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) _ = verdict.Text(ref reader);
            if (reader.TokenType == JsonTokenType.Number && !Float64Check.IsSurelyFinite(reader.ValueSpan) && !(reader.TryGetDouble(out var value) && double.IsFinite(value)))
                return verdict.Fail(RejectCode.OutOfRange, ref reader);
            if (reader.CurrentDepth == depth && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) return true;
            reader.Read();
        }
    }
}
