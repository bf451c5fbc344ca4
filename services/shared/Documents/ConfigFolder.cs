using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;

namespace LeanPipe.Documents;

/// <summary>A pipeline with the folder that its data files stand in.</summary>
public sealed record LoadedPipeline(PipelineDefinition Definition, string Folder);

/// <summary>Every document of a folder.</summary>
/// <param name="Streams">The newest version of each.</param>
public sealed record Configuration(IReadOnlyList<StreamDefinition> Streams, IReadOnlyList<LoadedPipeline> Pipelines)
{
    /// <summary>Null without a <c>housekeeping.yaml</c>.</summary>
    public HousekeepingPolicy? Housekeeping { get; init; }
}

/// <summary><c>streams/*.yaml</c>, <c>streams/*/v*.yaml</c> and <c>pipelines/*/pipeline.yaml</c>; a missing folder holds none.</summary>
public static class ConfigFolder
{
    public static DocumentResult<Configuration> Load(string folder)
    {
        var errors = new List<DocumentError>();
        var loaded = StreamFolder.Load(folder, errors);
        var streams = loaded.Select(s => (s.File, Definition: s.Current)).ToList();
        var pipelines = new List<(string File, PipelineDefinition Definition)>();
        foreach (var file in PipelineFiles(folder))
        {
            var result = PipelineDocument.Load(file);
            errors.AddRange(result.Errors);
            if (result.Value is { } pipeline) pipelines.Add((file, pipeline));
        }
        var housekeeping = Path.Combine(folder, HousekeepingDocument.FileName) is var keeping && File.Exists(keeping) ? HousekeepingDocument.Load(keeping) : new(null, []);
        errors.AddRange(housekeeping.Errors);
        // A stream whose own document is wrong is still there, so it is not reported as missing too.
        if (errors.Count == 0) errors.AddRange(AcrossDocuments(streams, pipelines));
        return errors.Count > 0
            ? new(null, errors)
            : new(new([.. streams.Select(s => s.Definition)], [.. pipelines.Select(p => new LoadedPipeline(p.Definition, Path.GetDirectoryName(Path.GetFullPath(p.File))!))]) { Housekeeping = housekeeping.Value }, []);
    }

    /// <summary>The stream documents alone, each with all its versions.</summary>
    public static DocumentResult<IReadOnlyList<LoadedStream>> LoadStreams(string folder)
    {
        var errors = new List<DocumentError>();
        var streams = StreamFolder.Load(folder, errors);
        if (errors.Count == 0) errors.AddRange(AcrossDocuments([.. streams.Select(s => (s.File, s.Current))], []));
        return errors.Count > 0 ? new(null, errors) : new(streams, []);
    }

    /// <summary>All versions of one stream, <c>v1.yaml, v2.yaml, …</c> of its folder.</summary>
    public static DocumentResult<LoadedStream> LoadVersions(string folder)
    {
        var errors = new List<DocumentError>();
        var stream = StreamFolder.Versions(folder, errors);
        return new(stream, errors);
    }

    public static IReadOnlyList<string> PipelineFiles(string folder) =>
        Find(Path.Combine(folder, "pipelines"), d => Directory.EnumerateDirectories(d).Select(p => Path.Combine(p, "pipeline.yaml")).Where(File.Exists));

    static IReadOnlyList<string> Find(string folder, Func<string, IEnumerable<string>> find) =>
        Directory.Exists(folder) ? [.. find(folder).Order(StringComparer.Ordinal)] : [];

    static IEnumerable<DocumentError> AcrossDocuments(List<(string File, StreamDefinition Definition)> streams, List<(string File, PipelineDefinition Definition)> pipelines)
    {
        foreach (var (file, twin, first) in Twins(streams, s => s.Name.Value)) yield return new(file, 1, 1, $"The stream '{twin.Name}' is also defined in {first}; rename one of them.");
        foreach (var (file, twin, first) in Twins(streams.Where(s => !s.Definition.Listen.EndsWith(":0", StringComparison.Ordinal)), s => s.Listen))
            yield return new(file, 1, 1, $"The stream '{twin.Name}' listens on {twin.Listen}, as does {first}; give one of them another port.");
        foreach (var (file, twin, first) in Twins(pipelines, p => p.Name.Value)) yield return new(file, 1, 1, $"The pipeline '{twin.Name}' is also defined in {first}; rename one of them.");

        foreach (var (file, pipeline) in pipelines)
            if (Circle(pipeline, pipelines) is { } circle) yield return new(file, 1, 1, $"These pipelines would start each other for ever: {circle}; give one of them another trigger.");

        var known = streams.ConvertAll(s => s.Definition.Name.Value);
        foreach (var (file, pipeline) in pipelines)
        {
            var read = pipeline.Steps.SelectMany(s => s.Inputs.Values).OfType<StreamInput>().Select(i => i.Stream.Value);
            foreach (var stream in read.Concat(pipeline.TriggerSealed is { } t ? [t.Value] : []).Distinct().Where(s => !known.Contains(s)))
                yield return new(file, 1, 1, $"The pipeline '{pipeline.Name}' reads the stream '{stream}', which has no document; {Suggestion.For(stream, known)}");
        }
    }

    /// <summary>The way along published tables from a pipeline back to itself; told by the first of its pipelines in the order of names.</summary>
    static string? Circle(PipelineDefinition start, List<(string File, PipelineDefinition Definition)> pipelines)
    {
        var way = new List<PipelineDefinition> { start };
        while (way[^1].TriggerPublished is { } table && pipelines.Find(p => p.Definition.Steps.Any(s => s.Publish?.Table == table)).Definition is { } publisher)
        {
            if (publisher == start)
                return way.MinBy(p => p.Name.Value, StringComparer.Ordinal) == start ? string.Join(" → ", way.Append(start).Reverse().Select(p => p.Name)) : null;
            if (way.Contains(publisher)) return null;
            way.Add(publisher);
        }
        return null;
    }

    static IEnumerable<(string File, T Definition, string First)> Twins<T>(IEnumerable<(string File, T Definition)> items, Func<T, string> key) =>
        items.GroupBy(i => key(i.Definition)).SelectMany(g => g.Skip(1).Select(i => (i.File, i.Definition, g.First().File)));
}
