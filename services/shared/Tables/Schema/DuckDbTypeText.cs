using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>Reads DuckDB's type text, as <c>DESCRIBE</c> prints it, into a Delta type.</summary>
/// <remarks>
/// What Parquet and Delta (reader 1, writer 2) have no exact type for is refused, with the cast to write: a silent change of a value is worse than a failed step.
/// </remarks>
ref struct DuckDbTypeText
{
    static readonly Dictionary<string, string> Primitives = new()
    {
        ["VARCHAR"] = "string",
        ["JSON"] = "string",
        ["BIGINT"] = "long",
        ["INTEGER"] = "integer",
        ["SMALLINT"] = "short",
        ["TINYINT"] = "byte",
        ["FLOAT"] = "float",
        ["DOUBLE"] = "double",
        ["BOOLEAN"] = "boolean",
        ["BLOB"] = "binary",
        ["DATE"] = "date",
        ["TIMESTAMP WITH TIME ZONE"] = "timestamp",
        ["TIMESTAMPTZ"] = "timestamp",
    };

    // The cast that keeps every value; {0} is the column.
    static readonly Dictionary<string, string> Casts = new()
    {
        ["UTINYINT"] = "CAST({0} AS SMALLINT)",
        ["USMALLINT"] = "CAST({0} AS INTEGER)",
        ["UINTEGER"] = "CAST({0} AS BIGINT)",
        ["UBIGINT"] = "CAST({0} AS DECIMAL(20,0))",
        ["HUGEINT"] = "CAST({0} AS BIGINT), or AS DECIMAL(38,0)",
        ["UHUGEINT"] = "CAST({0} AS DECIMAL(38,0))",
        ["TIMESTAMP"] = "{0} AT TIME ZONE 'UTC'",
        ["TIMESTAMP_S"] = "CAST({0} AS TIMESTAMP) AT TIME ZONE 'UTC'",
        ["TIMESTAMP_MS"] = "CAST({0} AS TIMESTAMP) AT TIME ZONE 'UTC'",
        ["TIMESTAMP_NS"] = "CAST({0} AS TIMESTAMP) AT TIME ZONE 'UTC'",
    };

    readonly string text;
    int at;

    DuckDbTypeText(string text) => this.text = text;

    /// <exception cref="LakeException"><c>lake.unsupported_type</c>, with the cast that helps.</exception>
    public static DeltaType Parse(string column, string type)
    {
        var reader = new DuckDbTypeText(type);
        try
        {
            var result = reader.Type();
            return reader.at == type.Length ? result : throw new FormatException(type);
        }
        catch (FormatException e)
        {
            var refused = e.Message;
            var quoted = $"\"{column}\"";
            var cast = string.Format(null, Casts.GetValueOrDefault(refused, "CAST({0} AS VARCHAR)"), refused == type ? quoted : "the value");
            var where = refused == type ? "" : $" (within {type})";
            throw new LakeException(
                "lake.unsupported_type", $"Column '{column}' has DuckDB's type {refused}{where}, which a Delta table cannot hold exactly. Write {cast} AS {quoted} in the step's SQL.");
        }
    }

    DeltaType Type()
    {
        var name = Word();
        DeltaType type = name switch
        {
            "STRUCT" => Struct(),
            "MAP" => Map(),
            "ENUM" => Enum(),
            "DECIMAL" => Decimal(),
            _ => Primitives.TryGetValue(name, out var primitive) ? DeltaPrimitive.Named(primitive) : throw new FormatException(name),
        };
        while (Take('['))
        {
            while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
            Expect(']');
            type = new DeltaArray(type);
        }
        return type;
    }

    DeltaStruct Struct()
    {
        var fields = new List<DeltaField>();
        Expect('(');
        do
        {
            Blanks();
            var name = text[at] == '"' ? Quoted('"') : Until(' ');
            fields.Add(new(name, Type()));
        }
        while (Take(','));
        Expect(')');
        return new(fields);
    }

    DeltaMap Map()
    {
        Expect('(');
        var key = Type();
        Expect(',');
        var value = Type();
        Expect(')');
        return new(key, value);
    }

    // Parquet holds an enum's text.
    DeltaPrimitive Enum()
    {
        Expect('(');
        do
        {
            Blanks();
            Quoted('\'');
        }
        while (Take(','));
        Expect(')');
        return DeltaPrimitive.Named("string");
    }

    DeltaPrimitive Decimal()
    {
        Expect('(');
        var precision = Until(',');
        Expect(',');
        var scale = Until(')');
        Expect(')');
        return DeltaPrimitive.Named($"decimal({precision.Trim()},{scale.Trim()})");
    }

    string Word()
    {
        Blanks();
        var start = at;
        while (at < text.Length && text[at] is not ('(' or ')' or ',' or '[')) at++;
        return text[start..at].TrimEnd().ToUpperInvariant();
    }

    string Until(char end)
    {
        var stop = text.IndexOf(end, at);
        if (stop < 0) throw new FormatException(text);
        var found = text[at..stop];
        at = stop;
        return found;
    }

    string Quoted(char quote)
    {
        Expect(quote);
        var start = at;
        for (; at < text.Length; at++)
        {
            if (text[at] != quote) continue;
            if (at + 1 < text.Length && text[at + 1] == quote) at++;
            else return text[start..at++].Replace(new string(quote, 2), quote.ToString(), StringComparison.Ordinal);
        }
        throw new FormatException(text);
    }

    void Blanks()
    {
        while (at < text.Length && text[at] == ' ') at++;
        if (at == text.Length) throw new FormatException(text);
    }

    bool Take(char c)
    {
        if (at >= text.Length || text[at] != c) return false;
        at++;
        return true;
    }

    void Expect(char c)
    {
        if (!Take(c)) throw new FormatException(text);
    }
}
