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
        var fanOut = FanOutReader.Read(fanOutNode, inputs, map, folder, errors);
        var load = LoadReader.Read(map, errors);
        var sql = map.Has("load") && !map.Has("sql") ? Everything(inputs, map, errors) : SqlFile.Read(map, "sql", folder, errors);
        var output = OutputReader.Read(map, errors);
        var checks = CheckReader.Read(map.Take("checks"), errors);
        var publish = map.Map("publish", "publish");
        var table = publish?.Name<TableName>("table", required: true);
        var mode = publish?.Choice("mode", Modes) ?? PublishMode.ReplaceWindow;
        var mergeKey = publish?.Texts("key");
        if (publish is not null && mode == PublishMode.Merge != (mergeKey is { Count: > 0 }))
            errors.Add(publish.At, "'publish' needs 'key: [column, …]' with 'mode: merge', and has none otherwise.");
        publish?.Finish();
        if (load is not null && publish is not null) errors.Add(publish.At, "The step has 'load' and 'publish'; it writes either into a database or into the lake. Publish the step that it reads.");
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
            Cache = cache && load is null,
            Load = load,
            Dedupe = [.. dedupe.Select(d => d.Text)],
        }, key.At, fanOutNode?.At ?? key.At, publish?.At ?? key.At);
    }

    /// <summary>A step that only loads needs no SQL file.</summary>
    static string Everything(IReadOnlyDictionary<string, InputDefinition> inputs, MapReader map, ErrorList errors)
    {
        if (inputs.Count == 1) return $"SELECT * FROM \"{inputs.Keys.Single()}\"";
        errors.Add(map.At, $"The step loads without 'sql', but has {inputs.Count} inputs; a SELECT must say which rows are loaded.");
        return "";
    }
}
