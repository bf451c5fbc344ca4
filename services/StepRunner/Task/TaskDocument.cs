using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.StepRunner;

/// <summary>Reads a task, by itself or out of a sheet, as <see cref="ContractsJson"/> would.</summary>
/// <remarks>
/// By hand, because the serialiser's generic metadata is compiled at run time for every value type among the members: 75 ms of processor for a document that takes
/// one to read, in each of a step's thousands of tasks. A test holds every member against the serialiser.
/// </remarks>
internal static class TaskDocument
{
    /// <exception cref="JsonException">It is no such document, or a member that is required is missing.</exception>
    /// <exception cref="LeanPipeException">An id breaks its rule.</exception>
    public static TaskSpec Read(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return Read(document.RootElement);
    }

    /// <param name="number">Five digits.</param>
    /// <exception cref="JsonException">It is no sheet, or the task does not stand there.</exception>
    /// <exception cref="LeanPipeException">An id breaks its rule.</exception>
    public static TaskSpec ReadSheet(ReadOnlyMemory<byte> json, string number)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var spec = Read(Member(root, "spec")) with { Version = Member(root, "version").GetInt32() };
        foreach (var share in Member(root, "tasks").EnumerateArray())
        {
            if (Text(share, "task") != number) continue;
            var objects = Member(share, "objects").EnumerateObject().ToDictionary(o => o.Name, o => (IReadOnlyList<ObjectRef>)Objects(o.Value));
            return new TaskShare(TaskId.Parse(number), objects, Optional(share, "unchecked")?.GetBoolean()).Of(spec);
        }
        throw new JsonException($"It has no task {number}.");
    }

    static TaskSpec Read(JsonElement root) => new()
    {
        Version = Member(root, "version").GetInt32(),
        Run = new(Text(root, "run")),
        Pipeline = new(Text(root, "pipeline")),
        Window = WindowId.Parse(Text(root, "window")),
        Step = new(Text(root, "step")),
        Task = TaskId.Parse(Text(root, "task")),
        Inputs = List(root, "inputs", Input),
        Sql = Text(root, "sql"),
        Params = List(root, "params", p => new ParamValue(Text(p, "name"), (ParamType)OneOf(p, "type", ParamTypes), Text(p, "value"))),
        Output = Output(Member(root, "output")),
        Load = Optional(root, "load") is { } load ? Load(load) : null,
        Checks = List(root, "checks", c => new CheckDefinition(
            Text(c, "name"), Text(c, "sql"), Member(c, "expect").GetInt64(), Optional(c, "severity") is null ? null : (CheckSeverity)OneOf(c, "severity", Severities),
            Optional(c, "rows")?.GetBoolean())),
        Split = Optional(root, "split")?.GetString(),
        MaxAttempts = Optional(root, "max_attempts")?.GetInt32(),
        Cache = Optional(root, "cache")?.GetBoolean(),
        Limits = Limits(Member(root, "limits")),
    };

    static readonly string[] ParamTypes = ["string", "int64", "float64", "bool", "timestamp"];
    static readonly string[] Compressions = ["zstd", "snappy", "gzip", "lz4", "none"];
    static readonly string[] LoadModes = ["insert", "update", "merge"];
    static readonly string[] Severities = ["fail", "warn"];
    static readonly string[] Formats = ["parquet", "ndjson", "csv"];

    static TaskInput Input(JsonElement input) => new(
        Text(input, "name"),
        (InputFormat)OneOf(input, "format", Formats),
        List(input, "columns", c => new SegmentColumn(Text(c, "name"), Text(c, "read_as"), Text(c, "type"), Optional(c, "expression")?.GetString())),
        Objects(Member(input, "objects")));

    static List<ObjectRef> Objects(JsonElement list)
    {
        var objects = new List<ObjectRef>(list.GetArrayLength());
        foreach (var o in list.EnumerateArray()) objects.Add(new(Text(o, "key"), Member(o, "bytes").GetInt64(), Member(o, "rows").GetInt64(), Text(o, "sha256")));
        return objects;
    }

    static TaskOutput Output(JsonElement output) => new()
    {
        ChunkBytes = Member(output, "chunk_bytes").GetInt64(),
        OrderBy = List(output, "order_by", c => c.GetString()!),
        Hash = Optional(output, "hash") is { } hash ? new(Text(hash, "column"), Member(hash, "buckets").GetInt32(), Optional(hash, "more") is null ? null : List(hash, "more", c => c.GetString()!)) : null,
        PartitionBy = Optional(output, "partition_by") is null ? null : List(output, "partition_by", c => c.GetString()!),
        RowGroupRows = Optional(output, "row_group_rows")?.GetInt32(),
        Compression = Optional(output, "compression") is null ? null : (ChunkCompression)OneOf(output, "compression", Compressions),
    };

    static LoadDefinition Load(JsonElement load) => new()
    {
        Connection = Text(load, "connection"),
        Table = Text(load, "table"),
        Key = List(load, "key", k => k.GetString()!),
        Mode = (LoadMode)OneOf(load, "mode", LoadModes),
        Lookups = List(load, "lookups", l => new LoadLookup(
            Text(l, "column"), Text(l, "table"), List(l, "match", m => new LookupMatch(Text(m, "column"), Text(m, "from"))), Text(l, "id"))),
    };

    static TaskLimits Limits(JsonElement limits) => new()
    {
        Threads = Member(limits, "threads").GetInt32(),
        MemoryBytes = Member(limits, "memory_bytes").GetInt64(),
        ScratchBytes = Member(limits, "scratch_bytes").GetInt64(),
        Timeout = TimeSpan.ParseExact(Text(limits, "timeout"), "c", null),
    };

    static JsonElement Member(JsonElement parent, string name) => Optional(parent, name) ?? throw new JsonException($"'{name}' is missing.");

    static JsonElement? Optional(JsonElement parent, string name) =>
        parent.ValueKind != JsonValueKind.Object ? throw new JsonException($"Found {parent.ValueKind} where an object with '{name}' was expected.")
        : parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value
        : null;

    static string Text(JsonElement parent, string name) => Member(parent, name).GetString()!;

    static List<T> List<T>(JsonElement parent, string name, Func<JsonElement, T> read)
        where T : class
    {
        var items = new List<T>();
        if (Optional(parent, name) is not { } list) return items;
        foreach (var item in list.EnumerateArray()) items.Add(read(item));
        return items;
    }

    static int OneOf(JsonElement parent, string name, string[] names) => Array.IndexOf(names, Text(parent, name)) is >= 0 and var index
        ? index
        : throw new JsonException($"'{name}' is '{Text(parent, name)}': expected {string.Join(", ", names)}.");
}
