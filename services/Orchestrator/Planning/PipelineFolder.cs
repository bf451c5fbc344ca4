using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Orchestrator;

/// <param name="Errors">Every broken rule of every document that is not among <paramref name="Pipelines"/>.</param>
sealed record FoundPipelines(IReadOnlyList<LoadedPipeline> Pipelines, IReadOnlyList<string> Errors);

/// <summary>The pipelines of a configuration folder as they are on disk at the moment of asking. One broken document does not hide the others.</summary>
sealed class PipelineFolder(string folder)
{
    public FoundPipelines Read()
    {
        var pipelines = new Dictionary<PipelineName, LoadedPipeline>();
        var errors = new List<string>();
        foreach (var file in ConfigFolder.PipelineFiles(folder))
        {
            var (pipeline, broken) = PipelineDocument.Load(file);
            errors.AddRange(broken.Select(e => e.ToString()));
            if (pipeline is not null && !pipelines.TryAdd(pipeline.Name, new(pipeline, Path.GetDirectoryName(Path.GetFullPath(file))!)))
                errors.Add($"{file}: the pipeline '{pipeline.Name}' is also defined in {pipelines[pipeline.Name].Folder}; rename one of them.");
        }
        return new([.. pipelines.Values], errors);
    }

    /// <exception cref="LeanPipeException">There is none of that name; the message says which there are and which documents cannot be read.</exception>
    public LoadedPipeline Require(PipelineName name)
    {
        var found = Read();
        if (found.Pipelines.FirstOrDefault(p => p.Definition.Name == name) is { } pipeline) return pipeline;
        var known = found.Pipelines.Count == 0 ? "none" : string.Join(", ", found.Pipelines.Select(p => p.Definition.Name.Value).Order(StringComparer.Ordinal));
        throw new LeanPipeException("plan.unknown_pipeline", string.Join('\n', [$"There is no readable pipeline '{name}' in '{folder}'. Readable pipelines: {known}.", .. found.Errors]));
    }
}
