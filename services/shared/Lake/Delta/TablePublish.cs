using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Lake;

/// <summary>One publish, decided against one version of the table. Pure: what it writes follows from what it is given.</summary>
sealed record TablePublish(
    TableName Table, PublishMode Mode, PipelineName Pipeline, WindowId Window, int Revision, RunId Run, DeltaSchema Output, IReadOnlyList<Chunk> Chunks)
{
    const int WriterVersion = 2;

    static readonly string Engine = $"LeanPipe/{typeof(TablePublish).Assembly.GetName().Version!.ToString(3)}";

    string WindowApp => $"leanpipe/{Pipeline}/{Window}";

    string RunApp => $"{WindowApp}/{Run}";

    public long Rows => Chunks.Sum(c => c.Object.Rows);

    /// <summary>Paths relative to the table's folder. The position keeps two chunks apart that hold the same bytes.</summary>
    public IReadOnlyList<(string Path, Chunk Chunk)> Files =>
        [.. Chunks.Select((chunk, index) => (LakeLayout.TableFile(Pipeline, Window, Run, index, chunk.Object.Sha256), chunk))];

    /// <summary>The answer when there is nothing to commit: this run has committed, or a newer revision has. Otherwise null.</summary>
    public PublishedTable? Settled(DeltaTable? current)
    {
        if (current is null) return null;
        if (current.Transactions.TryGetValue(RunApp, out var ours) && ours.Version >= Revision) return new(Table, ours.CommittedIn, Rows);
        return current.Transactions.TryGetValue(WindowApp, out var committed) && committed.Version > Revision ? new(Table, committed.CommittedIn, 0) : null;
    }

    public IReadOnlyList<DeltaAction> Commit(DeltaTable? current, DateTimeOffset now)
    {
        var milliseconds = now.ToUnixTimeMilliseconds();
        var added = Files.Where(f => current?.State.Files.ContainsKey(f.Path) is not true).ToList();
        var kept = Files.Select(f => f.Path).ToHashSet();
        var removed = current is null ? [] : current.Files.Where(f => IsReplaced(f) && !kept.Contains(f.Path)).ToList();
        if (current is not null) RequireWritable(current, removed.Count > 0);

        var actions = new List<DeltaAction> { new() { CommitInfo = CommitInfo(milliseconds, added.Count, removed.Count) } };
        if (current is null) actions.Add(new() { Protocol = new(DeltaStateBuilder.ReaderVersion, WriterVersion) });
        if (MetaData(current, now) is { } metaData) actions.Add(new() { MetaData = metaData });
        actions.Add(new() { Txn = new(WindowApp, Revision, milliseconds) });
        actions.Add(new() { Txn = new(RunApp, Revision, milliseconds) });
        foreach (var file in removed)
            actions.Add(new() { Remove = new(Encode(file.Path), milliseconds, true, true, new Dictionary<string, string?>(), file.Bytes) });
        foreach (var (path, chunk) in added)
        {
            actions.Add(new()
            {
                Add = new(
                    Encode(path), new Dictionary<string, string?>(), chunk.Object.Bytes, milliseconds, true, DeltaStats.ToJson(chunk.Object.Rows, chunk.Stats, Output),
                    new Dictionary<string, string> { [DeltaAdd.Sha256Tag] = chunk.Object.Sha256 }),
            });
        }
        return actions;
    }

    bool IsReplaced(DeltaFile file) =>
        Mode == PublishMode.ReplaceTable || file.Path.StartsWith(LakeLayout.TableWindow(Pipeline, Window), StringComparison.Ordinal);

    DeltaMetaData? MetaData(DeltaTable? current, DateTimeOffset now)
    {
        if (current is null)
        {
            return new(
                Guid.CreateVersion7(now).ToString(), new("parquet", new Dictionary<string, string>()), Output.ToString(), [],
                new Dictionary<string, string>(), now.ToUnixTimeMilliseconds());
        }
        // No file of the old schema stays live when the whole table is replaced, so nothing has to agree with it.
        var schema = (Mode == PublishMode.ReplaceTable ? Output : current.State.Schema.With(Output, Table)).ToString();
        return schema == current.State.Schema.ToString() ? null : current.State.MetaData with { SchemaString = schema };
    }

    void RequireWritable(DeltaTable current, bool removes)
    {
        var protocol = current.State.Protocol;
        var fault = protocol.MinWriterVersion > WriterVersion || protocol.WriterFeatures is { Count: > 0 }
            ? $"asks for writer version {protocol.MinWriterVersion}{(protocol.WriterFeatures is { Count: > 0 } f ? $" with the features {string.Join(", ", f)}" : "")}"
            : current.State.Schema.Constraint() is { } constraint ? constraint
            : removes && current.State.MetaData.Configuration?.GetValueOrDefault("delta.appendOnly") == "true" ? "is append-only (delta.appendOnly)"
            : null;
        if (fault is not null)
        {
            throw new LakeException(
                "lake.unsupported_table", $"Table '{Table}' cannot be published to: {fault}; this version of LeanPipe writes version {WriterVersion}. Publish under another name.");
        }
    }

    JsonElement CommitInfo(long milliseconds, int added, int removed) => JsonSerializer.SerializeToElement(
        new DeltaCommitInfo(
            milliseconds, "WRITE", new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                ["mode"] = "Overwrite",
                ["publish"] = Mode == PublishMode.ReplaceWindow ? "replace_window" : "replace_table",
                ["pipeline"] = Pipeline.Value,
                ["window"] = Window.Value,
                ["revision"] = Revision.ToString(),
                ["run"] = Run.Value,
                ["files_added"] = added.ToString(),
                ["files_removed"] = removed.ToString(),
            }, false, Engine), DeltaJson.Log.DeltaCommitInfo);

    static string Encode(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString)).Replace("%3D", "=", StringComparison.Ordinal);
}
