using System.Text.Json;
using System.Text.Json.Nodes;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>A table's columns. The fields that a log holds are kept as they are written there; new ones are put behind them.</summary>
sealed class DeltaSchema
{
    /// <summary>Parquet columns of other writers and readers may not hold them without column mapping, a later table feature.</summary>
    const string RefusedInNames = " ,;{}()\n\t=";

    readonly JsonArray fields;

    DeltaSchema(JsonArray fields, DeltaStruct type) => (this.fields, Type) = (fields, type);

    public DeltaStruct Type { get; }

    public IReadOnlyList<OutputColumn> Columns => [.. Type.Fields.Select(f => new OutputColumn(f.Name, f.Type.ToDuckDb()))];

    /// <summary>The text of <c>metaData.schemaString</c>.</summary>
    public override string ToString() => new JsonObject { ["type"] = "struct", ["fields"] = fields.DeepClone() }.ToJsonString();

    /// <exception cref="LakeException">No columns, a name or a type that a Delta table cannot hold.</exception>
    public static DeltaSchema Of(IReadOnlyList<OutputColumn> columns)
    {
        if (columns.Count == 0) throw new LakeException("lake.bad_columns", "The output has no columns: a table needs at least one.");
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var type = new DeltaStruct([.. columns.Select(c => new DeltaField(c.Name, DuckDbTypeText.Parse(c.Name, c.Type)))]);
        foreach (var column in columns)
        {
            if (!names.Add(column.Name)) throw new LakeException("lake.bad_columns", $"Two columns are called '{column.Name}' (case does not count): name them apart with AS.");
        }
        RequireNames(type, null);
        return new(new([.. type.Fields.Select(f => f.ToJson())]), type);
    }

    /// <exception cref="FormatException">The text is no schema of this subset.</exception>
    public static DeltaSchema Parse(string schemaString)
    {
        try
        {
            var root = JsonNode.Parse(schemaString)!.AsObject();
            return DeltaType.FromJson(root) is DeltaStruct type ? new((JsonArray)root["fields"]!.DeepClone(), type) : throw new FormatException("it is no struct");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    /// <summary>What a writer of version 2 would have to enforce on our rows and does not look at; null when there is nothing.</summary>
    public string? Constraint()
    {
        foreach (var field in fields)
        {
            if (field!["nullable"] is JsonValue nullable && !nullable.GetValue<bool>()) return $"column '{field["name"]}' is not nullable";
            if (field["metadata"]?["delta.invariants"] is not null) return $"column '{field["name"]}' has an invariant";
        }
        return null;
    }

    /// <summary>This schema with the columns that only the other one has behind its own. Columns that the output lacks stay and read as null.</summary>
    /// <exception cref="LakeException"><c>lake.type_change</c></exception>
    public DeltaSchema With(DeltaSchema output, TableName table)
    {
        var all = (JsonArray)fields.DeepClone();
        var types = Type.Fields.ToList();
        foreach (var field in output.Type.Fields)
        {
            if (Type.Fields.FirstOrDefault(f => string.Equals(f.Name, field.Name, StringComparison.OrdinalIgnoreCase)) is not { } known)
            {
                all.Add(field.ToJson());
                types.Add(field);
            }
            else if (known.Name != field.Name)
            {
                throw new LakeException("lake.bad_columns", $"Column '{known.Name}' of table '{table}' comes as '{field.Name}': case must stay. Write AS \"{known.Name}\".");
            }
            else if (known.Type.ToDuckDb() != field.Type.ToDuckDb())
            {
                throw new LakeException(
                    "lake.type_change",
                    $"Column '{field.Name}' of table '{table}' is {known.Type.ToDuckDb()} in the published files, but the step yields {field.Type.ToDuckDb()}. Write " +
                    $"CAST(\"{field.Name}\" AS {known.Type.ToDuckDb()}), give the column a new name, or publish the whole table anew with mode replace_table.");
            }
        }
        return types.Count == Type.Fields.Count ? this : new(all, new(types));
    }

    static void RequireNames(DeltaType type, string? column)
    {
        switch (type)
        {
            case DeltaStruct s:
                foreach (var field in s.Fields)
                {
                    if (field.Name.Length == 0 || field.Name.AsSpan().IndexOfAny(RefusedInNames) >= 0)
                    {
                        throw new LakeException(
                            "lake.bad_columns",
                            $"{(column is null ? "Column" : $"In column '{column}', field")} '{field.Name}' has a name that a Delta table refuses: no blanks and none of ,;{{}}()=. Rename it with AS.");
                    }
                    RequireNames(field.Type, column ?? field.Name);
                }
                break;
            case DeltaArray a:
                RequireNames(a.Element, column);
                break;
            case DeltaMap m:
                RequireNames(m.Key, column);
                RequireNames(m.Value, column);
                break;
        }
    }
}
