using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Reads what a plan is made from: the windows' manifests, the tables' newest versions, the files beside the document.</summary>
sealed class SourceReader(IObjectStore store, TimeProvider time)
{
    /// <param name="folder">Where the pipeline document stands.</param>
    public async Task<(PlanSources Sources, IReadOnlyDictionary<string, byte[]> Files)> ReadAsync(
        RunId run, RunRequest request, PipelineDefinition pipeline, string folder, CancellationToken cancellation)
    {
        var inputs = pipeline.Steps.SelectMany(s => s.Inputs.Values).ToList();
        var files = await ReadFilesAsync(inputs, folder, cancellation);
        return (new()
        {
            Run = run,
            Request = request,
            Pipeline = pipeline,
            Now = time.GetUtcNow(),
            Windows = await ReadWindowsAsync(request, pipeline, inputs, cancellation),
            Tables = await ReadTablesAsync(inputs, cancellation),
            Files = files.ToDictionary(f => f.Key, f => Pinned(run, f.Key, f.Value)),
        }, files);
    }

    async Task<Dictionary<StreamName, PinnedWindow>> ReadWindowsAsync(
        RunRequest request, PipelineDefinition pipeline, List<InputDefinition> inputs, CancellationToken cancellation)
    {
        var leading = RunPlanner.LeadingStream(pipeline);
        var streams = inputs.OfType<StreamInput>().Select(i => i.Stream);
        var windows = new Dictionary<StreamName, PinnedWindow>();
        foreach (var stream in (leading is { } lead ? streams.Append(lead) : streams).Distinct())
        {
            var key = stream == leading && request.Revision is { } revision
                ? LakeLayout.WindowManifest(stream, request.Window, revision)
                : await NewestAsync(LakeLayout.WindowRevisions(stream, request.Window), cancellation);
            if (key is not null && await store.GetJsonAsync(key, ContractsJson.Default.WindowManifest, cancellation) is { } manifest) windows[stream] = new(key, manifest);
        }
        return windows;
    }

    async Task<string?> NewestAsync(string prefix, CancellationToken cancellation)
    {
        string? newest = null;
        await foreach (var item in store.ListAsync(prefix, cancellation)) newest = item.Key;
        return newest;
    }

    async Task<Dictionary<TableName, PinnedTable>> ReadTablesAsync(List<InputDefinition> inputs, CancellationToken cancellation)
    {
        var tables = new Dictionary<TableName, PinnedTable>();
        foreach (var table in inputs.OfType<TableInput>().Select(i => i.Table).Distinct())
            if (await LakeTables.PinAsync(store, table, cancellation) is { } pinned) tables[table] = pinned;
        return tables;
    }

    static async Task<Dictionary<string, byte[]>> ReadFilesAsync(List<InputDefinition> inputs, string folder, CancellationToken cancellation)
    {
        var files = new Dictionary<string, byte[]>();
        foreach (var path in inputs.OfType<FileInput>().Select(i => i.Path).Distinct())
        {
            // A document may not reach out of its folder; what it names there is then simply not beside it.
            if (Path.IsPathRooted(path) || path.Split('/', '\\').Contains("..")) continue;
            var local = Path.Combine(folder, path);
            if (File.Exists(local)) files[path] = await File.ReadAllBytesAsync(local, cancellation);
        }
        return files;
    }

    static ObjectRef Pinned(RunId run, string path, byte[] content)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(content));
        return new(LakeLayout.RunFile(run, sha256, Path.GetExtension(path).ToLowerInvariant()), content.Length, 0, sha256);
    }
}
