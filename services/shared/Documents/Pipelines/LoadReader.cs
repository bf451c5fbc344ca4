using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;

namespace LeanPipe.Documents;

/// <summary>A step's <c>load</c>: the connection's name under the kind of database, the table, how rows come together, and what is looked up.</summary>
static partial class LoadReader
{
    const string TableRule = "a table such as articles or news.articles: letters, digits and '_', at most 63 each";

    static readonly Dictionary<string, LoadMode> Modes = new() { ["insert"] = LoadMode.Insert, ["update"] = LoadMode.Update, ["merge"] = LoadMode.Merge };

    /// <summary>Null when there is none, or something is wrong with it.</summary>
    public static LoadDefinition? Read(MapReader step, ErrorList errors)
    {
        if (step.Map("load", "load") is not { } map) return null;
        var connection = Connection(map, errors);
        var table = Table(map, errors);
        var key = map.Texts("key") ?? [];
        foreach (var twice in key.Where(k => key.Count(other => other.Text == k.Text) > 1)) errors.Add(twice.At, $"'key' names '{twice.Text}' twice; name each column once.");
        var mode = map.Choice("mode", Modes) ?? (key.Count > 0 ? LoadMode.Merge : LoadMode.Insert);
        if (mode != LoadMode.Insert && key.Count == 0) errors.Add(map.At, $"The load's mode is '{mode.ToString().ToLowerInvariant()}', but it has no 'key'; name the columns that tell a row from the others.");
        var lookups = Lookups(map, errors);
        map.Finish();
        return connection is null || table is null ? null : new() { Connection = connection, Table = table, Key = [.. key.Select(k => k.Text)], Mode = mode, Lookups = lookups };
    }

    static string? Connection(MapReader map, ErrorList errors)
    {
        if (map.Text("postgres", required: true) is not { } name) return null;
        if (Name.IsValid(name.Text)) return name.Text;
        // Somebody may have put the secret here; it must not come back in a message.
        errors.Add(name.At, $"'postgres' is no name; expected the name of a connection, {Name.Rule}. What it stands for comes from the environment, never from this document.");
        return null;
    }

    static string? Table(MapReader map, ErrorList errors)
    {
        if (map.Text("table", required: true) is not { } table) return null;
        if (TableName().IsMatch(table.Text)) return table.Text;
        errors.Add(table.At, $"'table' is '{table.Text}'; expected {TableRule}.");
        return null;
    }

    static List<LoadLookup> Lookups(MapReader load, ErrorList errors)
    {
        var lookups = new List<LoadLookup>();
        if (load.Take("lookups") is not { } node) return lookups;
        if (load.AsMap(node, "lookups", "lookups") is null || node is not Yaml.MapNode entries) return lookups;
        foreach (var (column, value) in entries.Entries)
        {
            if (load.AsMap(value, column.Text, $"lookup of '{column.Text}'") is not { } lookup) continue;
            var table = Table(lookup, errors);
            var match = Match(lookup, errors);
            var id = lookup.Text("id")?.Text ?? "id";
            lookup.Finish();
            if (table is not null && match.Count > 0) lookups.Add(new(column.Text, table, match, id));
        }
        return lookups;
    }

    static List<LookupMatch> Match(MapReader lookup, ErrorList errors)
    {
        var match = new List<LookupMatch>();
        if (lookup.Require("match") is not { } node) return match;
        if (node is not Yaml.MapNode { Entries.Count: > 0 } columns)
        {
            errors.Add(node.At, $"'match' is {node.Shape}; expected a map of the lookup table's columns to columns of the step's SQL, such as {{ name: publication }}.");
            return match;
        }
        foreach (var (column, value) in columns.Entries)
            if (lookup.AsText(value, column.Text) is { } from) match.Add(new(column.Text, from.Text));
        return match;
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TableName();
}
