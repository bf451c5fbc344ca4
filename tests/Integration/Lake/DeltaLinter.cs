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
    const string LastCheckpointName = "_delta_log/_last_checkpoint";

    static readonly string[] Actions = ["commitInfo", "protocol", "metaData", "txn", "add", "remove"];

    readonly List<string> faults = [];
    readonly Dictionary<string, LiveFile> live = [];
    readonly Dictionary<string, long> sizes = [];
    readonly Dictionary<string, long> removed = [];
    readonly Dictionary<string, long> transactions = [];
    readonly Dictionary<string, long> objects = [];
    Dictionary<string, string> columns = [];
    string? id;
    string at = "";
    long lastTimestamp;
    (long Added, long Removed, bool Pure) rows;

    sealed record LiveFile(long Size, long? Rows, string? Stats);

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

    /// <summary>Every table of a lake: what tests call when they are done with a store.</summary>
    public static async Task CheckAllAsync(IObjectStore store)
    {
        var tables = new List<string>();
        await foreach (var folder in store.ListFoldersAsync("tables/", CancellationToken.None)) tables.Add(folder);
        foreach (var folder in tables)
        {
            var linter = new DeltaLinter();
            await linter.RunAsync(store, $"tables/{folder}");
            linter.faults.ShouldBeEmpty(folder);
        }
    }

    async Task RunAsync(IObjectStore store, string folder)
    {
        await foreach (var item in store.ListAsync(folder, CancellationToken.None)) objects[item.Key[folder.Length..]] = item.Bytes;
        var names = objects.Keys.Where(k => k.StartsWith("_delta_log/", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        foreach (var name in names.Where(n => !LogName().IsMatch(n) && n != LastCheckpointName))
        {
            at = name;
            Fault("is no name of a log file");
        }
        var commits = names.Where(n => CommitName().IsMatch(n)).ToList();
        var checkpoints = names.Where(n => CheckpointName().IsMatch(n)).ToDictionary(Number);
        if (commits.Count == 0) return;
        // A log that was cleaned up begins at a checkpoint, which is then all that is known of what came before; a clean-up that was cut short leaves some commits before it.
        if (Number(commits[0]) > 0 && checkpoints.Keys.Where(c => c >= Number(commits[0])).Order().Cast<long?>().FirstOrDefault() is { } begin) commits.RemoveAll(c => Number(c) < begin);
        var first = Number(commits[0]);
        if (first > 0)
        {
            at = commits[0];
            if (!checkpoints.TryGetValue(first, out var start)) Fault($"stands where version 0 was expected: versions are contiguous from 0 or from a checkpoint");
            else await StartAsync(store, folder + start);
        }
        for (var index = 0; index < commits.Count; index++)
        {
            at = commits[index];
            if (Number(at) != first + index) Fault($"stands where version {first + index} was expected: versions are contiguous from 0 or from a checkpoint");
            Commit(Number(at), (await store.GetAsync(folder + at, CancellationToken.None))!.Value, repeatsCheckpoint: first > 0 && index == 0);
            if (checkpoints.Remove(Number(at), out var checkpoint)) await CheckpointAsync(store, folder + checkpoint, checkpoint);
        }
        foreach (var (version, checkpoint) in checkpoints.Where(c => c.Key > first))
        {
            at = checkpoint;
            Fault($"is a checkpoint of version {version}, which has no commit");
        }
        at = LastCheckpointName;
        if (objects.ContainsKey(at)) LastCheckpoint(names, (await store.GetAsync(folder + at, CancellationToken.None))!.Value);
        at = commits[^1];
        foreach (var (path, file) in live)
        {
            if (!objects.TryGetValue(path, out var found)) Fault($"names '{path}', which does not exist");
            else if (found != file.Size) Fault($"says '{path}' has {file.Size} bytes; it has {found}");
            else await DataAsync(store, folder + path, path, file);
        }
    }

    void Commit(long version, ReadOnlyMemory<byte> bytes, bool repeatsCheckpoint)
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.Span);
        if (!text.EndsWith('\n') || text.StartsWith('\uFEFF')) Fault("is not newline-delimited UTF-8 without BOM");
        // What the first commit behind a clean-up did is in the checkpoint already.
        if (repeatsCheckpoint) return;
        var seen = new HashSet<string>();
        var before = live.Keys.ToHashSet();
        rows = (0, 0, true);
        var oldColumns = columns;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!TryParse(line, out var document)) continue;
            using var _ = document;
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                Fault("has a line that is no JSON object");
                continue;
            }
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
                default: CommitInfo(action); break;
            }
        }
        if (version == 0 && !(seen.Contains("protocol") && seen.Contains("metaData"))) Fault("is version 0 without protocol or metaData");
        if (rows is { Pure: true, Added: > 0 } or { Pure: true, Removed: > 0 } && rows.Added != rows.Removed)
            Fault($"changes no data (dataChange false) and yet takes {rows.Removed} rows out and puts {rows.Added} in");
        var changed = oldColumns.Where(c => columns.TryGetValue(c.Key, out var type) && type != c.Value).Select(c => c.Key).ToList();
        if (changed.Count > 0 && before.Overlaps(live.Keys)) Fault($"changes the type of {string.Join(", ", changed)} while files of the old type stay live");
    }

    void CommitInfo(JsonElement action)
    {
        if (Long(action, "timestamp") is not { } timestamp || Text(action, "operation") is null) Fault("has a commitInfo without timestamp or operation");
        else if (timestamp < lastTimestamp) Fault($"was committed at {timestamp}, before the version before it ({lastTimestamp})");
        else lastTimestamp = timestamp;
    }

    bool TryParse(string line, out JsonDocument document)
    {
        document = null!;
        try
        {
            document = JsonDocument.Parse(line);
            return true;
        }
        catch (JsonException e)
        {
            Fault($"has a line that is no JSON: {e.Message}");
            return false;
        }
    }

    static long Number(string name) => long.Parse(name.AsSpan("_delta_log/".Length, 20), CultureInfo.InvariantCulture);

    void Fault(string what) => faults.Add($"{at} {what}");

    static string? Text(JsonElement o, string name) => o.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    static long? Long(JsonElement o, string name) => o.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;

    static bool IsBool(JsonElement o, string name) => o.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False;

    [GeneratedRegex(@"^_delta_log/\d{20}\.(json|checkpoint\.parquet)$")]
    private static partial Regex LogName();

    [GeneratedRegex(@"^_delta_log/\d{20}\.json$")]
    private static partial Regex CommitName();

    [GeneratedRegex(@"^_delta_log/\d{20}\.checkpoint\.parquet$")]
    private static partial Regex CheckpointName();

    [GeneratedRegex(@"^(string|long|integer|short|byte|float|double|boolean|binary|date|timestamp|decimal\(([1-9]|[12]\d|3[0-8]),\d+\))$")]
    private static partial Regex PrimitiveName();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    private static partial Regex Milliseconds();

    [GeneratedRegex(@"^([A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})+$")]
    private static partial Regex EncodedPath();
}
