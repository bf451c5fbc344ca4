using System.Text.Json;
using DuckDB.NET.Data;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

/// <summary>The rules of checkpoints, and of the data files that a log names.</summary>
public sealed partial class DeltaLinter
{
    /// <summary>Takes a checkpoint for what came before it.</summary>
    async Task StartAsync(IObjectStore store, string key)
    {
        foreach (var (kind, action) in (await ActionsAsync(store, key)).OrderBy(a => a.Kind == "metaData" ? 0 : 1))
        {
            switch (kind)
            {
                case "protocol": Protocol(action); break;
                case "metaData": MetaData(action); break;
                case "txn": transactions[Text(action, "appId")!] = Long(action, "version")!.Value; break;
                case "add": Add(action); break;
                case "remove": removed[Path(action)] = Long(action, "deletionTimestamp") ?? 0; break;
            }
        }
    }

    async Task CheckpointAsync(IObjectStore store, string key, string name)
    {
        var (before, adds, protocols, metaDatas, paths) = (at, new Dictionary<string, long>(), 0, 0, new HashSet<string>());
        at = name;
        var found = await ActionsAsync(store, key);
        foreach (var (kind, action) in found)
        {
            switch (kind)
            {
                case "protocol": protocols++; break;
                case "metaData":
                    metaDatas++;
                    if (Text(action, "id") != id) Fault("is of another table's id");
                    break;
                case "txn":
                    if (!transactions.TryGetValue(Text(action, "appId")!, out var version) || version != Long(action, "version")) Fault($"holds a txn of {Text(action, "appId")} that is not the newest");
                    break;
                case "add":
                    adds[Path(action)] = Long(action, "size") ?? 0;
                    if (!paths.Add(Path(action))) Fault($"has two actions for '{Path(action)}'");
                    break;
                case "remove":
                    if (!removed.ContainsKey(Path(action))) Fault($"says that '{Path(action)}' was removed, which it was not");
                    if (!paths.Add(Path(action))) Fault($"has two actions for '{Path(action)}'");
                    break;
                default: Fault($"holds a {kind}"); break;
            }
        }
        if (protocols != 1 || metaDatas != 1) Fault($"holds {protocols} protocol and {metaDatas} metaData actions instead of one each");
        var expected = live.Select(f => (f.Key, f.Value.Size)).Order().ToList();
        if (!adds.Select(a => (a.Key, a.Value)).Order().SequenceEqual(expected)) Fault($"holds {adds.Count} live files where the log holds {expected.Count}, or others");
        at = before;
    }

    void LastCheckpoint(List<string> names, ReadOnlyMemory<byte> bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        if (Long(document.RootElement, "version") is not { } version || Long(document.RootElement, "size") is not > 0) Fault("has no version or size");
        else if (!names.Contains($"_delta_log/{version:D20}.checkpoint.parquet")) Fault($"names the checkpoint of version {version}, which does not exist");
    }

    static async Task<List<(string Kind, JsonElement Action)>> ActionsAsync(IObjectStore store, string key)
    {
        var actions = new List<(string Kind, JsonElement Action)>();
        await ReadAsync(store, key, (file, duck) =>
        {
            foreach (var column in Texts(duck, $"SELECT column_name FROM (DESCRIBE FROM read_parquet('{file}'))"))
                foreach (var json in Texts(duck, $"SELECT to_json(\"{column}\")::VARCHAR FROM read_parquet('{file}') WHERE \"{column}\" IS NOT NULL"))
                    actions.Add((column, JsonDocument.Parse(json).RootElement));
        });
        return actions;
    }

    /// <summary>A file that is Parquet (tests of the log alone write other bytes) holds as many rows as its statistics say, and none outside of its bounds.</summary>
    async Task DataAsync(IObjectStore store, string key, string path, LiveFile file)
    {
        if (file.Stats is null || (await store.GetAsync(key, CancellationToken.None))!.Value is var bytes && (bytes.Length < 8 || !bytes.Span[..4].SequenceEqual("PAR1"u8))) return;
        using var stats = JsonDocument.Parse(file.Stats);
        await ReadAsync(store, key, (local, duck) =>
        {
            var count = Texts(duck, $"SELECT count(*)::VARCHAR FROM read_parquet('{local}')").Single();
            if (count != file.Rows.ToString()) Fault($"says that '{path}' has {file.Rows} rows; it has {count}");
            foreach (var (kind, outside) in new[] { ("minValues", "<"), ("maxValues", ">") })
                if (stats.RootElement.TryGetProperty(kind, out var bounds)) Outside(duck, local, path, "", bounds, outside);
        });
    }

    void Outside(DuckDBConnection duck, string local, string path, string within, JsonElement bounds, string outside)
    {
        foreach (var bound in bounds.EnumerateObject())
        {
            var column = $"{within}\"{bound.Name}\"";
            if (bound.Value.ValueKind == JsonValueKind.Object)
            {
                Outside(duck, local, path, $"{column}.", bound.Value, outside);
                continue;
            }
            var literal = $"'{bound.Value.ToString().Replace("'", "''", StringComparison.Ordinal)}'";
            var type = Texts(duck, $"SELECT coalesce(any_value(typeof({column})), 'VARCHAR') FROM read_parquet('{local}')").Single();
            var found = Texts(duck, $"SELECT count(*)::VARCHAR FROM read_parquet('{local}') WHERE {column} {outside} CAST({literal} AS {type})").Single();
            if (found != "0") Fault($"says of '{path}' a bound of {column} of {bound.Value}, which {found} rows pass");
        }
    }

    static async Task ReadAsync(IObjectStore store, string key, Action<string, DuckDBConnection> read)
    {
        var file = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"{Guid.NewGuid():N}.parquet");
        try
        {
            await File.WriteAllBytesAsync(file, (await store.GetAsync(key, CancellationToken.None))!.Value.ToArray());
            using var duck = new DuckDBConnection("DataSource=:memory:;threads=1");
            await duck.OpenAsync();
            read(file, duck);
        }
        finally
        {
            File.Delete(file);
        }
    }

    static List<string> Texts(DuckDBConnection duck, string sql)
    {
        using var command = duck.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var texts = new List<string>();
        while (reader.Read()) texts.Add(reader.GetString(0));
        return texts;
    }
}
