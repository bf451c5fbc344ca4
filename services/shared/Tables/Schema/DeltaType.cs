using System.Text.Json.Nodes;

namespace LeanPipe.Tables;

/// <summary>A type of a Delta schema, its form in <c>schemaString</c>, and the DuckDB type that reads it.</summary>
/// <remarks>Source: Delta Transaction Log Protocol, "Schema Serialization Format". Everything written here is nullable and carries no field metadata.</remarks>
abstract record DeltaType
{
    public abstract JsonNode ToJson();

    public abstract string ToDuckDb();

    /// <exception cref="FormatException">Not a type of this subset.</exception>
    public static DeltaType FromJson(JsonNode? node) => node switch
    {
        JsonValue value => DeltaPrimitive.Named(value.GetValue<string>()),
        JsonObject o => o["type"]?.GetValue<string>() switch
        {
            "struct" => new DeltaStruct([.. o["fields"]!.AsArray().Select(f => new DeltaField(f!["name"]!.GetValue<string>(), FromJson(f["type"])))]),
            "array" => new DeltaArray(FromJson(o["elementType"])),
            "map" => new DeltaMap(FromJson(o["keyType"]), FromJson(o["valueType"])),
            var other => throw new FormatException($"'{other}' is no type of a Delta schema"),
        },
        _ => throw new FormatException("a field has no type"),
    };

    protected static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

sealed record DeltaPrimitive(string Name, string DuckDb) : DeltaType
{
    static readonly Dictionary<string, string> DuckDbOf = new()
    {
        ["string"] = "VARCHAR",
        ["long"] = "BIGINT",
        ["integer"] = "INTEGER",
        ["short"] = "SMALLINT",
        ["byte"] = "TINYINT",
        ["float"] = "FLOAT",
        ["double"] = "DOUBLE",
        ["boolean"] = "BOOLEAN",
        ["binary"] = "BLOB",
        ["date"] = "DATE",
        ["timestamp"] = "TIMESTAMP WITH TIME ZONE",
    };

    public static DeltaPrimitive Named(string name) => DuckDbOf.TryGetValue(name, out var duckDb) ? new(name, duckDb)
        : name.StartsWith("decimal(", StringComparison.Ordinal) ? new(name, name.ToUpperInvariant())
        : throw new FormatException($"'{name}' is no primitive type of reader version 1");

    public override JsonNode ToJson() => JsonValue.Create(Name);

    public override string ToDuckDb() => DuckDb;
}

sealed record DeltaArray(DeltaType Element) : DeltaType
{
    public override JsonNode ToJson() => new JsonObject { ["type"] = "array", ["elementType"] = Element.ToJson(), ["containsNull"] = true };

    public override string ToDuckDb() => $"{Element.ToDuckDb()}[]";
}

sealed record DeltaMap(DeltaType Key, DeltaType Value) : DeltaType
{
    public override JsonNode ToJson() =>
        new JsonObject { ["type"] = "map", ["keyType"] = Key.ToJson(), ["valueType"] = Value.ToJson(), ["valueContainsNull"] = true };

    public override string ToDuckDb() => $"MAP({Key.ToDuckDb()}, {Value.ToDuckDb()})";
}

sealed record DeltaStruct(IReadOnlyList<DeltaField> Fields) : DeltaType
{
    public override JsonNode ToJson() => new JsonObject { ["type"] = "struct", ["fields"] = new JsonArray([.. Fields.Select(f => f.ToJson())]) };

    public override string ToDuckDb() => $"STRUCT({string.Join(", ", Fields.Select(f => $"{Quote(f.Name)} {f.Type.ToDuckDb()}"))})";
}

sealed record DeltaField(string Name, DeltaType Type)
{
    public JsonNode ToJson() => new JsonObject { ["name"] = Name, ["type"] = Type.ToJson(), ["nullable"] = true, ["metadata"] = new JsonObject() };
}
