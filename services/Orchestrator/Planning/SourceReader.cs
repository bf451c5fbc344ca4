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
            Before = await ReadBeforeAsync(request, inputs, cancellation),
            Limits = await ReadLimitsAsync(pipeline, cancellation),
            LakeFiles = await ReadLakeFilesAsync(inputs, cancellation),
            Tables = await ReadTablesAsync(inputs, cancellation),
            Files = files.ToDictionary(f => f.Key, f => Pinned(run, f.Key, f.Value)),
        }, files);
    }

    async Task<Dictionary<StreamName, PinnedWindow>> ReadWindowsAsync(
        RunRequest request, PipelineDefinition pipeline, List<InputDefinition> inputs, CancellationToken cancellation)
    {
        var leading = pipeline.LeadingStream;
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

    async Task<Dictionary<StepName, StepLimits>> ReadLimitsAsync(PipelineDefinition pipeline, CancellationToken cancellation)
    {
        var limits = new Dictionary<StepName, StepLimits>();
        await foreach (var item in store.ListAsync(LakeLayout.StepLimitsOf(pipeline.Name), cancellation))
            if (Path.GetFileNameWithoutExtension(item.Key) is var name && Name.IsValid(name) && await store.GetJsonAsync(item.Key, ContractsJson.Default.StepLimits, cancellation) is { } found)
                limits[new(name)] = found;
        return limits;
    }

    async Task<Dictionary<StreamInput, IReadOnlyList<PinnedWindow>>> ReadBeforeAsync(RunRequest request, List<InputDefinition> inputs, CancellationToken cancellation)
    {
        var ranges = new Dictionary<StreamInput, IReadOnlyList<PinnedWindow>>();
        foreach (var input in inputs.OfType<StreamInput>().Where(i => i.Last is not null).Distinct())
        {
            var windows = new List<WindowId>();
            await foreach (var folder in store.ListFoldersAsync(LakeLayout.Windows(input.Stream), cancellation))
                if (WindowId.Parse(folder[..^1]) is var window && window < request.Window && window.Start > request.Window.Start - input.Last!.Value) windows.Add(window);
            var pinned = new List<PinnedWindow>();
            foreach (var window in windows.Order())
                if (await NewestAsync(LakeLayout.WindowRevisions(input.Stream, window), cancellation) is { } key &&
                    await store.GetJsonAsync(key, ContractsJson.Default.WindowManifest, cancellation) is { } manifest) pinned.Add(new(key, manifest));
            ranges[input] = pinned;
        }
        return ranges;
    }

    async Task<Dictionary<TableInput, PinnedTable>> ReadTablesAsync(List<InputDefinition> inputs, CancellationToken cancellation)
    {
        var tables = new Dictionary<TableInput, PinnedTable>();
        foreach (var table in inputs.OfType<TableInput>().Distinct())
            if (await LakeTables.PinAsync(store, table, cancellation) is { } pinned) tables[table] = pinned;
        return tables;
    }

    async Task<Dictionary<string, IReadOnlyList<ObjectRef>>> ReadLakeFilesAsync(List<InputDefinition> inputs, CancellationToken cancellation)
    {
        var files = new Dictionary<string, IReadOnlyList<ObjectRef>>();
        foreach (var pattern in inputs.OfType<LakeFilesInput>().Select(i => i.Pattern).Distinct())
        {
            var glob = new KeyPattern(pattern);
            var found = new List<ObjectRef>();
            await foreach (var item in store.ListAsync(glob.Prefix, cancellation))
                if (glob.Matches(item.Key)) found.Add(new(item.Key, item.Bytes, 0, ""));
            files[pattern] = found;
        }
        return files;
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
