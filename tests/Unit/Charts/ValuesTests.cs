using System.Text.Json;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Charts;

public sealed class ValuesTests
{
    const string Chart = "charts/leanpipe";
    const string Begin = "<!-- values -->\n", End = "<!-- end -->";

    [Fact]
    public void Every_value_has_a_sentence()
    {
        ChartValues.Read(Tree.Read($"{Chart}/values.yaml")).Where(v => v.Sentence.Length == 0).Select(v => v.Path).ShouldBeEmpty();
    }

    [Fact]
    public void The_table_in_the_readme_is_made_of_values_yaml()
    {
        var rows = ChartValues.Read(Tree.Read($"{Chart}/values.yaml")).Where(v => v.Default.Length > 0)
            .Select(v => $"| `{v.Path}` | `{v.Default.Replace("|", "\\|", StringComparison.Ordinal)}` | {v.Sentence.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        var table = "| Value | Default | |\n|---|---|---|\n" + string.Concat(rows);
        var readme = Tree.Read($"{Chart}/README.md");
        var (begin, end) = (readme.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, readme.IndexOf(End, StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "1") File.WriteAllText(Path.Combine(Tree.Root, Chart, "README.md"), readme[..begin] + table + readme[end..]);
        readme[begin..end].ShouldBe(table);
    }

    [Fact]
    public void The_schema_knows_the_same_values_and_no_others()
    {
        using var schema = JsonDocument.Parse(Tree.Read($"{Chart}/values.schema.json"));
        var inSchema = Leaves(schema.RootElement, "").Order(StringComparer.Ordinal);
        var inValues = ChartValues.Read(Tree.Read($"{Chart}/values.yaml")).Where(v => v.Default.Length > 0).Select(v => v.Path).Order(StringComparer.Ordinal);
        inSchema.ShouldBe(inValues);
    }

    static IEnumerable<string> Leaves(JsonElement node, string path)
    {
        // Objects whose keys are free are one value; those with keys of their own refuse others.
        if (!node.TryGetProperty("properties", out var properties) || path is "image.digests" or "image.tags")
        {
            yield return path;
            yield break;
        }
        node.GetProperty("additionalProperties").GetBoolean().ShouldBeFalse(path);
        foreach (var property in properties.EnumerateObject())
            foreach (var leaf in Leaves(property.Value, path.Length == 0 ? property.Name : $"{path}.{property.Name}")) yield return leaf;
    }

    [Theory]
    [InlineData("configuration.yaml")]
    [InlineData("redis/statestore.yaml")]
    [InlineData("redis/pubsub.yaml")]
    [InlineData("redis/resiliency.yaml")]
    [InlineData("postgresql/statestore.yaml")]
    [InlineData("postgresql/pubsub.yaml")]
    [InlineData("postgresql/resiliency.yaml")]
    public void Dapr_on_a_laptop_and_on_a_cluster_are_configured_by_the_same_files(string file)
    {
        Tree.Read($"{Chart}/files/dapr/{file}").ShouldBe(Tree.Read($"dapr-components/{file}"));
    }

    [Fact]
    public void What_KEDA_asks_for_is_a_metric_that_there_is()
    {
        var query = ChartValues.Read(Tree.Read($"{Chart}/values.yaml")).Single(v => v.Path == "keda.query").Default;
        var metric = System.Text.RegularExpressions.Regex.Match(query, "leanpipe_[a-z_]+").Value;
        Tree.Read("docs/specs/metrics.md").ShouldContain($"`{metric}`");
        Tree.Read("services/Orchestrator/OrchestratorMetrics.cs").ShouldContain($"\"{metric.Replace("leanpipe_orchestrator_", "leanpipe.orchestrator.", StringComparison.Ordinal)}\"");
    }

    [Fact]
    public void The_chart_holds_no_other_components()
    {
        Tree.Files.Count(f => f.StartsWith($"{Chart}/files/dapr/", StringComparison.Ordinal)).ShouldBe(7);
    }
}

/// <param name="Default">As written; empty for a value that only holds others.</param>
/// <param name="Sentence">The comment right above.</param>
sealed record ChartValue(string Path, string Default, string Sentence);

static class ChartValues
{
    /// <summary>values.yaml as people read it: two spaces a level, a comment above each key, defaults on one line.</summary>
    public static IEnumerable<ChartValue> Read(string yaml)
    {
        var path = new List<string>();
        var sentence = "";
        foreach (var line in yaml.Split('\n'))
        {
            var text = line.TrimStart(' ');
            if (text.StartsWith('#'))
            {
                sentence = text[1..].Trim();
                continue;
            }
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                var level = (line.Length - text.Length) / 2;
                path.RemoveRange(level, path.Count - level);
                path.Add(text[..colon]);
                yield return new(string.Join('.', path), text[(colon + 1)..].Trim(), sentence);
            }
            sentence = "";
        }
    }
}
