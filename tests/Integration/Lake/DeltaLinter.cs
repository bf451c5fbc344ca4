using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

/// <summary>Reads a table's folder as the Delta protocol describes it, without the product's reader, and lists every MUST that it breaks.</summary>
public sealed partial class DeltaLinter
{
    static readonly string[] Actions = ["commitInfo", "protocol", "metaData", "txn", "add", "remove"];

    readonly List<string> faults = [];
    readonly Dictionary<string, long> live = [];
    readonly Dictionary<string, long> transactions = [];
    readonly Dictionary<string, long> objects = [];
    Dictionary<string, string> columns = [];
    string? id;
    string at = "";

    /// <summary>Fails the test with all faults.</summary>
    public static async Task CheckAsync(IObjectStore store, TableName table)
    {
        var linter = new DeltaLinter();
        await linter.RunAsync(store, $"tables/{table}/");
        linter.faults.ShouldBeEmpty();
    }

    public static async Task<IReadOnlyList<string>> FaultsAsync(IObjectStore store, TableName table)
    {
        var linter = new DeltaLinter();
        await linter.RunAsync(store, $"tables/{table}/");
        return linter.faults;
    }

    async Task RunAsync(IObjectStore store, string folder)
    {
        await foreach (var item in store.ListAsync(folder, CancellationToken.None)) objects[item.Key[folder.Length..]] = item.Bytes;
        var log = objects.Keys.Where(k => k.StartsWith("_delta_log/", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        for (var version = 0; version < log.Count; version++)
        {
            at = log[version];
            if (!LogName().IsMatch(at)) Fault("is no name of a log file");
            else if (at != $"_delta_log/{version:D20}.json") Fault($"stands where version {version} was expected: versions are contiguous from 0");
            Commit(version, (await store.GetAsync(folder + at, CancellationToken.None))!.Value);
        }
        foreach (var (path, size) in live)
        {
            if (!objects.TryGetValue(path, out var found)) Fault($"names '{path}', which does not exist");
            else if (found != size) Fault($"says '{path}' has {size} bytes; it has {found}");
        }
    }

    void Commit(int version, ReadOnlyMemory<byte> bytes)
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.Span);
        if (!text.EndsWith('\n') || text.StartsWith('\uFEFF')) Fault("is not newline-delimited UTF-8 without BOM");
        var seen = new HashSet<string>();
        var before = live.Keys.ToHashSet();
        var oldColumns = columns;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var document = JsonDocument.Parse(line);
            var members = document.RootElement.EnumerateObject().ToList();
            if (members.Count != 1 || !Actions.Contains(members[0].Name))
            {
                Fault($"has a line with {string.Join(", ", members.Select(m => m.Name))} instead of one action");
                continue;
            }
            var action = members[0].Value;
            var unique = members[0].Name switch { "add" or "remove" => "path " + Text(action, "path"), "txn" => "txn " + Text(action, "appId"), var kind => kind };
            if (!seen.Add(unique)) Fault($"has two actions for {unique}");
            switch (members[0].Name)
            {
                case "protocol": Protocol(action); break;
                case "metaData": MetaData(action); break;
                case "txn": Txn(action); break;
                case "add": Add(action); break;
                case "remove": Remove(action); break;
                default: if (Long(action, "timestamp") is null || Text(action, "operation") is null) Fault("has a commitInfo without timestamp or operation"); break;
            }
        }
        if (version == 0 && !(seen.Contains("protocol") && seen.Contains("metaData"))) Fault("is version 0 without protocol or metaData");
        var changed = oldColumns.Where(c => columns.TryGetValue(c.Key, out var type) && type != c.Value).Select(c => c.Key).ToList();
        if (changed.Count > 0 && before.Overlaps(live.Keys)) Fault($"changes the type of {string.Join(", ", changed)} while files of the old type stay live");
    }

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
        else if (transactions.TryGetValue(app, out var last) && last > version) Fault($"takes txn {app} back from {last} to {version}");
        else transactions[app] = version.Value;
    }

    void Add(JsonElement action)
    {
        var path = Path(action);
        if (Long(action, "size") is not { } size || size <= 0) Fault($"adds '{path}' without a size");
        else if (!live.TryAdd(path, size)) Fault($"adds '{path}', which is live");
        if (Long(action, "modificationTime") is null || !IsBool(action, "dataChange")) Fault($"adds '{path}' without modificationTime or dataChange");
        if (!action.TryGetProperty("partitionValues", out var values) || values.EnumerateObject().Any()) Fault($"adds '{path}' with other partition values than the table's none");
        if (action.TryGetProperty("stats", out var stats)) Stats(path, stats.GetString()!);
    }

    void Remove(JsonElement action)
    {
        var path = Path(action);
        if (!live.Remove(path)) Fault($"removes '{path}', which is not live");
        if (Long(action, "deletionTimestamp") is null || !IsBool(action, "dataChange")) Fault($"removes '{path}' without deletionTimestamp or dataChange");
    }

    void Stats(string path, string json)
    {
        using var document = JsonDocument.Parse(json);
        var stats = document.RootElement;
        if (Long(stats, "numRecords") is not { } rows || rows < 0) Fault($"has statistics of '{path}' without numRecords");
        foreach (var kind in new[] { "minValues", "maxValues", "nullCount" })
        {
            foreach (var bound in stats.GetProperty(kind).EnumerateObject())
            {
                if (!columns.TryGetValue(bound.Name, out var type)) Fault($"has {kind} of '{bound.Name}', which is no column");
                else if (kind == "nullCount" ? bound.Value.GetInt64() > Long(stats, "numRecords") : !Fits(type.Trim('"'), bound.Value)) Fault($"has {kind} of '{bound.Name}' {bound.Value}, not of {type}");
            }
        }
    }

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

    void Fault(string what) => faults.Add($"{at} {what}");

    static string? Text(JsonElement o, string name) => o.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    static long? Long(JsonElement o, string name) => o.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;

    static bool IsBool(JsonElement o, string name) => o.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False;

    [GeneratedRegex(@"^_delta_log/\d{20}\.json$")]
    private static partial Regex LogName();

    [GeneratedRegex(@"^(string|long|integer|short|byte|float|double|boolean|binary|date|timestamp|decimal\(([1-9]|[12]\d|3[0-8]),\d+\))$")]
    private static partial Regex PrimitiveName();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    private static partial Regex Milliseconds();

    [GeneratedRegex(@"^([A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})+$")]
    private static partial Regex EncodedPath();
}
