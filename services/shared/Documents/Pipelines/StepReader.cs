using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>One step of a pipeline, without the rules that span steps.</summary>
static class StepReader
{
    static readonly Dictionary<string, PublishMode> Modes =
        new() { ["replace_window"] = PublishMode.ReplaceWindow, ["replace_table"] = PublishMode.ReplaceTable, ["append"] = PublishMode.Append, ["merge"] = PublishMode.Merge };

    // Below a run's prefix these names are taken (LakeLayout.RunFile).
    static readonly string[] Reserved = ["files"];

    public static ReadStep? Read(MapEntry entry, IReadOnlyList<string> steps, string folder, ErrorList errors)
    {
        var (key, value) = entry;
        if (!Name.IsValid(key.Text) || Reserved.Contains(key.Text))
        {
            errors.Add(key.At, Reserved.Contains(key.Text) ? $"A step cannot be named '{key.Text}'; choose another name." : $"The step's name is '{key.Text}'; expected {Name.Rule}.");
            return null;
        }
        if (value is not MapNode node)
        {
            errors.Add(value.At, $"The step '{key.Text}' is {value.Shape}; expected a map with 'inputs' and 'sql'.");
            return null;
        }
        var map = new MapReader(node, $"step '{key.Text}'", errors);
        var inputs = InputReader.Read(map.Require("inputs"), steps, folder, errors);
        var fanOutNode = map.Take("fan_out");
        var fanOut = FanOut(fanOutNode, inputs, map, errors);
        var sql = Sql(map, folder, errors);
        var output = Output(map);
        var checks = CheckReader.Read(map.Take("checks"), errors);
        var publish = map.Map("publish", "publish");
        var table = publish?.Name<TableName>("table", required: true);
        var mode = publish?.Choice("mode", Modes) ?? PublishMode.ReplaceWindow;
        var mergeKey = publish?.Texts("key");
        if (publish is not null && mode == PublishMode.Merge != (mergeKey is { Count: > 0 }))
            errors.Add(publish.At, "'publish' needs 'key: [column, …]' with 'mode: merge', and has none otherwise.");
        publish?.Finish();
        var timeout = map.Duration("timeout", TimeSpan.FromDays(7));
        var retries = map.Integer("retries", 0, 20);
        var cache = map.Flag("cache") ?? true;
        var dedupe = map.Texts("dedupe") ?? [];
        foreach (var column in dedupe.Where(c => dedupe.Count(d => d.Text == c.Text) > 1)) errors.Add(column.At, $"'dedupe' names '{column.Text}' twice; name each column once.");
        map.Finish();
        return new(new()
        {
            Name = new(key.Text),
            Inputs = inputs,
            FanOut = fanOut,
            Sql = sql,
            Output = output,
            Checks = checks,
            Publish = table is { } t ? new(t, mode, mergeKey is null ? null : [.. mergeKey.Select(k => k.Text)]) : null,
            Timeout = timeout,
            Retries = (int?)retries,
            Cache = cache,
            Dedupe = [.. dedupe.Select(d => d.Text)],
        }, key.At, fanOutNode?.At ?? key.At, publish?.At ?? key.At);
    }

    static FanOutDefinition FanOut(YamlNode? node, OrderedDictionary<string, InputDefinition> inputs, MapReader step, ErrorList errors)
    {
        var fanIn = new FanInDefinition();
        if (node is null || step.AsMap(node, "fan_out", "fan_out") is not { } map) return fanIn;
        var bytes = map.Size("bytes", 1, long.MaxValue);
        var of = map.Text("of");
        var hash = map.Text("hash");
        var buckets = map.Integer("buckets", 1, 4096);
        map.Finish();
        if (map.Has("of") && !map.Has("bytes")) errors.Add(node.At, "'of' goes with 'bytes'; remove it.");
        if (map.Has("bytes") == map.Has("hash")) errors.Add(node.At, "'fan_out' needs either 'bytes' or 'hash' (with 'buckets').");
        else if (bytes is { } perTask)
        {
            if (map.Has("buckets")) errors.Add(node.At, "'buckets' goes with 'hash'; remove it or fan out by hash.");
            CheckDriving(of, inputs, node, errors);
            return new BytesFanOut(perTask, of?.Text);
        }
        else if (hash is not null)
        {
            if (!map.Has("buckets")) errors.Add(node.At, "'fan_out: hash' needs 'buckets', the number of tasks.");
            return Hash(hash, (int)(buckets ?? 1), inputs, errors) ?? (FanOutDefinition)fanIn;
        }
        return fanIn;
    }

    static void CheckDriving(TextNode? of, OrderedDictionary<string, InputDefinition> inputs, YamlNode node, ErrorList errors)
    {
        var splittable = inputs.Where(i => i.Value is StreamInput or StepInput).Select(i => i.Key).ToList();
        if (of is not null && !inputs.ContainsKey(of.Text)) errors.Add(of.At, $"'of' names the input '{of.Text}', which this step has not; {Suggestion.For(of.Text, inputs.Keys)}");
        if (of is null && (splittable.Count > 1 || (splittable.Count == 0 && inputs.Count > 1)))
            errors.Add(node.At, $"'fan_out: bytes' splits one input, and this step has several; name it by 'of': {string.Join(", ", splittable.Count > 0 ? splittable : inputs.Keys)}.");
    }

    static HashFanOut? Hash(TextNode text, int buckets, OrderedDictionary<string, InputDefinition> inputs, ErrorList errors)
    {
        var dot = text.Text.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || dot == text.Text.Length - 1)
        {
            errors.Add(text.At, $"'hash' is '{text.Text}'; expected an input and its column such as t.sensor_id.");
            return null;
        }
        var (input, column) = (text.Text[..dot], text.Text[(dot + 1)..]);
        if (!inputs.TryGetValue(input, out var definition))
            errors.Add(text.At, $"'hash' names the input '{input}', which this step has not; {Suggestion.For(input, inputs.Where(i => i.Value is StepInput).Select(i => i.Key))}");
        else if (definition is not StepInput)
            errors.Add(text.At, $"'hash' names the input '{input}', which is no step; only a step of this pipeline writes its rows in buckets.");
        else return new(input, column, buckets);
        return null;
    }

    static string Sql(MapReader map, string folder, ErrorList errors)
    {
        if (map.Text("sql", required: true) is not { } file) return "";
        if (!file.Text.EndsWith(".sql", StringComparison.Ordinal)) errors.Add(file.At, $"'sql' is '{file.Text}'; expected a file beside this document that ends in .sql.");
        else if (Files.Beside(folder, file.Text) is not { } path) errors.Add(file.At, $"'sql' is '{file.Text}'; expected a file in the document's own folder.");
        else if (Files.Read(path, out var sql) is { } missing) errors.Add(file.At, $"The SQL file '{file.Text}' is named here. {missing.Message}");
        else if (string.IsNullOrWhiteSpace(sql)) errors.Add(file.At, $"The SQL file '{file.Text}' is empty; expected one SELECT.");
        else return sql;
        return "";
    }

    static OutputDefinition Output(MapReader step)
    {
        var output = new OutputDefinition();
        if (step.Map("output", "output") is not { } map) return output;
        output = new() { ChunkBytes = map.Size("chunk", 64 * 1024, 16L << 30) ?? output.ChunkBytes, OrderBy = [.. (map.Texts("order_by") ?? []).Select(t => t.Text)] };
        map.Finish();
        return output;
    }
}
