using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A step's checks: a value that is expected, or rows that should not be there.</summary>
static class CheckReader
{
    const string Shape = "{ name, sql, expect } or { name, rows }";

    static readonly Dictionary<string, CheckSeverity> Severities = new() { ["fail"] = CheckSeverity.Fail, ["warn"] = CheckSeverity.Warn };

    public static IReadOnlyList<CheckDefinition> Read(YamlNode? node, ErrorList errors)
    {
        if (node is null) return [];
        if (node is not ListNode list)
        {
            errors.Add(node.At, $"'checks' is {node.Shape}; expected a list of {Shape}.");
            return [];
        }
        var checks = new List<CheckDefinition>();
        foreach (var item in list.Items)
        {
            if (item is MapNode map) checks.Add(Read(map, checks, errors));
            else errors.Add(item.At, $"A check is {item.Shape}; expected {Shape}.");
        }
        return checks;
    }

    static CheckDefinition Read(MapNode node, List<CheckDefinition> before, ErrorList errors)
    {
        var map = new MapReader(node, "check", errors);
        var name = map.Text("name", required: true);
        if (name is not null && !Name.IsValid(name.Text)) errors.Add(name.At, $"'name' is '{name.Text}'; expected {Name.Rule}.");
        if (name is not null && before.Exists(c => c.Name == name.Text)) errors.Add(name.At, $"Two checks of the step are named '{name.Text}'; rename one of them.");
        var rows = map.Text("rows");
        var sql = map.Text("sql", required: !map.Has("rows"));
        var expect = map.Integer("expect", long.MinValue, long.MaxValue);
        var severity = map.Choice("severity", Severities);
        map.Finish();
        if (map.Has("rows") && (map.Has("sql") || map.Has("expect"))) errors.Add(node.At, "'rows' selects the rows that should not be there; remove 'sql' and 'expect', or 'rows'.");
        return new(name?.Text ?? "", (rows ?? sql)?.Text ?? "", expect ?? 0, severity is CheckSeverity.Warn ? severity : null, rows is null ? null : true);
    }
}
