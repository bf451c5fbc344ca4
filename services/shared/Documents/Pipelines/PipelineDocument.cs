using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A pipeline's document and the files that stand beside it. The format is docs/specs/pipeline-document.md.</summary>
public static class PipelineDocument
{
    /// <summary>Reads the document and its SQL files; its data files must exist, their contents are read when a run is planned.</summary>
    public static DocumentResult<PipelineDefinition> Load(string path) => Files.Read(path, out var text) is { } missing ? new(null, [missing]) : Parse(path, text);

    /// <param name="path">The name that errors carry; the files of the document are looked for in its folder.</param>
    public static DocumentResult<PipelineDefinition> Parse(string path, string yaml)
    {
        var errors = new ErrorList(path);
        if (YamlReader.ReadMap(yaml, errors) is not { } root) return errors.Result<PipelineDefinition>(null);
        var map = new MapReader(root, "pipeline", errors);
        var name = map.Name<PipelineName>("pipeline", required: true);
        var trigger = TriggerReader.Read(map.Take("trigger"), map, errors);
        var parameters = ParamReader.Read(map.Take("params"), errors);
        var steps = Steps(map.Require("steps"), Path.GetDirectoryName(Path.GetFullPath(path))!, errors);
        var timeout = map.Duration("timeout", TimeSpan.FromDays(30));
        var maxRuns = map.Integer("max_runs", 1, 1000);
        map.Finish();
        return errors.Result(new PipelineDefinition
        {
            Name = name ?? new("invalid"),
            TriggerSealed = trigger.Sealed,
            TriggerPublished = trigger.Published,
            TriggerSchedule = trigger.Schedule,
            Params = parameters,
            Steps = steps,
            Timeout = timeout,
            MaxRuns = (int?)maxRuns,
        });
    }

    static IReadOnlyList<StepDefinition> Steps(YamlNode? node, string folder, ErrorList errors)
    {
        if (node is null) return [];
        if (node is not MapNode { Entries.Count: > 0 } map)
        {
            errors.Add(node.At, $"'steps' is {(node is MapNode ? "empty" : node.Shape)}; expected a map of step names to steps.");
            return [];
        }
        var names = map.Entries.Select(e => e.Key.Text).ToList();
        var steps = map.Entries.Select(e => StepReader.Read(e, names, folder, errors)).OfType<ReadStep>().ToList();
        Graph.Check(steps, errors);
        return Graph.InOrder(steps, errors);
    }
}
