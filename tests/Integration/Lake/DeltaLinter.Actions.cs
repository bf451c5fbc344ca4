using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LeanPipe.Integration.Lake;

/// <summary>The rules of single actions.</summary>
public sealed partial class DeltaLinter
{
    void Protocol(JsonElement action)
    {
        if (Long(action, "minReaderVersion") != 1 || Long(action, "minWriterVersion") != 2) Fault("has another protocol than (1, 2)");
    }

    void MetaData(JsonElement action)
    {
        if (!Guid.TryParse(Text(action, "id"), out _)) Fault("has a metaData id that is no GUID");
        if (id is not null && id != Text(action, "id")) Fault("changes the table's id");
        id = Text(action, "id");
        if (!action.TryGetProperty("format", out var format) || Text(format, "provider") != "parquet" || !format.TryGetProperty("options", out _)) Fault("has no format parquet with options");
        if (!action.TryGetProperty("partitionColumns", out var partitions) || partitions.ValueKind != JsonValueKind.Array) Fault("has no partitionColumns");
        if (!action.TryGetProperty("configuration", out var configuration) || configuration.ValueKind != JsonValueKind.Object) Fault("has no configuration");
        using var schema = JsonDocument.Parse(Text(action, "schemaString") ?? "{}");
        if (Text(schema.RootElement, "type") != "struct") Fault("has a schema that is no struct");
        else columns = Fields(schema.RootElement);
    }

    Dictionary<string, string> Fields(JsonElement type)
    {
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var field in type.GetProperty("fields").EnumerateArray())
        {
            var name = Text(field, "name") ?? "";
            if (name.Length == 0 || !fields.TryAdd(name, field.GetProperty("type").GetRawText())) Fault($"has the column '{name}' twice or without a name");
            if (name.IndexOfAny([' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '=']) >= 0) Fault($"has a column name that needs column mapping: '{name}'");
            if (!field.TryGetProperty("nullable", out _) || !field.TryGetProperty("metadata", out _)) Fault($"has the column '{name}' without nullable or metadata");
            Type(field.GetProperty("type"));
        }
        return fields;
    }

    void Type(JsonElement type)
    {
        if (type.ValueKind == JsonValueKind.String)
        {
            if (!PrimitiveName().IsMatch(type.GetString()!)) Fault($"has the type {type}");
            return;
        }
        switch (Text(type, "type"))
        {
            case "struct": _ = Fields(type); break;
            case "array": Type(type.GetProperty("elementType")); _ = type.GetProperty("containsNull").GetBoolean(); break;
            case "map": Type(type.GetProperty("keyType")); Type(type.GetProperty("valueType")); _ = type.GetProperty("valueContainsNull").GetBoolean(); break;
            default: Fault($"has the type {type}"); break;
        }
    }

    void Txn(JsonElement action)
    {
        var (app, version) = (Text(action, "appId"), Long(action, "version"));
        if (app is null || version is null) Fault("has a txn without appId or version");
        // A number of a run that says it was planned after now gives way to a right one.
        else if (transactions.TryGetValue(app, out var last) && last > version && (last & ((1L << 43) - 1)) <= TimeProvider.System.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds()) Fault($"takes txn {app} back from {last} to {version}");
        else transactions[app] = version.Value;
    }

    void Add(JsonElement action)
    {
        var path = Path(action);
        if (Long(action, "size") is not { } size || size <= 0) Fault($"adds '{path}' without a size");
        else if (live.ContainsKey(path)) Fault($"adds '{path}', which is live");
        else if (sizes.TryGetValue(path, out var known) && known != size) Fault($"adds '{path}' with {size} bytes, which had {known} before: data files are never overwritten");
        else live[path] = new(size, Rows(action), Text(action, "stats"));
        sizes[path] = Long(action, "size") ?? 0;
        removed.Remove(path);
        rows = (rows.Added + (Rows(action) ?? 0), rows.Removed, rows.Pure && IsFalse(action, "dataChange"));
        if (Long(action, "modificationTime") is null || !IsBool(action, "dataChange")) Fault($"adds '{path}' without modificationTime or dataChange");
        if (!action.TryGetProperty("partitionValues", out var values) || values.EnumerateObject().Any()) Fault($"adds '{path}' with other partition values than the table's none");
        if (action.TryGetProperty("stats", out var stats)) Stats(path, stats.GetString()!);
    }

    void Remove(JsonElement action)
    {
        var path = Path(action);
        if (!live.Remove(path, out var file)) Fault($"removes '{path}', which is not live");
        if (Long(action, "deletionTimestamp") is null || !IsBool(action, "dataChange")) Fault($"removes '{path}' without deletionTimestamp or dataChange");
        removed[path] = Long(action, "deletionTimestamp") ?? 0;
        rows = (rows.Added, rows.Removed + (file?.Rows ?? 0), rows.Pure && IsFalse(action, "dataChange"));
    }

    void Stats(string path, string json)
    {
        if (!TryParse(json, out var document)) return;
        using var _ = document;
        var stats = document.RootElement;
        if (Long(stats, "numRecords") is not { } count || count < 0) Fault($"has statistics of '{path}' without numRecords");
        foreach (var kind in new[] { "minValues", "maxValues", "nullCount" })
            if (stats.TryGetProperty(kind, out var bounds)) Bounds(kind, bounds, columns, "", Long(stats, "numRecords") ?? 0);
    }

    void Bounds(string kind, JsonElement bounds, Dictionary<string, string> types, string within, long count)
    {
        foreach (var bound in bounds.EnumerateObject())
        {
            if (!types.TryGetValue(bound.Name, out var type))
            {
                Fault($"has {kind} of '{within}{bound.Name}', which is no column");
                continue;
            }
            using var parsed = JsonDocument.Parse(type);
            if (bound.Value.ValueKind == JsonValueKind.Object)
            {
                if (parsed.RootElement.ValueKind != JsonValueKind.Object || Text(parsed.RootElement, "type") != "struct") Fault($"has {kind} within '{within}{bound.Name}', which is no struct");
                else Bounds(kind, bound.Value, Fields(parsed.RootElement), $"{within}{bound.Name}.", count);
            }
            else if (kind == "nullCount" ? bound.Value.GetInt64() < 0 || bound.Value.GetInt64() > count : !Fits(type.Trim('"'), bound.Value))
            {
                Fault($"has {kind} of '{within}{bound.Name}' {bound.Value}, not of {type}");
            }
        }
    }

    static long? Rows(JsonElement add)
    {
        if (Text(add, "stats") is not { } text) return null;
        try
        {
            using var stats = JsonDocument.Parse(text);
            return Long(stats.RootElement, "numRecords");
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static bool IsFalse(JsonElement o, string name) => o.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.False;

    static bool Fits(string type, JsonElement value) => type switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "date" => DateOnly.TryParseExact(value.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "timestamp" => Milliseconds().IsMatch(value.GetString()!),
        "boolean" or "binary" => false,
        _ => value.ValueKind == JsonValueKind.Number,
    };

    string Path(JsonElement action)
    {
        var path = Text(action, "path") ?? "";
        if (path.Length == 0 || path.StartsWith('/') || !EncodedPath().IsMatch(path)) Fault($"has the path '{path}', which is not relative and URI-encoded");
        return Uri.UnescapeDataString(path);
    }
}
