using System.Text;

namespace LeanPipe.StepRunner;

/// <summary>Decides over one DuckDB type, as DESCRIBE spells it: kept, cast by rule because nothing is lost, or refused.</summary>
/// <remarks>
/// A chunk must read back as what was written, in DuckDB and in every other reader of Parquet and Delta. So the types that remain are those of Delta's protocol:
/// booleans, signed integers up to 64 bits, FLOAT, DOUBLE, DECIMAL, VARCHAR, BLOB, DATE, TIMESTAMP WITH TIME ZONE, and lists, structs and maps of these.
/// </remarks>
internal static class TypeGate
{
    const string Instant = "TIMESTAMP WITH TIME ZONE";

    public static ColumnVerdict Judge(string type)
    {
        if (type.EndsWith(']'))
        {
            // A fixed-size array becomes a list: Parquet has no other.
            var element = Judge(type[..type.LastIndexOf('[')]);
            return element with { Target = element.Target + "[]" };
        }
        if (Arguments(type, "STRUCT") is { } fields) return Members("STRUCT", fields, named: true);
        if (Arguments(type, "MAP") is { } keyAndValue) return Members("MAP", keyAndValue, named: false);
        return Scalar(type);
    }

    /// <summary>The names of a struct's fields at any depth, without their quotes.</summary>
    public static IEnumerable<string> FieldNames(string type)
    {
        if (type.EndsWith(']')) return FieldNames(type[..type.LastIndexOf('[')]);
        if (Arguments(type, "MAP") is { } keyAndValue) return SplitTopLevel(keyAndValue).SelectMany(FieldNames);
        if (Arguments(type, "STRUCT") is not { } fields) return [];
        return SplitTopLevel(fields).SelectMany(member =>
        {
            var name = member[..NameLength(member)];
            return FieldNames(member[name.Length..].TrimStart()).Prepend(name[0] == '"' ? name[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : name);
        });
    }

    static ColumnVerdict Scalar(string type) => type switch
    {
        "BOOLEAN" or "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "FLOAT" or "DOUBLE" or "VARCHAR" or "BLOB" or "DATE" or Instant => new(type),
        _ when type.StartsWith("DECIMAL(", StringComparison.Ordinal) => new(type),
        "UTINYINT" => new("SMALLINT"),
        "USMALLINT" => new("INTEGER"),
        "UINTEGER" => new("BIGINT"),
        "UUID" or "JSON" => new("VARCHAR"),
        _ when type.StartsWith("ENUM(", StringComparison.Ordinal) => new("VARCHAR"),
        "UBIGINT" => new("BIGINT", "Parquet readers disagree on unsigned 64-bit integers"),
        "HUGEINT" => new("BIGINT", "which sum() of integers yields and Parquet would store as DOUBLE"),
        "UHUGEINT" or "BIGNUM" => new("BIGINT", "which Parquet would store as DOUBLE or text"),
        "TIMESTAMP" or "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS" => new(Instant, "which has no zone, so that readers would guess one"),
        "TIME" or "TIME WITH TIME ZONE" or "TIME_NS" => new("VARCHAR", "which tables have no type for"),
        "INTERVAL" => new("DOUBLE", "which tables have no type for; take its seconds"),
        _ => new("VARCHAR", "which tables have no type for"),
    };

    static ColumnVerdict Members(string kind, string list, bool named)
    {
        var target = new StringBuilder(kind).Append('(');
        string? refusal = null;
        foreach (var member in SplitTopLevel(list))
        {
            var nameLength = named ? NameLength(member) : 0;
            var verdict = Judge(member[nameLength..].TrimStart());
            refusal ??= verdict.Refusal is null ? null : $"in which {(named ? member[..nameLength] : "a key or value")} is {member[nameLength..].TrimStart()}, {verdict.Refusal}";
            if (target[^1] != '(') target.Append(", ");
            target.Append(member.AsSpan(0, nameLength)).Append(named ? " " : "").Append(verdict.Target);
        }
        return new(target.Append(')').ToString(), refusal);
    }

    static string? Arguments(string type, string kind) =>
        type.StartsWith(kind, StringComparison.Ordinal) && type.Length > kind.Length && type[kind.Length] == '(' ? type[(kind.Length + 1)..^1] : null;

    static int NameLength(string member)
    {
        if (member[0] != '"') return member.IndexOf(' ');
        var end = 1;
        while (member[end] != '"' || (end + 1 < member.Length && member[end + 1] == '"')) end += member[end] == '"' ? 2 : 1;
        return end + 1;
    }

    static IEnumerable<string> SplitTopLevel(string list)
    {
        var start = 0;
        var depth = 0;
        var quote = '\0';
        for (var i = 0; i < list.Length; i++)
        {
            var c = list[i];
            // A doubled quote closes and opens again, which comes to the same.
            if (quote != '\0') quote = c == quote ? '\0' : quote;
            else if (c is '"' or '\'') quote = c;
            else if (c == '(') depth++;
            else if (c == ')') depth--;
            else if (c == ',' && depth == 0)
            {
                yield return list[start..i].Trim();
                start = i + 1;
            }
        }
        yield return list[start..].Trim();
    }
}
